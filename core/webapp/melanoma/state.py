"""What the melanoma page asks first: network, score and threshold; and what is kept of them between clicks."""

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.data.lesion_region import LESIONS_FILE, InvalidLesions, read_lesions
from core.evaluation.melanoma import SCORES, Duel, find_threshold
from core.evaluation.melanoma_looks import LookErrors
from core.evaluation.results import InvalidResults
from core.folders import weights_root
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.operating_point import PARAMETER
from core.webapp.shared.words import plain
from core.wording import cut, interval

THRESHOLD = "threshold"
# What a threshold is where no operating point was chosen.
EVEN = 0.5
STEP = 0.001  # of the slider


@dataclass(frozen=True, eq=False)
class Choice:
    """What the reader chose.

    Args:
        model: the network.
        models: all that have an evaluation, by name.
        score: key of `SCORES`.
        threshold: a photo is called melanoma from this score on.
        operating: the operating point on this score; None where there is none.
        duel: the melanomas and nevi, sorted by the score.
    """

    model: Evaluated
    models: dict[str, Evaluated]
    score: str
    threshold: float
    operating: float | None
    duel: Duel


def ask_choice(models: dict[str, Evaluated]) -> Choice | None:
    """Asks for network, score and threshold; all three stand in the address.

    Returns:
        The choice; None where the network's evaluation has no melanoma or no nevus, which is said in place.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.selectbox(
            "Network",
            list(models),
            key="network",
            bind="query-params",
            filter_mode=None,
            on_change=_move_threshold,
            args=(models,),
            width=260,
        )
        score = st.segmented_control(
            "Called melanoma by",
            list(SCORES),
            format_func=SCORES.__getitem__,
            default="mel",
            required=True,
            key="score",
            bind="query-params",
            on_change=_move_threshold,
            args=(models,),
            help="The probability of melanoma among all seven diagnoses is what the app shows, and what the operating point is chosen "
            "on. Melanoma's share of melanoma + nevus leaves the other five diagnoses out of it.",
        )
    model = models[name]
    try:
        duel, operating = _duel(model.key, score, model.results), _operating(model, score)
    except (ValueError, InvalidResults) as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return None
    start = EVEN if operating is None else _slider_value(operating)
    if THRESHOLD not in st.session_state and THRESHOLD not in st.query_params:
        st.session_state[THRESHOLD] = start
    threshold = st.slider(
        "Threshold: from this score on a lesion is called melanoma",
        STEP,
        1 - STEP,
        step=STEP,
        format="percent",
        key=THRESHOLD,
        bind="query-params",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            f"Operating point, {cut(start)}" if operating is not None else f"Back to {cut(start)}",
            icon=":material/my_location:",
            on_click=_set_threshold,
            args=(start,),
            disabled=threshold == start,
            help="Back to the threshold that was chosen on photos the network did not learn from.",
            width="content",
        )
        if operating is None:
            st.caption(
                f"No operating point: the validation part was not evaluated. Run `python -m core evaluate {plain(name)} --data "
                "HAM10000_FOLDER`. Never choose a threshold on the held-out photos shown here."
            )
        else:
            st.caption(_choice_words(model, score))
    # The reading page's threshold is one on the probability of melanoma.
    if score == "mel":
        st.page_link(
            "app.py",
            label=f"Read a lesion with a threshold of {cut(threshold)}",
            icon=":material/arrow_forward:",
            query_params={PARAMETER: f"{threshold:.3f}"},
        )
    return Choice(model, models, score, float(threshold), operating, duel)


def read_looks() -> pd.DataFrame | None:
    """The table of lesions; None where there is none, which is said in place."""
    path = weights_root() / LESIONS_FILE
    try:
        state = path.stat()
        return _looks(str(path), state.st_mtime_ns, state.st_size)
    except OSError:
        reason = f"{path.name} is missing. Run `python -m core data lesions HAM10000_FOLDER`."
    except InvalidLesions as error:
        reason = str(error)
    st.info(f"Lesion colours are not known: {plain(reason)}", icon=":material/palette:")
    return None


def kept_look_errors(choice: Choice, looks: pd.DataFrame) -> LookErrors:
    """Raises ValueError where the table has no lesion of the evaluation."""
    return _errors(choice.model.key, choice.score, choice.threshold, len(looks), choice.model.results, looks)


def kept_roc(choice: Choice):
    return _roc(choice.model.key, choice.score, choice.duel)


def operating_of(model: Evaluated, score: str) -> float | None:
    """Another network's operating point, or None."""
    try:
        return _operating(model, score)
    except (ValueError, InvalidResults):
        return None


def _slider_value(threshold: float) -> float:
    """The slider's nearest value below, so that no melanoma of validation is lost."""
    return min(1 - STEP, max(STEP, math.floor(threshold / STEP + 1e-9) / round(1 / STEP)))


def _move_threshold(models: dict[str, Evaluated]) -> None:
    """Another network or score has another operating point."""
    operating = operating_of(models[st.session_state["network"]], st.session_state["score"])
    st.session_state[THRESHOLD] = EVEN if operating is None else _slider_value(operating)


def _choice_words(model: Evaluated, score: str) -> str:
    """Which photos chose the operating point, and what that does to the figures that follow."""
    point = model.results.evaluation.operating_point
    if score == "mel" and model.card.is_fold_set and point:
        return (
            "The largest threshold that finds 9 of 10 melanomas among the out-of-fold answers, those that follow. At thresholds that each "
            f"photo's own part did not choose, sensitivity is {interval(point['sensitivity'])}, and specificity against all other "
            f"diagnoses {interval(point['specificity'])}. No choice flatters these two."
        )
    return (
        "The largest threshold that finds 9 of 10 melanomas among the *validation* photos. What follows is on held-out photos; a "
        "threshold chosen on them would flatter the network."
    )


def _set_threshold(value: float) -> None:
    st.session_state[THRESHOLD] = value


def _operating(model: Evaluated, score: str) -> float | None:
    folder = model.key[0]
    return _threshold(model.key, score, folder, model.card)


@st.cache_data(max_entries=64, show_spinner=False)
def _threshold(key: tuple, score: str, folder: str, _card) -> float | None:
    return find_threshold(folder, _card, score)


@st.cache_resource(max_entries=16, show_spinner="Resampling lesions")
def _duel(key: tuple, score: str, _results) -> Duel:
    return Duel(_results, score)


@st.cache_resource(max_entries=16, show_spinner="Resampling lesions for the band")
def _roc(key: tuple, score: str, _duel: Duel):
    from core.evaluation.curves import GRID

    return GRID, *_duel.roc(GRID)


@st.cache_resource(max_entries=4, show_spinner=False)
def _looks(path: str, stamp: int, size: int) -> pd.DataFrame:
    return read_lesions(path)


@st.cache_resource(max_entries=8, show_spinner="Resampling lesions of each group")
def _errors(key: tuple, score: str, threshold: float, size: int, _results, _looks: pd.DataFrame) -> LookErrors:
    return LookErrors(_results, _looks, threshold, score)
