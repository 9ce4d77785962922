import numpy as np
import pytest
from scipy.stats import spearmanr

from neurobar.metrics.rankings import precision_at, rank_correlation


def test_precision_has_its_value_found_by_hand():
    values = np.array([[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    relevant = np.array([True, False, True, False])
    np.testing.assert_array_equal(precision_at(values=values, relevant=relevant, count=3), [2 / 3, 1 / 3])


def test_of_equal_values_the_earlier_item_comes_first():
    relevant = np.array([False, False, True, True])
    assert precision_at(values=np.zeros(4), relevant=relevant, count=2) == 0


def test_more_places_than_items_are_refused():
    with pytest.raises(ValueError, match="needs at least 10 items; there are 4"):
        precision_at(values=np.zeros(4), relevant=np.ones(4, bool), count=10)


def test_rank_correlation_is_that_of_scipy_with_and_without_ties():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 30).astype(float)
    values = np.stack([random.standard_normal(30), random.integers(0, 5, 30)])
    expected = [spearmanr(row, truth).statistic for row in values]
    np.testing.assert_allclose(rank_correlation(values=values, truth=truth), expected)


def test_rank_correlation_of_equal_values_is_undefined():
    values = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    found = rank_correlation(values=values, truth=np.array([3.0, 2.0, 1.0]))
    np.testing.assert_allclose(found, [np.nan, -1.0])
