"""The scores of many weightings of the same cases at once, as a bootstrap needs them.

Scikit-learn scores one weighting in a call, some 10 ms for all scores; a table needs a hundred thousand.
"""

from __future__ import annotations

import numpy as np

from neurobar.metrics.classification import BINS, bins_of, check_predictions


def replicate_scores(
    *, label: np.ndarray, probability: np.ndarray, weights: np.ndarray, threshold: float
) -> dict[str, np.ndarray]:
    """Score a classifier on R weightings of the same cases.

    Parameters
    ----------
    label : int (n,)
        0 or 1.
    probability : float (n,)
        Predicted probability of class 1.
    weights : int (R, n)
        How often each case occurs in each replicate.
    threshold : float
        Probability from which a case counts as class 1.

    Returns
    -------
    dict of str to float (R,)
        The scores of `classification_scores` under the same names; NaN where undefined.

    Raises
    ------
    ValueError
        If the predictions cannot be scored.
    """
    label, probability = check_predictions(label, probability)
    weights = np.asarray(weights, np.float64)
    return {
        **_decision_scores(label == 1, probability >= threshold, weights),
        **_ranking_scores(label == 1, probability, weights),
        **_probability_scores(label, probability, weights),
    }


def _decision_scores(positive: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    cells = np.stack([positive & predicted, ~positive & predicted, positive & ~predicted, ~positive & ~predicted])
    tp, fp, fn, tn = (weights @ cells.T).T  # each (R,)
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    return {
        "precision": _ratio(tp, tp + fp),
        "recall": recall,
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
        "balanced_accuracy": (recall + specificity) / 2,
        "specificity": specificity,
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "mcc": _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
    }


def _ranking_scores(positive: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    order = np.argsort(-probability, kind="stable")
    # Cases of one probability stand or fall together: U distinct ones, the highest first.
    starts = np.flatnonzero(np.diff(-probability[order], prepend=-np.inf))
    hits, alarms = (
        np.add.reduceat(weights[:, order] * chosen[order], starts, axis=1)  # (R, U)
        for chosen in (positive, ~positive)
    )
    hits_above, alarms_above = hits.cumsum(axis=1), alarms.cumsum(axis=1)
    positives, negatives = hits_above[:, -1], alarms_above[:, -1]
    # A pair of a positive and a negative case is lost where the negative stands higher, and half lost in a tie.
    lost = (hits * (alarms_above - alarms / 2)).sum(axis=1)
    # Where nothing stands so high yet there are no hits either, so that the step counts nothing.
    precision = hits_above / np.maximum(hits_above + alarms_above, 1)
    return {
        "roc_auc": _ratio(positives * negatives - lost, positives * negatives),
        "average_precision": _ratio((hits * precision).sum(axis=1), positives),
    }


def _probability_scores(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    surplus = label - probability
    in_bin = bins_of(probability)[:, None] == np.arange(BINS)  # (n, BINS)
    total = weights.sum(axis=1)
    return {
        "brier": _ratio(weights @ surplus**2, total),
        "ece": _ratio(np.abs(weights @ (surplus[:, None] * in_bin)).sum(axis=1), total),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
