import math

import numpy as np
import pytest

from neurobar.metrics.classification import best_threshold, calibration_error, classification_scores


def test_scores_equal_their_definition_in_loops():
    random = np.random.default_rng(0)
    label, probability = random.integers(0, 2, 50), random.random(50).round(1)
    cases = list(zip(label, probability, strict=True))
    tp, fp, fn, tn = (
        sum(t == truth and (p >= 0.4) == answer for t, p in cases)
        for truth, answer in ((1, True), (0, True), (1, False), (0, False))
    )
    pairs = [(p > q) + (p == q) / 2 for t, p in cases if t == 1 for u, q in cases if u == 0]
    steps = sorted({p for _, p in cases}, reverse=True)
    hits = [sum(t for t, p in cases if p >= step) for step in steps]
    above = [sum(p >= step for _, p in cases) for step in steps]
    gains = np.diff([0, *hits]) / hits[-1]
    scores = classification_scores(label=label, probability=probability, threshold=0.4)
    assert scores == pytest.approx(
        {
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "accuracy": (tp + tn) / 50,
            "balanced_accuracy": (tp / (tp + fn) + tn / (tn + fp)) / 2,
            "specificity": tn / (tn + fp),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
            "roc_auc": sum(pairs) / len(pairs),
            "average_precision": sum(gain * hit / all_ for gain, hit, all_ in zip(gains, hits, above, strict=True)),
            "brier": sum((t - p) ** 2 for t, p in cases) / 50,
            "ece": calibration_error(label=label, probability=probability),
        }
    )


def test_calibration_error_by_hand():
    # Bins 1 and 9 hold three cases and one: |1/3 - 0.15| * 3/4 + |1 - 1| * 1/4.
    label, probability = np.array([0, 1, 0, 1]), np.array([0.1, 0.15, 0.2 - 1e-12, 1.0])
    assert calibration_error(label=label, probability=probability) == pytest.approx((1 / 3 - 0.15) * 3 / 4)


@pytest.mark.parametrize(
    ("label", "probability", "undefined"),
    [
        ([0, 0], [0.1, 0.2], {"precision", "recall", "balanced_accuracy", "f1", "mcc", "roc_auc", "average_precision"}),
        ([0, 0], [0.1, 0.9], {"recall", "balanced_accuracy", "mcc", "roc_auc", "average_precision"}),
        ([1, 1], [0.1, 0.9], {"specificity", "balanced_accuracy", "mcc", "roc_auc"}),
        ([0, 1], [0.1, 0.2], {"precision", "mcc"}),
        ([0, 1], [0.8, 0.9], {"mcc"}),
        ([0, 1], [0.1, 0.9], set()),
    ],
)
def test_a_score_that_divides_by_zero_is_undefined_and_no_other_is(label, probability, undefined):
    scores = classification_scores(label=np.array(label), probability=np.array(probability), threshold=0.5)
    assert {name for name, value in scores.items() if math.isnan(value)} == undefined


@pytest.mark.parametrize("probability", [[], [0.5, float("nan")], [1.2, 0.1]])
def test_what_is_no_probability_is_refused(probability):
    with pytest.raises(ValueError, match="each from 0 to 1"):
        classification_scores(label=np.zeros(len(probability)), probability=np.array(probability), threshold=0.5)


@pytest.mark.parametrize("label", [[0, 2], [0.5, 1], [float("nan"), 1]])
def test_what_is_no_label_is_refused(label):
    with pytest.raises(ValueError, match="0 or 1"):
        classification_scores(label=np.array(label), probability=np.array([0.1, 0.2]), threshold=0.5)


@pytest.mark.parametrize(
    ("label", "probability", "best"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], 0.25),
        ([0, 0, 1, 1], [0.1, 0.45, 0.52, 0.9], 0.5),
        ([0, 1, 0, 1], [0.6, 0.7, 0.8, 0.9], 0.65),  # as good as 0.85, and nearer to 0.5
        ([1, 0], [0.6, 0.9], 0.5),  # nothing is better than to call all positive
    ],
)
def test_the_best_threshold_by_hand(label, probability, best):
    assert best_threshold(label=np.array(label), probability=np.array(probability)) == pytest.approx(best)


def test_no_threshold_has_a_better_balanced_accuracy():
    random = np.random.default_rng(3)
    label, probability = random.integers(0, 2, 31), random.random(31).round(2)

    def balanced(threshold):
        return classification_scores(label=label, probability=probability, threshold=threshold)["balanced_accuracy"]

    best = balanced(best_threshold(label=label, probability=probability))
    assert best == pytest.approx(max(balanced(threshold) for threshold in np.linspace(0, 1, 501)))


def test_a_threshold_needs_both_classes():
    with pytest.raises(ValueError, match="one class"):
        best_threshold(label=np.array([1, 1]), probability=np.array([0.2, 0.3]))
