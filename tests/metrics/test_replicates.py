import numpy as np
import pytest
from sklearn import metrics

from neurobar.metrics.classification import classification_scores
from neurobar.metrics.replicates import replicate_scores

CASES, REPLICATES = 23, 40


@pytest.fixture
def drawn():
    """Return labels, probabilities with many ties, and integer weights of which a third are zero."""
    random = np.random.default_rng(5)
    label = random.integers(0, 2, CASES)
    probability = np.clip(random.normal(0.4 + 0.2 * label, 0.2), 0, 1).round(1)
    return label, probability, random.poisson(1, (REPLICATES, CASES))


def test_replicates_equal_scikit_learn_with_weights(drawn):
    label, probability, weights = drawn
    predicted = probability >= 0.5
    scores = replicate_scores(label=label, probability=probability, weights=weights, threshold=0.5)
    for row, weight in enumerate(weights):
        theirs = {
            "precision": metrics.precision_score(label, predicted, sample_weight=weight),
            "recall": metrics.recall_score(label, predicted, sample_weight=weight),
            "accuracy": metrics.accuracy_score(label, predicted, sample_weight=weight),
            "balanced_accuracy": metrics.balanced_accuracy_score(label, predicted, sample_weight=weight),
            "specificity": metrics.recall_score(label, predicted, pos_label=0, sample_weight=weight),
            "f1": metrics.f1_score(label, predicted, sample_weight=weight),
            "mcc": metrics.matthews_corrcoef(label, predicted, sample_weight=weight),
            "roc_auc": metrics.roc_auc_score(label, probability, sample_weight=weight),
            "average_precision": metrics.average_precision_score(label, probability, sample_weight=weight),
            "brier": metrics.brier_score_loss(label, probability, sample_weight=weight),
        }
        assert {name: scores[name][row] for name in theirs} == pytest.approx(theirs)


def test_a_weighted_case_counts_like_its_copies(drawn):
    label, probability, weights = drawn
    scores = replicate_scores(label=label, probability=probability, weights=weights, threshold=0.5)
    for row, weight in enumerate(weights):
        copies = classification_scores(
            label=label.repeat(weight), probability=probability.repeat(weight), threshold=0.5
        )
        assert {name: values[row] for name, values in scores.items()} == pytest.approx(copies)


def test_replicates_are_undefined_where_copies_of_the_cases_would_be():
    # All weightings of four cases by 0 or 1, except that of no case.
    weights = np.array([[number >> bit & 1 for bit in range(4)] for number in range(1, 16)])
    label, probability = np.array([0, 1, 0, 1]), np.array([0.2, 0.3, 0.7, 0.7])
    scores = replicate_scores(label=label, probability=probability, weights=weights, threshold=0.5)
    for row, weight in enumerate(weights):
        kept = weight == 1
        copies = classification_scores(label=label[kept], probability=probability[kept], threshold=0.5)
        assert {name: values[row] for name, values in scores.items()} == pytest.approx(copies, nan_ok=True)


def test_without_any_case_every_score_is_undefined():
    scores = replicate_scores(
        label=np.array([0, 1]), probability=np.array([0.1, 0.9]), weights=np.zeros((3, 2), int), threshold=0.5
    )
    assert len(scores) == 11
    assert all(np.isnan(values).all() and values.shape == (3,) for values in scores.values())
