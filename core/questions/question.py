"""What is asked about a photo, checked before any model is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.framing.crop import NONE, Crop
from core.data.patient import Facts
from core.diagnoses import index_of
from core.explain import find_explainer
from core.prevalence import Mixture
from core.reading import METHOD


@dataclass(frozen=True)
class Words:
    """What those who ask call what they may ask for; stands in the sentences of an answer.

    Args:
        force, header: that a photo is read anyway, and that facts are taken from its header.
        facts: age, sex and body site.
        crop: that the suggested square is read.
    """

    force: str = "--force"
    header: str = "--header-facts"
    facts: str = "--age, --sex and --site"
    crop: str = "--crop auto"


@dataclass(frozen=True)
class Question:
    """What is asked about a photo.

    Args:
        facts: about its patient.
        method: key into `EXPLAINERS`, of the heatmap.
        target: code of the diagnosis to explain; the likeliest when None.
        mixture: of diagnoses where the photo comes from; None leaves the probabilities as they were calibrated.
        threshold: the reader's, on the probability of melanoma; None asks for no decision.
        force: reads also what the photo gate refuses.
        jury: asks the other networks, too.
        use_header: takes from a DICOM header what `facts` leaves open.
        crop: the square of the photo that is read, `AUTO` or `NONE`: see `core.data.framing.framed.frame_photo`.
        words: of those who ask.

    Raises:
        ValueError: an unknown method or diagnosis, or a threshold that is no probability.
    """

    facts: Facts = Facts()
    method: str = METHOD
    target: str | None = None
    mixture: Mixture | None = None
    threshold: float | None = None
    force: bool = False
    jury: bool = True
    use_header: bool = False
    crop: Crop | str = NONE
    words: Words = Words()

    def __post_init__(self):
        find_explainer(self.method)
        if self.target is not None:
            index_of(self.target)
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ValueError(
                f"A threshold of {self.threshold:g} is not possible. Expected a probability of melanoma between 0 and 1, such as 0.2."
            )

    def digest(self) -> dict:
        """What an answer depends on, as plain values."""
        return {
            "facts": vars(self.facts),
            "asked": [self.method, self.target, self.force, self.jury, self.use_header, self.threshold],
            "crop": str(self.crop),
            "mixture": self.mixture.to_json() if self.mixture else None,
        }


def read_facts(age: str | float | None, sex: str, site: str) -> Facts:
    """A patient's facts as people type them.

    Raises:
        InvalidFacts: an age, sex or body site that cannot be a patient's.
    """
    if isinstance(age, str) and age.strip().lower() in ("", "unknown"):
        age = None
    return Facts(age, sex.strip().lower() or "unknown", site.strip().lower().replace("_", " ") or "unknown")
