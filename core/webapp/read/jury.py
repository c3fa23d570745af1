"""The jury on the page: all networks' votes on the photo, and how often a majority as large was right on held-out photos."""

import math

import streamlit as st

from core.data.patient import Facts
from core.diagnoses import CODES, NAMES
from core.estimates import CountedEstimate
from core.evaluation.results import Results
from core.trust.signals.jury import Jury, JuryRecord, convene, jury_record, votes
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.photo.all_networks import read_with_all
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain
from core.wording import percent, rate


def jurors(shelf: Shelf) -> Shelf:
    """The shelf with the networks that vote: single ones, that were not shown their own held-out lesions."""
    return Shelf(shelf.root, {name: card for name, card in shelf.models.items() if votes(card)}, {})


def ask_jury(shelf: Shelf, photo: Photo, facts: Facts) -> tuple[Jury | None, CountedEstimate | None]:
    """The jury's answer, and how often it was right at this level of agreement; None where there are not two networks."""
    opinions = read_with_all(jurors(shelf), photo, facts)
    if len(opinions) < 2:
        return None, None
    jury = convene({o.name: o.reading.probabilities for o in opinions})
    record = kept_jury_record(shelf, tuple(jury.votes))
    return jury, record.right.get(jury.agreeing) if record else None


def kept_jury_record(shelf: Shelf, names: tuple[str, ...]) -> JuryRecord | None:
    """How these networks' majorities fared on the held-out photos; None where one of them was never evaluated."""
    evaluated, _ = read_evaluated(shelf)
    if not set(names) <= set(evaluated):
        return None
    chosen = {name: evaluated[name] for name in names}
    return _record(tuple(m.key for m in chosen.values()), {n: m.results for n, m in chosen.items()})


def draw_jury(jury: Jury | None, right: CountedEstimate | None) -> None:
    """The verdict, the dissent, and what such agreement was worth."""
    st.markdown("##### The jury: all networks on this photo")
    if jury is None:
        st.caption("A jury needs two networks. Train another, or restore it into `weights/`, and it votes here.")
        return
    st.markdown(f"**{jury.headline}.** {jury_worth(jury, right)}")
    if jury.dissent:
        st.markdown(plain(jury.dissent))
    likely = sorted(CODES, key=jury.probabilities.__getitem__, reverse=True)[:3]
    st.caption(
        f"Mean of their probabilities: {', '.join(f'{NAMES[c]} {percent(jury.probabilities[c])}' for c in likely)}. Entropy "
        f"{jury.entropy:.1f} bits, of at most {math.log2(len(CODES)):.1f}. They learnt from the same photos, so they share mistakes; "
        "*Compare backbones* shows each of them."
    )


def jury_worth(jury: Jury, right: CountedEstimate | None) -> str:
    """How often a majority of this size was right, in a sentence."""
    if right is None:
        return "How often such a majority is right was not measured: not all of these networks were evaluated on common held-out photos."
    return f"Where {jury.agreeing} of {len(jury.votes)} agreed, they were right in {rate(right)} of {right.photos:,} held-out photos."


@st.cache_resource(max_entries=16, show_spinner="Counting the held-out photos' votes")
def _record(keys: tuple, _results: dict[str, Results]) -> JuryRecord | None:
    try:
        return jury_record(_results)
    except ValueError:
        return None
