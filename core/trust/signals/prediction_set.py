"""The 90 % set: the diagnoses that a photo's probabilities cannot rule out, calibrated on the validation lesions.

Class-conditional (Mondrian) split conformal prediction. A diagnosis is in the set when its probability is at least as high
as it was for nine in ten of the validation lesions that truly had this diagnosis. So each diagnosis, however rare, is missed
in at most one lesion in ten, as far as new lesions resemble those of validation; a set calibrated over all photos alike
would reach its 90 % with nevi and miss melanomas.

Photos of one lesion are not independent. Each lesion therefore weighs the same, whatever its number of photos, and the
number that a threshold rests on is that of lesions. The weighted quantile with one part in K + 1 at infinity keeps the
guarantee for a photo of a new lesion: of lesions, each shown by one of its photos, nine in ten. So the coverage that is
measured against the promise counts lesions, too: each by the share of its photos whose set holds its diagnosis. The
coverage of photos stands beside it, and may be lower, where lesions of many photos are the harder ones.

Validation is used a second time here (a third, where it also fitted the calibration): the epoch was chosen on the same
lesions, so their probabilities are a little higher than those of new lesions, and the coverage may fall a little short of
the promise. The test part chose nothing; what is reported is measured there.

Below 9 lesions no threshold can promise 90 %. A diagnosis with so few is calibrated together with the next rarest until
9 are reached; the promise then holds for these together, and the page says so. (Naming it in every set instead would
keep the promise and tell nobody anything.)

Reference: V. Vovk, "Conditional validity of inductive conformal predictors", ACML 2012; M. Sadinle, J. Lei,
L. Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019; Y. Lee, R. F. Barber,
R. Willett, "Distribution-free inference with hierarchical data", 2023.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.diagnoses import CODES, MALIGNANT, NAMES

if TYPE_CHECKING:  # at run time this would load TensorFlow, and pages build sets without it
    pass

SET_LEVEL = 0.9
# A differential of more than half the seven diagnoses rules too little out to be of use.
LARGEST_SET = 3


@dataclass(frozen=True)
class PredictionSet:
    """What a photo's probabilities cannot rule out.

    Args:
        codes: of the diagnoses, the likeliest first; never empty.
        level: share of lesions whose diagnosis is to be in the set.
        unusual: no diagnosis is as probable as it usually is where it is true; `codes` then holds the likeliest alone.
    """

    codes: tuple[str, ...]
    level: float
    unusual: bool

    @property
    def abstains(self) -> bool:
        """Whether the honest answer is "the network does not know"."""
        return self.unusual or len(self.codes) > LARGEST_SET

    @property
    def malignant(self) -> tuple[str, ...]:
        """The malignant and pre-malignant diagnoses among them."""
        return tuple(c for c in self.codes if MALIGNANT[CODES.index(c)])

    @property
    def words(self) -> str:
        """As a differential, such as "90 % set: melanoma, melanocytic nevus"."""
        names = [NAMES[c] for c in self.codes]
        return f"{self.level * 100:.0f} % set: {', '.join([names[0], *(n[0].lower() + n[1:] for n in names[1:])])}"

    @property
    def doubt(self) -> str:
        """Why the network does not know, in words; empty where it abstains not."""
        if self.unusual:
            return (
                "No diagnosis is as probable here as it usually is where it is true. The photo is unlike those that the network "
                "learnt from, or shows something else."
            )
        if self.abstains:
            return (
                f"{len(self.codes)} of the {len(CODES)} diagnoses cannot be ruled out, which is too many to be of use."
            )
        return ""


def build_set(probabilities: dict[str, float], record: dict) -> PredictionSet:
    """The set of a photo.

    Args:
        probabilities: code -> calibrated probability, as in a reading.
        record: of `set.json`, from `read_measure`.
    """
    thresholds = record["thresholds"]
    ranked = sorted(CODES, key=lambda code: -probabilities[code])
    # A hair's breadth is rounding: one photo at a time and a batch differ in the last bits.
    within = tuple(c for c in ranked if probabilities[c] >= thresholds[c]["probability"] - 1e-6)
    return PredictionSet(within or (ranked[0],), float(record["level"]), not within)
