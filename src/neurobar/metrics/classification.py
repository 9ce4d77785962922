"""Scores of a classifier with two classes, from scikit-learn where it has them."""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

#: Bins of the calibration error, of equal width.
BINS = 10


def classification_scores(*, label: np.ndarray, probability: np.ndarray, threshold: float) -> dict[str, float]:
    """Score a classifier at one threshold.

    A score is undefined, and NaN, where its definition divides by zero: precision where nothing is predicted
    positive; recall and average precision without a positive case; specificity without a negative one; balanced
    accuracy and ROC AUC with one class alone; F1 without a positive case and without a positive prediction; MCC where
    all cases, or all predictions, are of one class.

    Parameters
    ----------
    label : int (n,)
        0 or 1.
    probability : float (n,)
        Predicted probability of class 1.
    threshold : float
        Probability from which a case counts as class 1.

    Returns
    -------
    dict of str to float
        `precision`, `recall`, `accuracy`, `balanced_accuracy`, `specificity`, `f1`, `roc_auc`, `average_precision`,
        `brier` and `ece` [0..1], and `mcc` [-1..1].

    Raises
    ------
    ValueError
        If there is no case, a label is neither 0 nor 1, or a probability is not a number from 0 to 1.
    """
    label, probability = check_predictions(label, probability)
    predicted = (probability >= threshold).astype(int)
    both_classes, both_answers = (np.ptp(values) > 0 for values in (label, predicted))
    # scikit-learn gives 0, or warns, where the conditions below make it stand aside.
    scores = {
        "precision": precision_score(label, predicted, zero_division=np.nan),
        "recall": recall_score(label, predicted, zero_division=np.nan),
        "accuracy": accuracy_score(label, predicted),
        "balanced_accuracy": balanced_accuracy_score(label, predicted) if both_classes else math.nan,
        "specificity": recall_score(label, predicted, pos_label=0, zero_division=np.nan),
        "f1": f1_score(label, predicted, zero_division=np.nan),
        "mcc": matthews_corrcoef(label, predicted) if both_classes and both_answers else math.nan,
        "roc_auc": roc_auc_score(label, probability) if both_classes else math.nan,
        "average_precision": average_precision_score(label, probability) if label.any() else math.nan,
        "brier": brier_score_loss(label, probability),
        "ece": calibration_error(label=label, probability=probability),
    }
    return {name: float(value) for name, value in scores.items()}


def check_predictions(label: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Refuse what cannot be scored.

    Parameters
    ----------
    label, probability : (n,)

    Returns
    -------
    label : int64 (n,)
    probability : float64 (n,)

    Raises
    ------
    ValueError
        If there is no case, a label is neither 0 nor 1, or a probability is not a number from 0 to 1.
    """
    probability = np.asarray(probability, np.float64)
    if not len(probability) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("Scores need at least one probability, each from 0 to 1.")
    if not np.isin(label, [0, 1]).all():
        raise ValueError("Scores need labels that are 0 or 1.")
    return np.asarray(label).astype(np.int64), probability


def bins_of(probability: np.ndarray) -> np.ndarray:
    """Find the bin of equal width that each probability falls in; the last one holds 1 as well.

    Parameters
    ----------
    probability : float (n,)

    Returns
    -------
    int64 (n,)
        From 0 to `BINS` - 1.
    """
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def calibration_error(*, label: np.ndarray, probability: np.ndarray) -> float:
    """Measure by how much predicted probabilities miss the share of positive cases.

    Parameters
    ----------
    label : int (n,)
        0 or 1.
    probability : float (n,)
        Predicted probability of class 1.

    Returns
    -------
    float
        Expected calibration error [0..1]: the distance of mean probability and share of positive cases in each bin
        of probability, averaged with the bins' numbers of cases.

    Notes
    -----
    Source: Naeini et al., AAAI 2015; Guo et al., ICML 2017, equation 3, with the probability of class 1 in the place
    of the confidence.
    """
    # The number of cases in a bin cancels against the one in its two means.
    surplus = np.bincount(bins_of(probability), weights=label - probability, minlength=BINS)
    return float(np.abs(surplus).sum() / len(probability))


def best_threshold(*, label: np.ndarray, probability: np.ndarray) -> float:
    """Choose the threshold with the highest balanced accuracy.

    Candidates are 0, 0.5 and the middle between neighbouring probabilities; of equally good ones, the nearest to 0.5.

    Parameters
    ----------
    label : int (n,)
        0 or 1; both occur.
    probability : float (n,)
        Predicted probability of class 1.

    Returns
    -------
    float
        Probability from which a case counts as class 1.

    Raises
    ------
    ValueError
        If one class alone occurs, or the predictions cannot be scored.
    """
    label, probability = check_predictions(label, probability)
    if np.ptp(label) == 0:
        raise ValueError("A threshold cannot be chosen on cases of one class.")
    steps = np.unique(probability)
    candidates = np.unique([0, 0.5, *(steps[1:] + steps[:-1]) / 2])
    predicted = probability >= candidates[:, None]  # (T, n)
    balanced = (predicted[:, label == 1].mean(axis=1) + 1 - predicted[:, label == 0].mean(axis=1)) / 2
    # Means of few cases differ in their last digits where they are equal.
    best = candidates[balanced > balanced.max() - 1e-9]
    return float(best[np.abs(best - 0.5).argmin()])
