"""Two arms of a reader study compared over readers and cases: Obuchowski and Rockette's test with Hillis' degrees of freedom."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.estimates import Estimate
from core.teaching.studies.auc import auc_covariances, auc_matrix

LEVEL = 0.95


@dataclass(frozen=True)
class Components:
    """What the test is made of: mean squares of the areas, and the mean (co)variances of their errors over cases.

    Args:
        ms_arm, ms_reader, ms_arm_reader: mean squares; that of readers is None with a single reader.
        variance: of one reader's area in one arm.
        cov1: same reader, other arm. cov2: other reader, same arm. cov3: other reader, other arm.
    """

    ms_arm: float
    ms_reader: float
    ms_arm_reader: float
    variance: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True)
class ArmComparison:
    """One test of "both arms are alike".

    Args:
        holds_for: whom the conclusion is about, as a sentence part.
        difference: mean area in the second arm minus that in the first.
        standard_error: of it.
        low, high: 95 % interval of the difference.
        statistic: F, or chi-square where `df2` is None.
        df1, df2: degrees of freedom.
        p: None where there is no variation to compare with.
    """

    holds_for: str
    difference: float
    standard_error: float
    low: float | None
    high: float | None
    statistic: float | None
    df1: int
    df2: float | None
    p: float | None

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.difference, self.low, self.high)


@dataclass(frozen=True)
class ArmArea(Estimate):
    """The mean area of the readers in one arm, from that arm's readings alone; interval for readers and cases alike.

    Args:
        df: degrees of freedom.
    """

    df: float | None = None


@dataclass(frozen=True, eq=False)
class ArmsTest:
    """The analysis of a study of two arms.

    Args:
        areas: of each reader in each arm, (2, R).
        arms: mean area of each arm.
        components: of the test.
        readers_and_cases: the main test: for readers and cases like these. The others hold for less.
        these_readers: for these very readers, and cases like these.
        these_cases: for readers like these, and these very cases.
        method: how the covariances were estimated.
    """

    areas: np.ndarray
    arms: tuple[ArmArea, ArmArea]
    components: Components
    readers_and_cases: ArmComparison
    these_readers: ArmComparison
    these_cases: ArmComparison
    method: str


def compare_arms(ratings: np.ndarray, truth: np.ndarray, method: str = "jackknife") -> ArmsTest:
    """Tests whether readers tell diseased cases from healthy ones as well in one arm as in the other.

    Every reader has read every case in both arms.

    Reference: Obuchowski and Rockette 1995, Commun Stat Simul 24:285; degrees of freedom: Hillis 2007, Stat Med 26:596; intervals
    of one arm and of fixed factors: Hillis 2014, Stat Med 33:330.

    Args:
        ratings: (2, R, N): arm, reader, case; higher is more suspicious.
        truth: (N,) bool.
        method: key of `auc.METHODS`.

    Raises:
        ValueError: shapes that do not fit, a missing rating, fewer than two readers, or fewer than two cases of a kind.
    """
    ratings, truth = _checked(ratings, truth)
    arms, readers, _ = ratings.shape
    sets = ratings.reshape(arms * readers, -1)
    areas = auc_matrix(sets, truth).reshape(arms, readers)
    covariances = auc_covariances(sets, truth, method).reshape(arms, readers, arms, readers)
    components = _components(areas, covariances)
    # Each covariance is an estimate and may come out below another one that it cannot be below.
    between = readers * max(components.cov2 - components.cov3, 0.0)
    difference = float(areas[1].mean() - areas[0].mean())
    main, cases_only = components.ms_arm_reader + between, components.ms_arm_reader
    readers_only = max(
        components.variance - components.cov1 + (readers - 1) * max(components.cov2 - components.cov3, 0.0), 0.0
    )
    reader_df = readers - 1  # (arms - 1) (readers - 1)
    main_df = main**2 * reader_df / components.ms_arm_reader**2 if components.ms_arm_reader > 0 else np.inf
    return ArmsTest(
        areas=areas,
        arms=(_one_arm(areas[0], covariances[0, :, 0]), _one_arm(areas[1], covariances[1, :, 1])),
        components=components,
        readers_and_cases=_test("readers and cases like these", difference, components.ms_arm, main, readers, main_df),
        these_readers=_test(
            "these readers, and cases like these", difference, components.ms_arm, readers_only, readers, None
        ),
        these_cases=_test(
            "readers like these, and these cases", difference, components.ms_arm, cases_only, readers, reader_df
        ),
        method=method,
    )


def _checked(ratings: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ratings, truth = np.asarray(ratings, "float64"), np.asarray(truth)
    if ratings.ndim != 3 or ratings.shape[0] != 2 or truth.shape != ratings.shape[2:]:
        raise ValueError(
            f"Got ratings of shape {ratings.shape} and truth of shape {truth.shape}. Expected (2 arms, readers, cases) and (cases,)."
        )
    truth = truth.astype(bool)
    missing = int(np.isnan(ratings).sum())
    if missing or not np.isfinite(ratings).all():
        raise ValueError(
            f"{missing or 'Some'} ratings are missing or not finite. The test needs every reader to have read every case in both arms; "
            "leave out readers or cases that are not complete."
        )
    if ratings.shape[1] < 2:
        raise ValueError(
            f"The study has {ratings.shape[1]} complete readers. Expected two or more: one reader says nothing about others."
        )
    if min(truth.sum(), (~truth).sum()) < 2:
        raise ValueError(
            f"The study has {truth.sum()} cases with the disease and {(~truth).sum()} without. Expected two or more of each."
        )
    return ratings, truth


def _components(areas: np.ndarray, covariances: np.ndarray) -> Components:
    arms, readers = areas.shape
    by_arm, by_reader, mean = areas.mean(axis=1), areas.mean(axis=0), areas.mean()
    rest = areas - by_arm[:, None] - by_reader[None, :] + mean
    same_arm, same_reader = np.eye(arms, dtype=bool), np.eye(readers, dtype=bool)

    def mean_where(arm: bool, reader: bool) -> float:
        chosen = (same_arm == arm)[:, None, :, None] & (same_reader == reader)[None, :, None, :]
        return float(covariances[np.broadcast_to(chosen, covariances.shape)].mean())

    return Components(
        ms_arm=float(readers * ((by_arm - mean) ** 2).sum() / (arms - 1)),
        ms_reader=float(arms * ((by_reader - mean) ** 2).sum() / (readers - 1)),
        ms_arm_reader=float((rest**2).sum() / ((arms - 1) * (readers - 1))),
        variance=mean_where(True, True),
        cov1=mean_where(False, True),
        cov2=mean_where(True, False),
        cov3=mean_where(False, False),
    )


def _test(
    holds_for: str, difference: float, ms_arm: float, error: float, readers: int, df2: float | None
) -> ArmComparison:
    """A test of the arms' mean square against an error term; `df2` None makes it a chi-square test."""
    # Areas are sums of some thousand halves: what differs less than this is rounding.
    if error <= 1e-18:
        return ArmComparison(holds_for, difference, 0.0, None, None, None, 1, df2, None)
    statistic, standard_error = ms_arm / error, float(np.sqrt(2 * error / readers))
    if df2 is None or np.isinf(df2):
        reach, p = stats.norm.ppf((1 + LEVEL) / 2), stats.chi2.sf(statistic, 1)
        df2 = None
    else:
        reach, p = stats.t.ppf((1 + LEVEL) / 2, df2), stats.f.sf(statistic, 1, df2)
    reach = float(reach) * standard_error
    return ArmComparison(
        holds_for,
        difference,
        standard_error,
        difference - reach,
        difference + reach,
        float(statistic),
        1,
        df2,
        float(p),
    )


def _one_arm(areas: np.ndarray, covariances: np.ndarray) -> ArmArea:
    readers, value = len(areas), float(areas.mean())
    ms = float(areas.var(ddof=1))
    cov2 = float(covariances[~np.eye(readers, dtype=bool)].mean())
    error = ms + readers * max(cov2, 0.0)
    if error <= 1e-18 or ms <= 1e-18:
        return ArmArea(value, None, None, None)
    df = error**2 * (readers - 1) / ms**2
    reach = float(stats.t.ppf((1 + LEVEL) / 2, df)) * float(np.sqrt(error / readers))
    return ArmArea(value, max(0.0, value - reach), min(1.0, value + reach), df)
