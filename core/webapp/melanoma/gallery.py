"""The melanoma page's failures: missed melanomas and false alarms, case by case, with what may explain them."""

import html

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.diagnoses import CODES, NAMES
from core.trust.measure_table import DamagedMeasure, InvalidMeasure
from core.trust.measures.pairs import NEIGHBOURS_FILE, SIMILAR_FILE, Similar, read_similar
from core.webapp.melanoma.case_maps import draw_case_maps
from core.webapp.melanoma.cases import (
    ALARMS,
    CASE_KINDS,
    FIGURE_17,
    FILTERS,
    MISSED,
    OTHER,
    Narrowing,
    errors_of_kind,
    figure_17,
    name_said,
    options,
    pair_table,
)
from core.webapp.melanoma.pictures import draw_case_picture
from core.webapp.melanoma.state import Choice, operating_of
from core.webapp.shared.cases.offer import MOST, offer_photos
from core.webapp.shared.export import draw_table
from core.webapp.shared.photo.folder import photo_folder
from core.webapp.shared.photo.open_case import offer_case, row_facts
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.theme import COLORS, SHORT_NAMES
from core.webapp.shared.words import plain
from core.wording import cut, percent

SUREST = "Surest first"
ORDERS = (SUREST, "Nearest to the threshold first")
# What the cases of a kind are, in a sentence.
WORDS = {
    MISSED: "melanomas are called nevus",
    ALARMS: "nevi are called melanoma",
    OTHER: "melanomas and nevi are called one of the other five diagnoses",
}
PAGE = 5
PAIRS_PAGE = 5
LOOKALIKES = 2
CONFIRMATION = {
    "histo": "histology",
    "follow_up": "follow-up",
    "consensus": "expert consensus",
    "confocal": "confocal microscopy",
}


def draw_failures(choice: Choice, shelf: Shelf, looks: pd.DataFrame | None, offer: DeltaGenerator) -> None:
    """The failures; `offer` is the place for the button that fetches their photos."""
    table = pair_table(choice.model.results, looks, choice.score)
    kind = st.segmented_control("Show", CASE_KINDS, default=MISSED, required=True, key="kind", bind="query-params")
    order, chosen, maps = SUREST, Narrowing(), False
    if kind != FIGURE_17:
        with st.container(key="later-failures"):
            order = st.segmented_control(
                "Order", ORDERS, default=SUREST, required=True, key="order", bind="query-params"
            )
            if photo_folder() is not None:
                maps = st.toggle(
                    "Maps of every case: of what was said and of what is true",
                    key="failure maps",
                    bind="query-params",
                    help="Loads the network, once.",
                )
            chosen = _ask_filters(name_said(table, choice.threshold), looks is not None)
    if kind == FIGURE_17:
        _draw_figure_17(choice, table, looks, offer)
        return
    cases = errors_of_kind(table, kind, choice.threshold, chosen, order == SUREST)
    of = int(table.dx.isin({MISSED: ["mel"], ALARMS: ["nv"], OTHER: ["mel", "nv"]}[kind]).sum())
    what = WORDS[kind]
    if cases.empty:
        st.info(
            f"None of the {of:,} photos of {what} at this threshold with these filters.", icon=":material/check_circle:"
        )
        return
    st.markdown(
        f"**{len(cases)} of {of:,}** photos of {what} at a threshold of {cut(choice.threshold)} (of "
        f"{cases.lesion_id.nunique()} lesions). Called melanoma: a score from the threshold on; else the likeliest other diagnosis."
    )
    page = _ask_page(len(cases), PAGE, "case")
    similar = _similar(choice)
    shown = [str(i) for i in cases.index[(page - 1) * PAGE : page * PAGE]]
    correct = {
        "mel": set(table.index[(table.dx == "mel") & (table.score >= choice.threshold)]),
        "nv": set(table.index[(table.dx == "nv") & (table.score < choice.threshold)]),
    }
    beside = [i for one in shown for code in ("mel", "nv") for i in _nearest(one, similar, correct[code])]
    with offer:
        offer_photos([*shown, *beside, *map(str, cases.index)][:MOST], "failures")
    for image_id in shown:
        _draw_case(choice, shelf, image_id, cases.loc[image_id], looks, similar, correct, maps)
    with st.expander("All of them as a table", icon=":material/table:"):
        columns = [
            "lesion_id",
            "dx",
            "score",
            *CODES,
            "said",
            "predicted",
            "age",
            "sex",
            "localization",
            "dataset",
            "dx_type",
            "colour",
        ]
        draw_table(
            cases.reset_index()[["image_id", *columns]].round(4),
            f"{kind} of {choice.model.name} at {cut(choice.threshold)}",
            tallest=11,
        )


def draw_pairs(choice: Choice, looks: pd.DataFrame | None, offer: DeltaGenerator) -> None:
    """Melanomas beside the nevus that the network finds most similar; `offer` as for the failures."""
    similar = _similar(choice)
    if similar is None:
        return
    table = pair_table(choice.model.results, looks, choice.score)
    pairs = [p for p in _pairs(choice.model.key, similar) if p[0] in table.index and p[1] in table.index]
    st.markdown(
        "Each melanoma below stands beside the nevus that this network finds most like it, the most alike first; each lesion once. "
        f"Likeness is the cosine of their feature vectors ({plain(similar.record['feature'])}), 1 is the same."
    )
    page = _ask_page(len(pairs), PAIRS_PAGE, "pair")
    onward = [i for pair in pairs[(page - 1) * PAIRS_PAGE :] for i in pair[:2]]
    with offer:
        offer_photos(onward[:MOST], "pairs", "of these pairs")
    for number, (melanoma, nevus, cosine) in list(enumerate(pairs, start=1))[
        (page - 1) * PAIRS_PAGE : page * PAIRS_PAGE
    ]:
        with st.container(border=True, key=f"whole-pair-{number}"):
            st.markdown(f"**{number}.** likeness {cosine:.3f}")
            columns = st.columns(2, gap="medium")
            for column, image_id in zip(columns, (melanoma, nevus), strict=True):
                with column:
                    _draw_side(table.loc[image_id], image_id, choice, looks)


def _draw_side(row: pd.Series, image_id: str, choice: Choice, looks: pd.DataFrame | None) -> None:
    called = row.score >= choice.threshold
    right = called == (row.dx == "mel")
    picture, words = st.columns([1, 1], gap="small")
    with picture:
        draw_case_picture(image_id, NAMES[row.dx], looks)
    with words:
        st.markdown(
            f"**{NAMES[row.dx]}**  \n{':material/check: called' if right else ':material/close: called'} "
            f"{'melanoma' if called else 'no melanoma'}  \nscore {percent(row.score, 1)}"
        )
        st.caption(_facts_words(row))
        _offer_case(choice, image_id, row)


@st.fragment
def _draw_case(
    choice: Choice,
    shelf: Shelf,
    image_id: str,
    row: pd.Series,
    looks: pd.DataFrame | None,
    similar: Similar | None,
    correct: dict[str, set[str]],
    maps: bool,
) -> None:
    """One case. A fragment: its maps load the network, and redraw nothing else."""
    with st.container(border=True, key=f"whole-{image_id}"):
        picture, facts, others = st.columns([3, 4, 5], gap="medium")
        with picture:
            there = draw_case_picture(image_id, NAMES[row.dx], looks)
        with facts:
            st.markdown(
                f"**{SHORT_NAMES[row.dx]} called {SHORT_NAMES[row.said].lower()}**  \nScore {percent(row.score, 1)}"
            )
            st.html(_bars(row))
            st.caption(_facts_words(row))
            _offer_case(choice, image_id, row)
        with others:
            st.html(_others(choice, image_id))
            _draw_lookalikes(image_id, similar, correct, choice, looks)
        if not there:
            st.caption("Maps need the photo: *Get photos* above fetches it.")
        elif maps or st.toggle(
            "Where it looked: what was said, and what is true", key=f"maps {image_id}", help="Loads the network, once."
        ):
            draw_case_maps(choice, shelf, image_id, row)


def _draw_lookalikes(
    image_id: str, similar: Similar | None, correct: dict[str, set[str]], choice: Choice, looks: pd.DataFrame | None
) -> None:
    if similar is None:
        return
    likest = [
        (code, other, cosine)
        for code in ("mel", "nv")
        for other, cosine in _nearest(image_id, similar, correct[code]).items()
    ]
    if not likest:
        return
    st.caption("Most like it, among those judged rightly at this threshold:")
    with st.container(key=f"alike-{image_id}"):
        columns = st.columns(2 * LOOKALIKES, gap="xsmall")
    for column, (code, other, cosine) in zip(columns, likest, strict=False):
        with column:
            draw_case_picture(other, NAMES[code], looks, f"{SHORT_NAMES[code]}, {cosine:.2f}")


def _nearest(image_id: str, similar: Similar | None, among: set[str]) -> dict[str, float]:
    """The look-alikes that stand beside a case -> their likeness."""
    return dict(similar.nearest(image_id, among, LOOKALIKES)) if similar else {}


def _draw_figure_17(choice: Choice, table: pd.DataFrame, looks: pd.DataFrame | None, offer: DeltaGenerator) -> None:
    st.markdown(
        "The paper shows eight photos that its authors picked. These are chosen by a rule: of each kind the cases in which the network "
        "was surest of its likeliest diagnosis, each of another lesion. The threshold plays no part."
    )
    shown = figure_17(table)
    with offer:
        offer_photos([i for ids in shown.values() for i in ids], "figure-17", "of this figure")
    for start in (0, 2):
        columns = st.columns(4, gap="small")
        for place, (title, ids) in enumerate(list(shown.items())[start : start + 2]):
            for k, image_id in enumerate(ids):
                row = table.loc[image_id]
                with columns[2 * place + k]:
                    st.markdown(f"**{title}**")
                    draw_case_picture(image_id, f"{title}", looks)
                    st.caption(
                        f"predicted: {SHORT_NAMES[row.predicted]} ({percent(row.p_predicted)})  \ntrue: {SHORT_NAMES[row.dx]}"
                    )
                    _offer_case(choice, image_id, row)
    st.caption(
        "Above: errors. Below: right answers. As in the paper, an answer is the likeliest of all seven diagnoses."
    )


def _offer_case(choice: Choice, image_id: str, row: pd.Series) -> None:
    confirmed = CONFIRMATION.get(row.dx_type, row.dx_type)
    offer_case(
        image_id, row_facts(row), choice.model.name, f"A held-out photo: {NAMES[row.dx]}, confirmed by {confirmed}."
    )


def _ask_filters(table: pd.DataFrame, measured: bool) -> Narrowing:
    with st.expander("Filters", icon=":material/filter_alt:"):
        values = {}
        keys = [key for key in FILTERS if key != "only_colour" or measured]
        for start in range(0, len(keys), 3):
            for column, key in zip(st.columns(3, gap="small"), keys[start : start + 3], strict=False):
                with column:
                    values[key] = st.multiselect(
                        FILTERS[key][0],
                        options(table, key),
                        format_func=_value_words,
                        key=key,
                        bind="query-params",
                        placeholder="all",
                    )
        lightness = hue = None
        if measured:
            left, right = st.columns(2, gap="large")
            with left:
                lightness = st.slider(
                    "Lesion's mean lightness L*", 0, 100, (0, 100), 1, key="lightness", bind="query-params"
                )
            with right:
                hue = st.slider(
                    "Lesion's hue, degrees: 0 red, 90 yellow", -180, 180, (-180, 180), 5, key="hue", bind="query-params"
                )
    # The whole range keeps lesions that were never measured.
    return Narrowing(
        values, None if lightness in (None, (0, 100)) else lightness, None if hue in (None, (-180, 180)) else hue
    )


def _ask_page(count: int, size: int, key: str) -> int:
    pages = -(-count // size)
    if pages <= 1:
        return 1
    # A filter may leave fewer pages than the one that stands in the address.
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = 1
    return st.pagination(pages, key=key, bind="query-params")


def _similar(choice: Choice) -> Similar | None:
    """The network's look-alikes; None where they were not measured, which is said once in place."""
    folder = choice.model.key[0]
    try:
        return _read_similar(choice.model.key, _stamp(folder), folder, choice.model.card)
    except DamagedMeasure as error:
        st.warning(plain(str(error)), icon=":material/heart_broken:")
        return None
    except InvalidMeasure as error:
        st.info(f"Look-alikes are not known: {plain(str(error))}", icon=":material/compare:")
        return None


def _stamp(folder: str) -> tuple:
    from pathlib import Path

    stamps = []
    for file in (SIMILAR_FILE, NEIGHBOURS_FILE):
        path = Path(folder) / file
        stamps.append(path.stat().st_mtime_ns if path.is_file() else None)
    return tuple(stamps)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read_similar(key: tuple, stamps: tuple, folder: str, _card) -> Similar:
    return read_similar(folder, _card)


@st.cache_resource(max_entries=16, show_spinner="Comparing all melanomas with all nevi")
def _pairs(key: tuple, _similar: Similar) -> list[tuple[str, str, float]]:
    return _similar.hard_pairs(100)


def _facts_words(row: pd.Series) -> str:
    age = "age unknown" if pd.isna(row.age) else f"{row.age:.0f} years"
    parts = [
        age,
        row.sex if row.sex != "unknown" else "sex unknown",
        row.localization if row.localization != "unknown" else "site unknown",
        f"confirmed by {CONFIRMATION.get(row.dx_type, row.dx_type)}",
        f"source {row.dataset}",
        f"lesion {row.lesion_id}",
    ]
    if row.colour != "not measured":
        parts.append(f"colour: {row.colour}, L* {row.lightness:.0f}, hue {row.hue:.0f}°")
    return plain(" · ".join(parts))


def _value_words(value: str) -> str:
    return NAMES.get(value, CONFIRMATION.get(value, value)).replace("_", " ")


def _bars(row: pd.Series) -> str:
    """The three likeliest diagnoses, and melanoma and nevus in any case."""
    ranked = sorted(CODES, key=lambda c: -row[c])
    shown = [c for c in CODES if c in {*ranked[:3], "mel", "nv"}]
    shown.sort(key=lambda c: -row[c])
    lines = [
        f'<div style="display:grid;grid-template-columns:7.5rem 1fr 3.2rem;gap:.4rem;align-items:center;font-size:.85rem">'
        f"<span>{SHORT_NAMES[c]}</span>"
        f'<span style="background:rgba(128,140,150,.18);border-radius:.2rem"><span style="display:block;height:.65rem;border-radius:.2rem;'
        f'width:{row[c] * 100:.1f}%;background:{COLORS[c]}"></span></span>'
        f'<span style="text-align:right">{html.escape(percent(row[c]))}</span></div>'
        for c in shown
    ]
    return "".join(lines)


def _others(choice: Choice, image_id: str) -> str:
    """What every network says of the photo, each at its own operating point."""
    lines = []
    for name, model in choice.models.items():
        table = model.results.table
        place = (table.image_id == image_id).to_numpy().nonzero()[0]
        own = operating_of(model, "mel")
        if not len(place):
            lines.append(
                f"<tr><td>{html.escape(name)}</td><td colspan='3'>it was not held out from this photo</td></tr>"
            )
            continue
        i = int(place[0])
        mel, nv = table.mel.iloc[i], table.nv.iloc[i]
        says = "?" if own is None else ("melanoma" if mel >= own else "no melanoma")
        weight = "font-weight:650" if name == choice.model.name else ""
        lines.append(
            f'<tr style="{weight}"><td>{html.escape(name)}</td><td>{html.escape(percent(mel))}</td><td>{html.escape(percent(nv))}</td>'
            f"<td>{SHORT_NAMES[CODES[model.results.y_pred[i]]]}</td><td>{says}</td></tr>"
        )
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" aria-label="What each network says">'
        '<table style="font-size:.85rem;border-spacing:0 .15rem;width:100%;white-space:nowrap">'
        '<caption style="text-align:left;font-weight:600;white-space:normal">'
        "What every network says, each at its own operating point</caption>"
        '<thead><tr style="text-align:left;opacity:.85"><th scope="col">network</th><th scope="col">mel</th>'
        '<th scope="col">nv</th><th scope="col">likeliest</th><th scope="col">calls it</th></tr></thead><tbody>'
        f"{''.join(lines)}</tbody></table></div>"
    )
