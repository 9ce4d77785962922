"""How sure a score or a difference of scores is."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def draw_counts(*, subjects: int, replicates: int, seed: int) -> np.ndarray:
    """Draw subjects with replacement.

    All scans of a subject come and go together, since they are no independent cases. Equal arguments give equal
    draws, so that tasks that were tested on the same subjects are compared on the same draws.

    Parameters
    ----------
    subjects : int
        Number of subjects S.
    replicates : int
        Number of draws R.
    seed : int

    Returns
    -------
    int64 (R, S)
        How often each subject was drawn; each row adds up to S.

    Notes
    -----
    Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    return np.random.default_rng(seed).multinomial(subjects, np.full(subjects, 1 / subjects), size=replicates)


def percentile_interval(replicates: np.ndarray) -> tuple[float, float]:
    """Find the interval that holds the middle 95 % of the replicates.

    Parameters
    ----------
    replicates : float (R,)
        NaN where undefined; these are left out.

    Returns
    -------
    low, high : float
        NaN where fewer than half of the replicates are defined.

    Notes
    -----
    It is too short for few subjects: for the mean of a normal variable it held the truth in 87 % of samples of 8
    subjects, 91 % of 20, 94 % of 60 and 95 % of 200. Where all subjects count alike it has no length at all.
    """
    defined = _defined(replicates)
    if not len(defined):
        return math.nan, math.nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_p_value(replicates: np.ndarray) -> float:
    """Test whether a difference is zero, by the share of its replicates on the other side of zero.

    Parameters
    ----------
    replicates : float (R,)
        Differences; NaN where undefined, these are left out.

    Returns
    -------
    float
        Two-sided p value, 2 / (R + 1) at least; NaN where fewer than half of the replicates are defined.

    Notes
    -----
    It is the inverse of `percentile_interval`: below 0.05 where that interval is beyond zero. The one that is added to
    count and number stands for the sample itself; Davison and Hinkley 1997, section 4.2.
    """
    defined = _defined(replicates)
    if not len(defined):
        return math.nan
    count = min((defined <= 0).sum(), (defined >= 0).sum())
    return float(min(1, 2 * (1 + count) / (1 + len(defined))))


def corrected_t_test(differences: np.ndarray, *, test_over_train: float) -> tuple[float, float]:
    """Test whether the mean difference over folds is zero, knowing that folds share their training cases.

    Parameters
    ----------
    differences : float (J,)
        One for each fold; NaN where undefined, these are left out.
    test_over_train : float
        Number of test cases over that of training cases.

    Returns
    -------
    t, p : float
        Statistic with J - 1 degrees of freedom and two-sided p value; NaN with fewer than two folds or where all
        differences are equal.

    Notes
    -----
    Source: Nadeau and Bengio, Machine Learning 52, 2003, the corrected resampled t-test. It was derived for test sets
    that are drawn anew with each training set; ours is the same for all folds.
    """
    defined = differences[~np.isnan(differences)]
    if len(defined) < 2 or np.ptp(defined) < 1e-12:
        return math.nan, math.nan
    variance = (1 / len(defined) + test_over_train) * defined.var(ddof=1)
    t = float(defined.mean() / np.sqrt(variance))
    return t, float(2 * stats.t.sf(abs(t), len(defined) - 1))


def _defined(replicates: np.ndarray) -> np.ndarray:
    # What is left of a minority of the draws would tell of lucky draws, not of the score.
    defined = replicates[~np.isnan(replicates)]
    return defined if 2 * len(defined) >= len(replicates) else defined[:0]
