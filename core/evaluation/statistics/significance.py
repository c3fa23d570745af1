"""Whether a difference is more than chance: p values of paired comparisons, and their correction for many."""

from collections.abc import Iterable, Sequence

import numpy as np

# With fewer lesions that lean to one of the models the chi-squared distribution is a poor guide, and all outcomes are counted instead.
FEWEST_FOR_CHI_SQUARED = 25


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact two-sided p value, for photos that are independent of one another.

    Photos of one lesion are not: see `clustered_mcnemar`.

    Reference: McNemar 1947, Psychometrika 12:153, in its exact binomial form.

    Args:
        only_a, only_b: photos that only the one model got right.
    """
    from scipy import stats

    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def clustered_mcnemar(right_a: np.ndarray, right_b: np.ndarray, lesions: Iterable) -> float:
    """McNemar's two-sided p value where photos of one lesion may be right or wrong together.

    Each lesion counts by d, how many more of its photos model a got right than model b. If neither model is better, d is as often above
    0 as below, whatever the photos of a lesion have in common, and (sum of d)^2 / (sum of d^2) follows chi-squared with one degree of
    freedom. With one photo a lesion this is McNemar's test. Below `FEWEST_FOR_CHI_SQUARED` lesions with d other than 0, the same sum
    is judged against every way to exchange the two models within lesions, which with one photo a lesion is McNemar's exact test.

    Reference: Obuchowski 1998, Stat Med 17:1495, in the form of Yang, Sun and Hardin 2010, Biom J 52:638 (there times (K - 1) / K for K
    lesions, which is 1 to three digits here). Durkalski et al. 2003, Stat Med 22:2417, weigh lesions alike instead of photos.

    Args:
        right_a, right_b: whether each model was right, (N,).
        lesions: lesion of each photo, (N,).
    """
    names, lesion = np.unique(np.asarray(list(lesions), dtype=str), return_inverse=True)
    apart = np.asarray(right_a, bool).astype("int64") - np.asarray(right_b, bool)
    leaning = np.bincount(lesion, apart, len(names)).astype("int64")
    leaning = leaning[leaning != 0]
    if not len(leaning):
        return 1.0
    if len(leaning) >= FEWEST_FOR_CHI_SQUARED:
        from scipy import stats

        return float(stats.chi2.sf(leaning.sum() ** 2 / (leaning**2).sum(), 1))
    # Counts of each possible sum, from -reach to reach, when every lesion's d may have either sign.
    reach, ways = int(np.abs(leaning).sum()), np.ones(1)
    for d in np.abs(leaning):
        step = np.zeros(2 * d + 1)
        step[[0, -1]] = 1
        ways = np.convolve(ways, step)
    as_far = np.abs(np.arange(-reach, reach + 1)) >= abs(int(leaning.sum()))
    return float(min(1.0, ways[as_far].sum() / ways.sum()))


def bootstrap_p(differences: np.ndarray) -> float | None:
    """Two-sided p value of no difference, from a difference in each of R resamples; None without any.

    The data themselves count as one more resample, so that p is never below 2 / (R + 1): R resamples cannot show more.

    Reference: Davison and Hinkley 1997, Bootstrap Methods and their Application, equation 4.11.

    Args:
        differences: (R,), NaN where undefined.
    """
    known = differences[~np.isnan(differences)]
    if not len(known):
        return None
    return float(min(1.0, 2 * (1 + min((known <= 0).sum(), (known >= 0).sum())) / (len(known) + 1)))


def holm(p: Sequence[float | None]) -> list[float]:
    """Holm's step-down correction of several p values, in their order; an undefined one counts as 1.

    Reference: Holm 1979, Scand J Stat 6:65.
    """
    values = np.array([1.0 if one is None else one for one in p])
    order = np.argsort(values, kind="stable")
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1, np.maximum.accumulate((len(values) - np.arange(len(values))) * values[order]))
    return corrected.tolist()
