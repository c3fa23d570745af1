"""What the network says of a case, as a class or a reader is shown it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.diagnoses import CODES
from core.evaluation.results import Results


class InvalidAdvice(ValueError):
    """Probabilities that are none."""


@dataclass(frozen=True)
class Advice:
    """A network's answer to one case.

    Args:
        model: whose answer it is.
        probabilities: code -> calibrated probability, of all seven.
        really: code of what the network answered before it was made wrong on purpose (see `quiz.faulty`); None where it was not.
            Only the end tells a learner.

    Raises:
        InvalidAdvice: not seven probabilities that add up to 1.
    """

    model: str
    probabilities: dict[str, float]
    really: str | None = None

    def __post_init__(self):
        values = self.probabilities
        fits = isinstance(values, dict) and set(values) == set(CODES) and isinstance(self.model, str)
        if self.really is not None and self.really not in CODES:
            raise InvalidAdvice(
                f"The network is said to have answered {self.really!r:.40}. Expected one of: {', '.join(CODES)}."
            )
        if not fits or not all(isinstance(p, float | int) and 0 <= p <= 1 for p in values.values()):
            raise InvalidAdvice(
                f"The network's answer is {values!r:.120}. Expected a probability for each of {', '.join(CODES)}."
            )
        if abs(sum(values.values()) - 1) > 1e-3:
            raise InvalidAdvice(f"The network's probabilities add up to {sum(values.values()):.4f}. Expected 1.")
        object.__setattr__(self, "probabilities", {code: float(values[code]) for code in CODES})

    @property
    def answer(self) -> str:
        """Code of the likeliest diagnosis."""
        return max(CODES, key=self.probabilities.__getitem__)

    @property
    def faulty(self) -> bool:
        """Whether it was made wrong on purpose."""
        return self.really is not None

    def disguised(self) -> "Advice":
        """The same without a word on whether it was made wrong."""
        return Advice(self.model, self.probabilities)

    def to_record(self) -> dict:
        return {"model": self.model, "probabilities": self.probabilities, "really": self.really}


def advice_from_record(record: dict | None) -> Advice | None:
    """The opposite of `to_record`; None stays None."""
    return None if record is None else Advice(record["model"], record["probabilities"], record["really"])


def advice_of_test_photos(results: Results, ids: Iterable[str], model: str) -> dict[str, Advice]:
    """What a model said of photos of its test part: id -> answer; photos outside it are left out."""
    places = {image_id: place for place, image_id in enumerate(results.table.image_id)}
    return {
        i: Advice(model, dict(zip(CODES, map(float, _normal(results.probabilities[places[i]])), strict=True)))
        for i in ids
        if i in places
    }


def _normal(probabilities: np.ndarray) -> np.ndarray:
    return probabilities / probabilities.sum()
