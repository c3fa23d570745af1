"""The melanoma page's question of colour: errors against how lesions look, and whether the paper's claim is true."""

import pandas as pd
import streamlit as st

from core.data.lesion_region import COLOURS
from core.estimates import Estimate
from core.evaluation.melanoma_looks import PROPERTIES, REGRESSED, Group, LookErrors, claim_words
from core.webapp.melanoma.charts import groups_chart, ratios_chart
from core.webapp.melanoma.state import Choice, kept_look_errors
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.wording import cut, rate

NAMED = "Colour, by name"


def draw_colour(choice: Choice, looks: pd.DataFrame | None) -> None:
    if looks is None:
        return
    try:
        errors = kept_look_errors(choice, looks)
    except ValueError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    st.subheader("Is it “the same colour”?", anchor=False)
    st.markdown(
        "The paper explains its confusions by colour: a black nevus is taken for melanoma. Black here means: "
        f"{COLOURS['black']}, within the lesion's mask; the rule was settled by looking at photos, not at errors."
    )
    claim = errors.black_claim()
    with st.container(border=True):
        st.markdown(f"**At a threshold of {cut(choice.threshold)}.** {claim_words(claim)}")

    name = st.selectbox(
        "Errors against",
        [NAMED, *PROPERTIES],
        format_func=lambda key: PROPERTIES[key][0] if key in PROPERTIES else key,
        key="against",
        bind="query-params",
        filter_mode=None,
        width=360,
    )
    if name == NAMED:
        order = [*COLOURS, "not measured"]
        groups = sorted(errors.by_colour(), key=lambda g: order.index(g.name))
        axis, ends = "colour of the lesion", "; ".join(f"{colour}: {rule}" for colour, rule in COLOURS.items())
        how = f"One group a colour; the first rule that fits counts ({ends})."
    else:
        groups = errors.by_fifth(name)
        axis, low, high = PROPERTIES[name]
        how = f"Melanomas and nevi together, cut into fifths of equal size, the {low} on the left, the {high} on the right."
    draw_figure(
        groups_chart(groups, axis),
        f"errors by {name} {choice.model.name}",
        f"Dots: nevi called melanoma; diamonds: melanomas missed; whiskers: 95 % intervals over resampled lesions. {how} Flat rows of "
        "dots mean that this property has nothing to do with the errors.",
        "; ".join(_group_words(g) for g in groups),
    )
    draw_table(
        [
            {
                "Group": g.name,
                "Nevi": g.nevi,
                "Called melanoma": _rate(g.alarms),
                "Melanomas": g.melanomas,
                "Missed": _rate(g.missed),
            }
            for g in groups
        ],
        f"Errors by {name}, {choice.model.name}, threshold {cut(choice.threshold)}",
        f"{errors.unmeasured} photos without a measured lesion are left out." if errors.unmeasured else "",
    )
    _draw_regression(choice, errors)


def _draw_regression(choice: Choice, errors: LookErrors) -> None:
    st.subheader("Each property, the others held fixed", anchor=False)
    st.caption(
        "Lightness and contrast go together: with the contrast held fixed, a darker lesion is one on darker skin. Read the two as a pair."
    )
    columns = st.columns(2, gap="large")
    for column, (kind, code, title) in zip(
        columns, (("alarms", "nv", "Nevi called melanoma"), ("missed", "mel", "Melanomas missed")), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            ratios = errors.odds_ratios(kind)
            if not ratios:
                st.info("Too few errors at this threshold to tell properties apart.", icon=":material/info:")
                continue
            draw_figure(
                ratios_chart([(PROPERTIES[key][0], ratios[key]) for key in REGRESSED], code),
                f"odds of {kind} {choice.model.name}",
                "Right of the dotted line: the more of it, the more errors; left: the fewer. Per standard deviation, by logistic "
                "regression; whiskers that cross the line show no influence.",
                "; ".join(f"{PROPERTIES[k][0]} times {ratios[k].value:.2f}" for k in REGRESSED),
            )


def _rate(share: Estimate) -> str:
    return rate(share, missing="none there")


def _group_words(group: Group) -> str:
    return f"{group.name}: {_rate(group.alarms)} of nevi called melanoma, {_rate(group.missed)} of melanomas missed"
