"""The melanoma page's first section: the live 2 x 2, what it means at a prevalence, and the curves behind it."""

import streamlit as st

from core.estimates import Estimate
from core.evaluation.melanoma import SCORES, Predictive, TwoByTwo
from core.webapp.melanoma.charts import decision_chart, duel_roc_chart, two_sided_chart
from core.webapp.melanoma.state import Choice, kept_roc
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.theme import COLORS
from core.webapp.shared.words import part_words, plain
from core.wording import cut, interval, percent, rate, spelt

# Shares of melanoma among the melanomas and nevi that are examined: from screening to a list for excision.
PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
USUAL = 0.05
SCREENING = 0.01  # told in people whatever is chosen: there most alarms are false
PEOPLE = 1000


def draw_threshold(choice: Choice) -> None:
    """Everything here follows the two sliders at once."""
    duel = choice.duel
    table = duel.at(choice.threshold)
    prevalence = st.select_slider(
        "Prevalence: how many of 1,000 examined melanomas and nevi are melanomas",
        PREVALENCES,
        value=USUAL,
        format_func=lambda share: f"{share * 1000:g}",
        key="prevalence",
        bind="query-params",
        help=f"Among this collection's own held-out photos it is {duel.prevalence * 1000:.0f} in 1,000, far more than any doctor sees. "
        "Sensitivity and specificity do not depend on it; what a call means does.",
    )
    predictive = duel.predictive(choice.threshold, prevalence)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.html(_two_by_two(table))
        st.caption(
            f"Held out: {duel.photos['melanoma']:,} photos of {duel.lesions['melanoma']:,} melanomas, {duel.photos['nevus']:,} photos "
            f"of {duel.lesions['nevus']:,} nevi. Rows are the truth; framed cells are the errors."
        )
    with right:
        st.html(_numbers(number_rows(table, predictive)))
        st.caption("In brackets: 95 % intervals over resampled lesions.")

    for share in dict.fromkeys((prevalence, SCREENING)):
        st.markdown(people_words(table, share))

    st.subheader("Behind the numbers", anchor=False)
    first, second = st.columns(2, gap="large")
    here = 1 - table.specificity.known, table.sensitivity.known
    at = duel.at(choice.operating) if choice.operating is not None else None
    operating = (1 - at.specificity.known, at.sensitivity.known) if at else None
    with first:
        draw_figure(
            two_sided_chart(duel.scores("melanoma"), duel.scores("nevus"), choice.threshold, choice.operating),
            f"melanoma scores {choice.model.name}",
            "Melanomas point up, nevi down. All right of the thick line is called melanoma: bars below it there are false alarms, bars "
            "above it on the left are missed melanomas. Dotted: the operating point.",
            f"Scores of melanomas and nevi; {table.missed} melanomas lie below the threshold, {table.alarms} nevi above it",
        )
    with second:
        auc = duel.auc()
        draw_figure(
            duel_roc_chart(kept_roc(choice), here, operating),
            f"melanoma roc {choice.model.name}",
            f"Each threshold is a point: up, melanomas found; right, nevi called melanoma. The area, "
            f"{interval(auc)}, is the chance that a melanoma scores above a nevus{_other_auc(choice)}. "
            "Shade: 95 % band.",
            f"ROC of melanoma against nevus; at this threshold sensitivity {percent(here[1])}, false alarms {percent(here[0])}",
        )
    curve = duel.decision_curve(prevalence, choice.threshold)
    draw_figure(
        decision_chart(curve, prevalence),
        f"decision curve {choice.model.name}",
        f"Decision curve at {prevalence * 1000:g} melanomas in 1,000: choose below how many nevi you would excise for one melanoma; the "
        "highest line is the best policy for you. Net means: melanomas found, less the needless excisions at that exchange rate. Where "
        "the network is not above *excise all* and *excise nothing*, it helps nobody. Shade: 95 % band.",
        f"Net benefit over harm at a prevalence of {prevalence:g}",
    )
    draw_table(
        [
            {"Number": name, "Value": text, "What it says": what}
            for name, text, what, _ in number_rows(table, predictive)
        ],
        f"Melanoma against nevus, {choice.model.name}, threshold {cut(choice.threshold)}, prevalence {prevalence:g}",
        f"Score: {SCORES[choice.score].lower()}.",
    )


def _other_auc(choice: Choice) -> str:
    """The two scores give two areas, and a reader who met one of them elsewhere must not take it for the other."""
    if choice.score != "mel":
        return ""
    auc = choice.model.results.evaluation.metrics.get("melanoma_nevus_auc")
    return f"; by melanoma's share of melanoma + nevus it is {interval(auc)}" if auc else ""


def number_rows(table: TwoByTwo, predictive: Predictive) -> list[tuple[str, str, str, str]]:
    """(name, value with interval, what it says, colour) of each number."""
    per_1000 = predictive.prevalence * 1000
    return [
        ("Sensitivity", _share(table.sensitivity), "of melanomas are called melanoma", COLORS["mel"]),
        ("Specificity", _share(table.specificity), "of nevi are not called melanoma", COLORS["nv"]),
        ("PPV", _share(predictive.ppv), "of those called melanoma are one", COLORS["mel"]),
        ("NPV", _share(predictive.npv), "of those not called melanoma are none", COLORS["nv"]),
        (
            "Nevi per melanoma",
            _count(predictive.nevi_per_melanoma),
            "nevi excised for each melanoma found, if every call is excised",
            COLORS["nv"],
        ),
        (
            "Missed per 1,000",
            _count(predictive.missed_per_1000),
            f"of the {per_1000:g} melanomas among 1,000 lesions stay",
            COLORS["mel"],
        ),
    ]


def people_words(table: TwoByTwo, prevalence: float) -> str:
    """What a call means, told in whole people, who add up.

    Reference: G. Gigerenzer, U. Hoffrage, "How to improve Bayesian reasoning without instruction", Psychol Rev 1995.
    """
    melanomas = round(PEOPLE * prevalence)
    found = round(PEOPLE * prevalence * table.sensitivity.known)
    alarms = round((PEOPLE - melanomas) * (1 - table.specificity.known))
    begin = f"**Of {PEOPLE:,} people**, {melanomas} with a melanoma and {PEOPLE - melanomas} with a nevus: {found} of the {melanomas} "
    begin += f"{'is' if found == 1 else 'are'} called melanoma, {melanomas - found} missed; of the nevi {alarms} are called melanoma too. "
    if not found + alarms:
        return f"{begin}Nobody is called melanoma."
    return f"{begin}So of the **{found + alarms}** called melanoma **{found}** {'has' if found == 1 else 'have'} one."


def _share(share: Estimate) -> str:
    return rate(share, missing="nobody is called")


def _count(number: Estimate) -> str:
    # Without an upper end the interval has none: a threshold that may find nothing costs any number of nevi.
    return spelt(number, _short, missing="nobody is called", endless=True)


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 20 else f"{number:.1f}"


def _two_by_two(table: TwoByTwo) -> str:
    """The 2 x 2 as a table that a screen reader can read; wrong cells are framed."""

    def cell(count: int, word: str, code: str, wrong: bool) -> str:
        edge = f"3px solid {COLORS['mel']}" if wrong else "1px solid rgba(128,140,150,.4)"
        return (
            f'<td style="border:{edge};border-radius:.5rem;padding:.6rem;text-align:center;background:{COLORS[code]}1f">'
            f'<div style="font-size:1.7rem;font-weight:650;line-height:1.2">{count:,}</div><div style="font-size:.85rem">{word}</div></td>'
        )

    head = 'style="font-weight:600;font-size:.9rem;padding:.2rem;text-align:{}"'
    return (
        '<table style="width:100%;border-collapse:separate;border-spacing:.4rem;table-layout:fixed">'
        f'<caption style="text-align:left;font-size:.9rem;padding-bottom:.2rem">At a threshold of {cut(table.threshold)}</caption>'
        f'<thead><tr><td style="width:5rem"></td><th scope="col" {head.format("center")}>called melanoma</th>'
        f'<th scope="col" {head.format("center")}>not called</th></tr></thead><tbody>'
        f'<tr><th scope="row" {head.format("left")}>melanoma</th>{cell(table.found, "found", "mel", False)}'
        f"{cell(table.missed, 'missed', 'mel', True)}</tr>"
        f'<tr><th scope="row" {head.format("left")}>nevus</th>{cell(table.alarms, "false alarms", "nv", True)}'
        f"{cell(table.spared, 'spared', 'nv', False)}</tr></tbody></table>"
    )


def _numbers(rows: list[tuple[str, str, str, str]]) -> str:
    """The numbers as cards that wrap on a narrow screen."""
    cards = []
    for name, text, what, color in rows:
        value, _, rest = text.partition(" (")
        rest = f'<span style="font-size:.85rem;opacity:.8;white-space:nowrap"> ({rest}</span>' if rest else ""
        cards.append(
            f'<div style="border:1px solid rgba(128,140,150,.4);border-left:4px solid {color};border-radius:.5rem;padding:.5rem .75rem">'
            f'<div style="font-size:.85rem;font-weight:600">{name}</div>'
            f'<div style="font-size:1.35rem;font-weight:650;line-height:1.4">{value}{rest}</div>'
            f'<div style="font-size:.8rem;opacity:.85">{what}</div></div>'
        )
    return (
        '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.6rem">'
        + "".join(cards)
        + "</div>"
    )


def say_model(choice: Choice) -> None:
    """On what the chosen network was scored."""
    evaluation = choice.model.results.evaluation
    st.caption(
        f"**{plain(choice.model.name)}**: {evaluation.photos:,} photos ({part_words(evaluation.split.get('part'))}) of "
        f"{evaluation.lesions:,} lesions; melanomas and nevi of it are shown here. {plain(evaluation.confidence)}"
    )
    for warning in evaluation.warnings:
        st.warning(plain(warning), icon=":material/warning:")
