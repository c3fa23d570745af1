"""What if the facts were others: one photo's answer for every age, sex and site, without the facts, and where a fact is unknown.

Age, sex and site move a network's answer as they move a doctor's, and a wrong entry moves it too. Where a fact is not
known, no single guess is made: the answer is worked out for the patients of the training photos who share the known facts,
and given as their mean and the range of the middle 90 %.

Only the head runs, on the photo's kept feature map.

Reference: A. Goldstein et al., "Peeking inside the black box: visualizing statistical learning with plots of individual
conditional expectation", J Comput Graph Stat 2015.
"""

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from core.data.patient import SEXES, SITES, Facts
from core.diagnoses import CODES, MELANOMA, NAMES
from core.prevalence import Mixture
from core.threads import once
from core.wording import listed, percent

if TYPE_CHECKING:  # at run time these would load TensorFlow
    from core.reading import EncodedPhoto

AGES = tuple(range(0, 91, 5))
# Patients of this age and so many years older or younger stand for one of a known age.
NEARBY = 5
# With fewer training lesions than this that share the known facts, all of them stand in.
FEWEST = 30
MIDDLE = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Expected:
    """The answer over patients whose unknown facts are filled in from the training photos.

    Args:
        mean, low, high: (7,), probabilities; low and high bound the middle 90 % of patients.
        tops: code -> share of patients for whom it is the likeliest diagnosis.
        lesions: training lesions behind it.
        unknown: the facts that were filled in, in words.
        matched: whether those lesions share the known facts; else too few do, and all stand in.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    tops: dict[str, float]
    lesions: int
    unknown: tuple[str, ...]
    matched: bool


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One photo's probabilities under other facts; every array ends in the seven diagnoses, in output order.

    Args:
        facts: as entered.
        entered: (7,), the answer itself.
        withheld: (7,), with all facts unknown.
        ages: years, of `by_age`.
        by_age: sex -> (A, 7), at the entered site.
        by_sex, by_site: value -> (7,), all else as entered.
        expected: None where all facts are known, or no training facts are at hand.
    """

    facts: Facts
    entered: np.ndarray
    withheld: np.ndarray
    ages: tuple[int, ...]
    by_age: dict[str, np.ndarray]
    by_sex: dict[str, np.ndarray]
    by_site: dict[str, np.ndarray]
    expected: Expected | None

    @once
    def top(self) -> str:
        """Code of the likeliest diagnosis as entered."""
        return _top(self.entered)

    def warnings(self, threshold: float | None = None) -> tuple[str, ...]:
        """Sentences where the facts alone decide.

        Args:
            threshold: the reader's, on the probability of melanoma.
        """
        sentences = []
        before = _top(self.withheld)
        if before != self.top:
            sentences.append(
                f"The facts alone flip the answer: without them the network says {_name(before)}, not {_name(self.top)}. "
                "Check that they are right."
            )
        if threshold is not None:
            with_facts, without = self.entered[MELANOMA] >= threshold, self.withheld[MELANOMA] >= threshold
            if with_facts != without:
                side = ("below", "at or above")
                sentences.append(
                    f"The facts alone carry melanoma over your threshold: {side[int(without)]} it without them, "
                    f"{side[int(with_facts)]} it with them."
                )
        if self.expected is not None:
            share = 1 - self.expected.tops.get(self.top, 0.0)
            if share >= 0.05:
                sentences.append(
                    f"{listed(list(self.expected.unknown)).capitalize()} would matter: with the facts of {percent(share)} of such patients "
                    f"this photo's likeliest diagnosis is not {_name(self.top)}."
                )
        return tuple(sentences)


def sweep_facts(
    encoded: "EncodedPhoto",
    facts: Facts,
    record: dict | None = None,
    mixture: Mixture | None = None,
) -> WhatIf:
    """Asks the head about one photo under all these facts, in one call.

    Args:
        encoded: the photo, by `core.reading.encode_photo`.
        facts: as entered.
        record: of `facts.json`, from `read_measure`; without it no unknown fact is filled in.
        mixture: of diagnoses where the photo comes from; None leaves probabilities as they were calibrated.
    """
    bundle = encoded.bundle
    asked = [(facts.age, facts.sex, facts.site), (None, "unknown", "unknown")]
    asked += [(age, sex, facts.site) for sex in SEXES for age in AGES]
    asked += [(facts.age, sex, facts.site) for sex in SEXES]
    asked += [(facts.age, facts.sex, site) for site in SITES]
    filled = _fill_in(facts, record) if record else None
    if filled:
        asked += filled[0]
    metadata = bundle.card.facts_encoder.encode_columns(*zip(*asked, strict=True))
    probabilities = bundle.card.calibration.probabilities(bundle.engine.head(encoded.feature_map, metadata)[0])
    if mixture is not None:
        probabilities = mixture.apply(probabilities, bundle.card.calibrated_shares)
    parts = np.split(probabilities, np.cumsum([1, 1, len(SEXES) * len(AGES), len(SEXES), len(SITES)]))
    return WhatIf(
        facts,
        parts[0][0],
        parts[1][0],
        AGES,
        dict(zip(SEXES, parts[2].reshape(len(SEXES), len(AGES), -1), strict=True)),
        dict(zip(SEXES, parts[3], strict=True)),
        dict(zip(SITES, parts[4], strict=True)),
        _expect(parts[5], *filled[1:]) if filled else None,
    )


def _fill_in(facts: Facts, record: dict) -> tuple[list[tuple], np.ndarray, int, tuple[str, ...], bool] | None:
    """The patients (age, sex, site) who stand in for one with unknown facts, their weights, and what to say of them."""
    no_age, no_sex, no_site = facts.age is None, facts.sex == "unknown", facts.site == "unknown"
    unknown = tuple(compress(("age", "sex", "body site"), (no_age, no_sex, no_site)))
    if not unknown:
        return None
    # Lesions by the facts that stand in for the unknown ones: of all patients, and of those who share the known facts.
    everyone: dict[tuple, int] = {}
    alike: dict[tuple, int] = {}
    for age, sex, site, lesions in record["training_facts"]:
        if (no_age and age is None) or (no_sex and sex == "unknown") or (no_site and site == "unknown"):
            continue
        patient = age if no_age else facts.age, sex if no_sex else facts.sex, site if no_site else facts.site
        everyone[patient] = everyone.get(patient, 0) + lesions
        shares_age = no_age or (age is not None and abs(age - facts.age) <= NEARBY)
        if shares_age and (no_sex or sex == facts.sex) and (no_site or site == facts.site):
            alike[patient] = alike.get(patient, 0) + lesions
    if not everyone:
        return None
    matched = sum(alike.values()) >= FEWEST
    counts = alike if matched else everyone
    weights = np.array(list(counts.values()), "float64")
    return list(counts), weights, int(weights.sum()), unknown, matched


def _expect(
    probabilities: np.ndarray, weights: np.ndarray, lesions: int, unknown: tuple[str, ...], matched: bool
) -> Expected:
    shares = weights / weights.sum()
    low, high = np.quantile(probabilities, MIDDLE, axis=0, weights=shares, method="inverted_cdf")
    tops = probabilities.argmax(axis=1)
    named = {CODES[c]: float(shares[tops == c].sum()) for c in np.unique(tops)}
    return Expected(shares @ probabilities, low, high, named, lesions, unknown, matched)


def _top(probabilities: np.ndarray) -> str:
    return CODES[int(probabilities.argmax())]


def _name(code: str) -> str:
    return NAMES[code][0].lower() + NAMES[code][1:]
