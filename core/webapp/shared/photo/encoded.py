"""Photos as a network's encoder sees them, and what was said of them: worked out once for each photo and network."""

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from core.reading import Recent, encode_photo, join_encoded
from core.reading.encoded import ANSWERS
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.kept import Gradients, answers_of, is_kept, keep
from core.webapp.shared.photo.line import turn

if TYPE_CHECKING:
    from core.trust.signals.opinion import Opinion


def encode(bundle, photo: Photo):
    """A photo as the model's encoder sees it: the one slow step, done once for each photo and model.

    What is kept of it for all sessions holds neither the photo (which is kept by itself) nor what was asked with a patient's facts.
    """
    key = "encoded", bundle.name, bundle.card.probabilities_sha256, photo.hash

    def make():
        # An ensemble's members encode for themselves, so that the jury and Compare find what they have done. The networks of a
        # set vote as one: they encode side by side.
        members = [encode(member, photo) for member in bundle.members] if bundle.card.is_ensemble else []
        made = join_encoded(bundle, members) if members else encode_photo(bundle, photo.pixels, explain=False)
        return replace(made, photo=None)

    # The turn comes first: who waits for one must not hold what others with a turn wait for.
    with nullcontext() if is_kept(key) else turn():
        kept = keep(key, make, _encoded_bytes)
    answers = answers_of(key, lambda: Recent(ANSWERS))
    return replace(kept, photo=photo.pixels, answers=answers, changing_gradients=Gradients(key))


def opinion_of(signals, encoded) -> "Opinion":
    """Gate, whether the photo was seen before, and look-alikes of an encoded photo; kept with the photo."""
    from core.trust.signals.opinion import form_opinion

    # What was measured is kept until a file changes, so its identity stands for it. The key holds the signals themselves: the id of
    # signals that are gone may be given to new ones.
    return encoded.answers.get(("opinion", signals), lambda: form_opinion(signals, encoded, None))


def _encoded_bytes(encoded) -> int:
    arrays = (encoded.image, encoded.feature_map, encoded.gradients)
    return sum(a.nbytes for a in arrays if a is not None) + encoded.overlays.bytes
