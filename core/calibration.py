"""The calibration that travels with weights: what turns a network's logits into probabilities that mean what they say."""

from dataclasses import asdict, dataclass, field

import numpy as np

from core.choices import check_choice
from core.diagnoses import CODES

WEIGHINGS = ("photos", "lesions")
FLAT = (0.0,) * len(CODES)


@dataclass(frozen=True)
class Calibration:
    """A temperature and a bias for each diagnosis, and what they were fitted on.

    The probabilities are softmax(logits / temperature + biases). They hold where the diagnoses are as common as among the
    photos that they were fitted on.

    Reference: Guo et al. 2017, "On calibration of modern neural networks", arXiv 1706.04599 (temperature; with biases it lies
    between that and their vector scaling); Alexandari et al. 2020, arXiv 1901.06852 (bias-corrected temperature scaling).

    Args:
        temperature: divides the logits.
        biases: (7,), added to the divided logits, in the order of `CODES`.
        photos, lesions: that it was fitted on; 0 where it was not fitted.
        weighing: "photos" or "lesions": which of them counted alike in the fit.
        regularisation: of the fit; see `core.training.calibration.fit_calibration`.
        log_loss_before, log_loss_after: mean over the photos of the negative log probability of the true diagnosis, nats, by
            the bare logits and by this calibration; None where it was not fitted.
        cross_validated: weighing -> that loss on lesions left out of the fit: what chose the weighing.
    """

    temperature: float
    biases: tuple[float, ...] = FLAT
    photos: int = 0
    lesions: int = 0
    weighing: str = "photos"
    regularisation: float = 0.0
    log_loss_before: float | None = None
    log_loss_after: float | None = None
    cross_validated: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "biases", tuple(float(b) for b in self.biases))
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"A temperature of {self.temperature!r} is not possible. Expected a number above 0.")
        if len(self.biases) != len(CODES) or not np.isfinite(self.biases).all():
            raise ValueError(f"The biases {self.biases} are not possible. Expected {len(CODES)} finite numbers.")
        check_choice("weighing", self.weighing, WEIGHINGS)

    def logits(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated logits, (..., 7) float64."""
        return np.asarray(logits, dtype="float64") / self.temperature + np.array(self.biases)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of logits, (..., 7) float64."""
        scaled = self.logits(logits)
        powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def to_json(self) -> dict:
        """As plain values."""
        return {**asdict(self), "biases": list(self.biases)}

    @property
    def words(self) -> str:
        """What was fitted on what, in one sentence without a full stop."""
        biases = ", ".join(f"{code} {bias:+z.2f}" for code, bias in zip(CODES, self.biases, strict=True))
        text = f"temperature {self.temperature:.2f}, biases {biases}"
        if not self.photos:
            return text
        alike = "each photo" if self.weighing == "photos" else "each lesion"
        return (
            f"{text}; fitted on {self.photos:,} validation photos of {self.lesions:,} lesions, {alike} counting alike"
        )
