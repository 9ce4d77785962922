import math

import numpy as np
import pytest

from neurobar.metrics.classification import threshold_scores


def test_scores_equal_their_definition_in_loops():
    random = np.random.default_rng(0)
    label, probability = random.integers(0, 2, 50), random.random(50)
    hits = sum(p >= 0.4 and t == 1 for p, t in zip(probability, label, strict=True))
    positive = sum(p >= 0.4 for p in probability)
    right = sum((p >= 0.4) == (t == 1) for p, t in zip(probability, label, strict=True))
    scores = threshold_scores(label=label, probability=probability, threshold=0.4)
    assert scores == pytest.approx({"precision": hits / positive, "recall": hits / sum(label), "accuracy": right / 50})


def test_undefined_scores_are_nan():
    scores = threshold_scores(label=np.array([0, 0]), probability=np.array([0.1, 0.2]), threshold=0.5)
    assert math.isnan(scores["precision"])
    assert math.isnan(scores["recall"])
    assert scores["accuracy"] == 1


@pytest.mark.parametrize("probability", [[], [0.5, float("nan")], [1.2, 0.1]])
def test_what_is_no_probability_is_refused(probability):
    with pytest.raises(ValueError, match="each from 0 to 1"):
        threshold_scores(label=np.zeros(len(probability)), probability=np.array(probability), threshold=0.5)
