"""The black-nevus lab: what changes of colour do to the confusion over the test part, and to one photo."""

from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data.colour import TRANSFORMATIONS, find_transformation
from core.data.patient import Facts
from core.diagnoses import NAMES
from core.reading import encode_photo, read_encoded
from core.trust.measure_table import DamagedMeasure, InvalidMeasure, measure_again, read_measure
from core.trust.measures.colour import COLOUR_SCORES, UNCHANGED, colour_verdict
from core.webapp.melanoma.cases import darkest_nevi_first, pair_table
from core.webapp.melanoma.charts import changes_chart, trajectory_chart
from core.webapp.melanoma.state import Choice, operating_of
from core.webapp.shared.cases.offer import MOST, offer_photos
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.photo.ask import ask_photo
from core.webapp.shared.photo.encoded import encode
from core.webapp.shared.photo.folder import load_photo, photo_folder
from core.webapp.shared.photo.gate import pass_gate
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.line import turn
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.photo.open_case import row_facts
from core.webapp.shared.photo.overlays import draw_picture
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain
from core.wording import cut, difference, interval, p_value, percent

OWN_PHOTO, TEST = "Own photo or drawing", "A held-out photo"
# Trajectories of one session: a few photos under every change.
KEPT = 32


def draw_lab(choice: Choice, shelf: Shelf, looks: pd.DataFrame | None, offer: DeltaGenerator) -> None:
    """The lab; `offer` is the place for the button that fetches photos."""
    st.markdown(
        "The paper leaves as future work whether another colour space or colour constancy would tell a black nevus from a melanoma. "
        "Here it is tested: the network reads changed photos, without being trained anew."
    )
    _draw_measured(choice)
    _draw_one_photo(choice, shelf, looks, offer)


def _draw_measured(choice: Choice) -> None:
    st.subheader("Over all held-out melanomas and nevi", anchor=False)
    try:
        record = read_measure("colour", choice.model.key[0], choice.model.card)
    except DamagedMeasure as error:
        st.warning(plain(str(error)), icon=":material/heart_broken:")
        return
    except InvalidMeasure:
        measured = _measured_model(choice)
        instead = f"; below is **{plain(measured)}**, which was" if measured else ""
        st.info(
            f"{plain(choice.model.name)} was not yet measured with changed colours{instead}. "
            f"{measure_again('colour', choice.model.key[0])}",
            icon=":material/palette:",
        )
        if measured is None:
            return
        choice = replace(choice, model=choice.models[measured])
        record = read_measure("colour", choice.model.key[0], choice.model.card)
    with st.container(border=True):
        st.markdown(plain(colour_verdict(record)))
    score = st.segmented_control(
        "Score",
        list(COLOUR_SCORES),
        format_func=COLOUR_SCORES.__getitem__,
        default="auc",
        required=True,
        key="changed",
        bind="query-params",
    )
    rows = [row for row in record["settings"] if row["name"] != UNCHANGED]
    draw_figure(
        changes_chart([(row["title"], row["differences"][score]) for row in rows], COLOUR_SCORES[score]),
        f"colour {score} {choice.model.name}",
        "Right of the dotted line a change of colour helps, left it harms. Filled dots differ from plain beyond chance (Holm-corrected, "
        "p below 0.05); whiskers are 95 % intervals of the paired difference, before that correction.",
        "; ".join(f"{row['title']} {row['differences'][score].value:+z.3f}" for row in rows),
    )
    draw_table(
        [
            {"Photos": row["title"]}
            | {title: interval(row["scores"][key]) for key, title in COLOUR_SCORES.items()}
            | {f"{COLOUR_SCORES[score]}, change": _change(row, score)}
            for row in record["settings"]
        ],
        f"Changes of colour, {choice.model.name}",
        f"{record['melanomas']} melanoma and {record['photos'] - record['melanomas']:,} nevus photos; sensitivity and specificity at the "
        f"fixed operating point of {cut(record['threshold'])}. {record['confidence']}.",
    )


def _measured_model(choice: Choice) -> str | None:
    """The first other network whose answers to changed colours were measured; None without one."""
    for name, model in choice.models.items():
        try:
            read_measure("colour", model.key[0], model.card)
        except InvalidMeasure:
            continue
        return name
    return None


def _draw_one_photo(choice: Choice, shelf: Shelf, looks: pd.DataFrame | None, offer: DeltaGenerator) -> None:
    st.subheader("One photo", anchor=False)
    asked, answered = st.columns([2, 3], gap="large")
    with asked:
        photo, facts, image_id, known = _ask_photo(choice, looks, offer)
        name = st.selectbox(
            "Change",
            list(TRANSFORMATIONS),
            format_func=lambda key: TRANSFORMATIONS[key].title,
            key="change",
            bind="query-params",
            filter_mode=None,
        )
        change = find_transformation(name)
        st.caption(change.about)
        whole = change.decimals == 0
        cast = int if whole else float
        strength = st.slider(
            f"Strength: {change.unit}",
            cast(change.low),
            cast(change.high),
            cast(change.shown),
            cast(change.step),
            key=f"strength {name}",
        )
    with answered:
        if photo is None:
            st.info("Choose a photo to change its colours.", icon=":material/image:")
            return
        changed = change(photo.pixels, float(strength))
        with st.container(key="photos"):
            plain_column, changed_column = st.columns(2, gap="small", wrap=False)
            with plain_column:
                draw_picture(photo.pixels, "Plain", "The photo as it is")
            with changed_column:
                draw_picture(changed, f"{change.title}, {strength:g}", f"The photo under {change.title.lower()}")
    if known:
        st.caption(known)
    if not st.toggle(
        f"Read it with {choice.model.name} at every strength", key="lab reads", help="Loads the network the first time."
    ):
        return
    try:
        if not pass_gate(shelf, choice.model.name, photo):
            return
        bundle = load_model(shelf.folder(choice.model.name), choice.model.card)
        bundle = bundle.network_without(image_id) if image_id else bundle
        steps = sorted({*change.steps(), float(strength)})
        answers = [_answer(bundle, photo, name, step, facts) for step in steps]
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    here = answers[steps.index(float(strength))]
    unchanged = answers[steps.index(float(change.neutral))]
    own = operating_of(choice.model, "mel")
    threshold = choice.threshold if own is None else own
    crossing = "now reaches" if here["mel"] >= threshold else "lies below"
    draw_figure(
        trajectory_chart(steps, answers, float(strength), float(change.neutral), change.unit, threshold),
        f"trajectory {name}",
        f"As the change grows from the dotted upright line (plain), the lines follow the probabilities. Thick upright line: the strength "
        f"chosen above. Dotted across: the threshold of {cut(threshold)} on the probability of melanoma.",
        f"{NAMES['mel']} {percent(unchanged['mel'])} plain, {percent(here['mel'])} changed; {NAMES['nv']} "
        f"{percent(unchanged['nv'])} plain, {percent(here['nv'])} changed",
    )
    st.markdown(
        f"Melanoma: {percent(unchanged['mel'])} plain, **{percent(here['mel'])}** changed. Nevus: {percent(unchanged['nv'])} plain, "
        f"**{percent(here['nv'])}** changed. The changed photo {crossing} the threshold. "
        "One photo proves nothing: see the measurement above."
    )


def _ask_photo(
    choice: Choice, looks: pd.DataFrame | None, offer: DeltaGenerator
) -> tuple[Photo | None, Facts, str, str]:
    """The photo, the facts that it is read with, its id if it is of the collection, and what is known of it."""
    source = OWN_PHOTO
    table = darkest_nevi_first(pair_table(choice.model.results, looks, "mel"))
    if photo_folder() is None:
        with offer:
            offer_photos(list(table.index[:MOST]), "lab", "of the darkest nevi")
    else:
        source = st.segmented_control(
            "Photo from", [TEST, OWN_PHOTO], default=TEST, required=True, key="lab source", label_visibility="collapsed"
        )
    if source == OWN_PHOTO:
        return ask_photo(), Facts(), "", ""
    image_id = st.selectbox(
        "Held-out photo: nevi, the darkest first; then melanomas",
        list(table.index),
        format_func=lambda i: (
            f"{i}: {NAMES[table.dx[i]]}{_dark_words(table.lightness[i])}, melanoma {percent(table.score[i])}"
        ),
        key="lab photo",
    )
    photo = load_photo(image_id)
    if photo is None:
        with offer:
            offer_photos([image_id], "lab", "of this case")
    row: pd.Series = table.loc[image_id]
    return (
        photo,
        row_facts(row),
        image_id,
        f"{image_id} is a {NAMES[row.dx].lower()}, read with the patient's own facts.",
    )


def _dark_words(lightness: float) -> str:
    return "" if pd.isna(lightness) else f", L* {lightness:.0f}"


def _answer(bundle, photo: Photo, name: str, strength: float, facts: Facts) -> dict[str, float]:
    if strength == find_transformation(name).neutral:
        return read_encoded(encode(bundle, photo), facts, explain=False).probabilities
    return _read(bundle.card.probabilities_sha256, photo.hash, name, strength, facts, bundle, photo.pixels)


# Of this session alone: the answers are kept by a patient's facts.
@st.cache_data(max_entries=KEPT * 15, scope="session", show_spinner="Reading the changed photo")
def _read(sha256: str, photo: str, name: str, strength: float, facts: Facts, _bundle, _pixels) -> dict[str, float]:
    changed = find_transformation(name)(_pixels, strength)
    with turn():
        encoded = encode_photo(_bundle, changed, explain=False)
    return read_encoded(encoded, facts, explain=False).probabilities


def _change(row: dict, score: str) -> str:
    if row["name"] == UNCHANGED:
        return ""
    apart = row["differences"][score]
    return f"{difference(apart)}, p {p_value(apart.p_holm)}"
