"""Scores of a ranking against what should come first."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def precision_at(*, values: np.ndarray, relevant: np.ndarray, count: int) -> np.ndarray:
    """Part of the highest values that belong to relevant items.

    Parameters
    ----------
    values : float (..., K)
        One or more rankings of K items; of equal values the earlier item comes first.
    relevant : bool (K,)
        True for the items that should come first.
    count : int
        How many of the highest values are looked at, K at most.

    Returns
    -------
    float (...)
        From 0 to `min(relevant.sum(), count) / count`; by chance `relevant.mean()`.

    Raises
    ------
    ValueError
        If there are fewer items than are looked at.
    """
    if count > len(relevant):
        raise ValueError(f"Precision at {count} needs at least {count} items; there are {len(relevant)}.")
    highest = np.argsort(-values, axis=-1, kind="stable")[..., :count]
    return relevant[highest].mean(axis=-1)


def rank_correlation(*, values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of one or more rankings with the true values.

    Parameters
    ----------
    values : float (..., K)
    truth : float (K,)

    Returns
    -------
    float (...)
        From -1 to 1; 0 by chance. NaN where all values are equal.
    """
    ranks, true_ranks = (rankdata(array, axis=-1) for array in (values, truth))  # equal values share their mean rank
    ranks = ranks - ranks.mean(axis=-1, keepdims=True)
    true_ranks = true_ranks - true_ranks.mean()
    scale = np.sqrt((ranks**2).sum(axis=-1) * (true_ranks**2).sum())
    return np.divide(ranks @ true_ranks, scale, out=np.full_like(scale, np.nan), where=scale > 0)
