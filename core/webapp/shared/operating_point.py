"""The reader's own threshold on the probability of melanoma: kept for the session and in the address, in words beside the answer."""

from dataclasses import dataclass, replace

import streamlit as st

from core.card import Card, DamagedFile, read_bound
from core.evaluation.melanoma import Duel
from core.evaluation.report import EVALUATION_FILE, InvalidEvaluation, read_evaluation
from core.prevalence import Mixture, reweight
from core.trust.signals.threshold import RATIOS, suggested_threshold, threshold_words, weigh
from core.webapp.shared.evaluations import Evaluated, read_evaluated
from core.webapp.shared.shelf import Shelf
from core.wording import against, cut, percent, rate

# Not the melanoma page's own parameter, which goes when that page is left.
PARAMETER = "melanoma-from"
_OWN, _SEEN, _FIELD, _RATIO = "own threshold", "threshold in the address", "threshold field", "cost ratio"
_CHANGED = "threshold changed"


def default_threshold(shelf: Shelf, name: str, card: Card) -> float | None:
    """The model's operating point; None where it has none that is usable."""
    try:
        read_bound(shelf.folder(name), EVALUATION_FILE, card)
        point = getattr(read_evaluation(shelf.folder(name)), "operating_point", None) or {}
    except (FileNotFoundError, DamagedFile, InvalidEvaluation):
        return None
    value = point.get("threshold")
    return float(value) if isinstance(value, int | float) and 0 < value < 1 else None


def reader_threshold(default: float | None) -> float | None:
    """The threshold in use: what the address carries or the reader set in this session, else the model's own."""
    carried = st.query_params.get(PARAMETER)
    if carried is not None and carried != st.session_state.get(_SEEN):
        st.session_state[_SEEN] = carried
        try:
            value = float(carried)
        except ValueError:
            value = -1.0
        if 0 < value < 1:
            st.session_state[_OWN] = value
    return st.session_state.get(_OWN, default)


def is_own() -> bool:
    """Whether the reader set the threshold in use."""
    return _OWN in st.session_state


@dataclass(frozen=True)
class Standing:
    """Where a photo's probability of melanoma stands to the threshold in use.

    Args:
        melanoma: the probability that is compared.
        threshold: that it is compared with.
        own: whether the reader set the threshold.
        calibrated_only: the photo is said to come from elsewhere, and the threshold is the network's operating point, which was chosen on
            probabilities as calibrated: those are compared, whatever the place.
    """

    melanoma: float
    threshold: float
    own: bool
    calibrated_only: bool

    @property
    def above(self) -> bool:
        return self.melanoma >= self.threshold

    @property
    def words(self) -> str:
        """In one sentence, without its full stop."""
        which = " as calibrated" if self.calibrated_only else ""
        melanoma, _ = against(self.melanoma, self.threshold)
        return f"Melanoma, with {melanoma}{which}, is {threshold_words(self.melanoma, self.threshold, self.own)}"


def stand(reading, threshold: float | None) -> Standing | None:
    """Where a reading stands to the threshold in use; None without one.

    A reader's own threshold weighs costs where the photo comes from, so it is compared with the probability there.
    """
    if threshold is None:
        return None
    calibrated_only = reading.elsewhere is not None and not is_own()
    melanoma = (reading.probabilities if calibrated_only else reading.here)["mel"]
    return Standing(melanoma, threshold, is_own(), calibrated_only)


def draw_own_threshold(shelf: Shelf, name: str, threshold: float | None, default: float | None, reading) -> None:
    """The threshold, what it gives on held-out photos, and the table from costs to thresholds."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()  # the sentence beside the answer stands outside this section
    st.markdown(
        "The threshold is yours: it says from which probability of melanoma **you** would act. The network orders nothing, and the "
        "threshold does not change its probabilities."
    )
    evaluated = read_evaluated(shelf)[0].get(name)
    shown = threshold if threshold is not None else 0.5
    st.number_input(
        "Your threshold, per cent",
        min_value=0.1,
        max_value=99.9,
        value=round(100 * shown, 1),
        step=1.0,
        format="%.1f",
        key=f"{_FIELD} {shown:.4f}",
        on_change=_set_field,
        args=(f"{_FIELD} {shown:.4f}",),
        width=190,
        help=""
        if default is None
        else f"This network's operating point, chosen on photos that it did not learn from, is {cut(default)}.",
    )
    if threshold is not None:
        st.markdown(f"{stand(reading, threshold).words}.")
    if evaluated is None:
        st.caption("What a threshold gives on held-out photos is not known: this network has no usable evaluation.")
        return
    # A threshold of the reader's is on the probabilities where the photo comes from: so are the held-out photos' then.
    duel = kept_duel(evaluated, reading.elsewhere.mixture if reading.elsewhere and is_own() else None)
    if duel is None:
        return
    if threshold is not None:
        point = duel.at(threshold)
        st.caption(
            f"On held-out photos it finds {rate(point.sensitivity)} of melanomas and spares {rate(point.specificity)} of nevi."
        )
    _draw_costs(duel)


def _draw_costs(duel: Duel) -> None:
    """The table from costs to thresholds, with the reader's own judgement in it."""
    st.markdown("##### From costs to a threshold")
    st.number_input(
        "How many needless excisions weigh as much as one missed melanoma?",
        min_value=1,
        max_value=999,
        value=19,
        step=1,
        key=_RATIO,
        persist_state="session",
        width=430,
    )
    ratio = st.session_state[_RATIO]
    suggested = suggested_threshold(ratio)
    st.button(f"Take {cut(suggested)} as my threshold", on_click=_set, args=(suggested,), icon=":material/tune:")
    rows = [weigh(duel, one) for one in sorted({*RATIOS, ratio})]
    st.dataframe(
        [
            {
                "Missed : needless": f"{row.ratio:.0f} : 1" + (" (yours)" if row.ratio == ratio else ""),
                "Threshold": cut(row.threshold),
                "Melanomas found": rate(row.sensitivity),
                "Nevi spared": rate(row.specificity),
                "Missed per 1000": round(row.missed),
                "Needless per 1000": round(row.needless),
                "Loss per 1000": round(row.loss),
            }
            for row in rows
        ],
        hide_index=True,
        alt="What each judgement comes to on the held-out photos",
    )
    st.caption(
        "If a missed melanoma weighs as much as R needless excisions, act from a probability of 1 / (1 + R) on. Per 1000 "
        "melanomas and nevi as in the held-out photos "
        f"({percent(duel.prevalence)} melanomas, far more than in most practices); the loss is counted in needless excisions. All of it "
        "is only as right as the probabilities are."
    )


def kept_duel(evaluated: Evaluated, mixture: Mixture | None = None) -> Duel | None:
    """The held-out photos' melanomas and nevi, resampled once; None where one of them is missing.

    Args:
        mixture: re-weights their probabilities to a place with another mixture of diagnoses.
    """
    shares = (mixture.shares, evaluated.card.calibrated_shares) if mixture else None
    return _duel(evaluated.key, shares, evaluated.results)


@st.cache_resource(max_entries=8, show_spinner="Resampling lesions")
def _duel(key: tuple, shares: tuple | None, _results) -> Duel | None:
    if shares:
        _results = replace(_results, probabilities=reweight(_results.probabilities, shares[1], shares[0]))
    try:
        return Duel(_results)
    except ValueError:
        return None


def _set_field(key: str) -> None:
    _set(st.session_state[key] / 100)


def _set(value: float) -> None:
    st.session_state[_OWN], st.session_state[_CHANGED] = value, True
    st.session_state[_SEEN] = st.query_params[PARAMETER] = f"{value:.4f}"
