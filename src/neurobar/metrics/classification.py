"""Scores of a classifier with two classes."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import accuracy_score, precision_score, recall_score


def threshold_scores(*, label: np.ndarray, probability: np.ndarray, threshold: float) -> dict[str, float]:
    """Score a classifier at one threshold.

    Parameters
    ----------
    label : int (n,)
        0 or 1.
    probability : float (n,)
        Predicted probability of class 1.
    threshold : float
        Probability from which a scan counts as class 1.

    Returns
    -------
    dict of str to float
        `precision`, `recall` and `accuracy` [0..1]; a score that is undefined is NaN.

    Raises
    ------
    ValueError
        If there is no scan, or a probability is not a number from 0 to 1.
    """
    probability = np.asarray(probability, np.float64)
    if not len(probability) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("Scores need at least one probability, each from 0 to 1.")
    predicted = (probability >= threshold).astype(int)
    return {
        "precision": float(precision_score(label, predicted, zero_division=np.nan)),
        "recall": float(recall_score(label, predicted, zero_division=np.nan)),
        "accuracy": float(accuracy_score(label, predicted)),
    }
