"""Patient facts (age, sex, body site) and their 21-number encoding."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SEXES: tuple[str, ...] = ("female", "male", "unknown")
SITES: tuple[str, ...] = (
    "abdomen",
    "acral",
    "back",
    "chest",
    "ear",
    "face",
    "foot",
    "genital",
    "hand",
    "lower extremity",
    "neck",
    "scalp",
    "trunk",
    "unknown",
    "upper extremity",
)
MAX_AGE = 120.0
FEATURES: tuple[str, ...] = (
    "age_z",
    "age_missing",
    *(f"sex_{s}" for s in SEXES),
    *(f"site_{s.replace(' ', '_')}" for s in SITES),
    "site_other",
)
METADATA_WIDTH = len(FEATURES)
# The columns of each fact, so that one can be withheld.
_FACT_COLUMNS = (slice(0, 2), slice(2, 2 + len(SEXES)), slice(2 + len(SEXES), METADATA_WIDTH))
_SEX_SLOTS = {sex: FEATURES.index(f"sex_{sex}") for sex in SEXES}
_SITE_SLOTS = {site: FEATURES.index(f"site_{site.replace(' ', '_')}") for site in SITES}
_OTHER_SITE = FEATURES.index("site_other")


class InvalidFacts(ValueError):
    """An age, sex or body site that cannot be a patient's."""


@dataclass(frozen=True)
class Facts:
    """What is known about the patient; every fact may be unknown.

    Args:
        age: years, 0 to 120, or None when unknown.
        sex: "female", "male" or "unknown".
        site: one of `SITES`, "unknown" among them.

    Raises:
        InvalidFacts: a value outside these.
    """

    age: float | None = None
    sex: str = "unknown"
    site: str = "unknown"

    def __post_init__(self):
        if self.age is not None:
            try:
                age = float(self.age)
            except (TypeError, ValueError):
                age = math.nan
            if not 0 <= age <= MAX_AGE:
                given = f"{age:g}" if isinstance(self.age, float) and math.isfinite(age) else repr(self.age)
                raise InvalidFacts(
                    f"Age {given} is not possible. Expected years from 0 to {MAX_AGE:.0f}, or leave it out when unknown."
                )
            object.__setattr__(self, "age", age)
        if self.sex not in SEXES:
            raise InvalidFacts(f"Unknown sex {self.sex!r}. Expected one of: {', '.join(SEXES)}.")
        if self.site not in SITES:
            raise InvalidFacts(f"Unknown body site {self.site!r}. Expected one of: {', '.join(SITES)}.")


@dataclass(frozen=True)
class FactsEncoder:
    """Encodes facts as the network's metadata vector (D = 21).

    Order: z-scored age (0 when missing), age-missing flag, 3 sexes, 15 sites, other site. Unknown has a slot of its own.

    Reference: docs/reproduction.md, section 4, "Melascope". `age_mean` and `age_sd` come from training rows only.
    """

    age_mean: float
    age_sd: float

    def encode(self, facts: Facts) -> np.ndarray:
        """Returns the metadata vector, shape (21,), float32."""
        return _encode(self, facts).copy()

    def encode_columns(self, ages: Iterable, sexes: Iterable[str], sites: Iterable[str]) -> np.ndarray:
        """Encodes N rows; sites outside the vocabulary go to "other", sexes outside it to "unknown".

        Returns:
            Metadata, shape (N, 21), float32.
        """
        ages = np.array([np.nan if a is None else a for a in ages], dtype="float32")
        out = np.zeros((len(ages), METADATA_WIDTH), "float32")
        missing = np.isnan(ages)
        out[:, 0] = np.where(missing, 0.0, (np.nan_to_num(ages) - self.age_mean) / self.age_sd)
        out[:, 1] = missing
        rows = np.arange(len(ages))
        out[rows, [_SEX_SLOTS.get(sex, _SEX_SLOTS["unknown"]) for sex in sexes]] = 1
        out[rows, [_SITE_SLOTS.get(site, _OTHER_SITE) for site in sites]] = 1
        return out


@lru_cache(maxsize=256)
def _encode(encoder: FactsEncoder, facts: Facts) -> np.ndarray:
    return encoder.encode_columns([facts.age], [facts.sex], [facts.site])[0]


def withhold_facts(
    metadata: np.ndarray, chance: float, unknown: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Metadata in which facts are withheld by chance, each (age, sex, site) by itself.

    Args:
        metadata: (N, 21).
        chance: probability with which a fact is withheld.
        unknown: (21,), of a patient of whom nothing is known; not needed where nothing is withheld.

    Raises:
        ValueError: facts are to be withheld, and there is no `unknown`.
    """
    if not chance:
        return metadata
    if unknown is None:
        raise ValueError(
            "Facts cannot be withheld without `unknown`, the metadata of a patient of whom nothing is known."
        )
    metadata = metadata.copy()
    for columns in _FACT_COLUMNS:
        hidden = rng.random(len(metadata)) < chance
        metadata[hidden, columns] = unknown[columns]
    return metadata


def fit_encoder(ages: Iterable) -> FactsEncoder:
    """Age mean and standard deviation from the training rows' known ages, in years."""
    known = np.array([a for a in ages if a is not None and not math.isnan(a)], dtype="float64")
    if known.size == 0:
        return FactsEncoder(age_mean=50.0, age_sd=17.0)
    return FactsEncoder(age_mean=float(known.mean()), age_sd=float(known.std() or 1.0))
