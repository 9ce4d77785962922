import math

import numpy as np
import pytest
from scipy import stats

from neurobar.metrics.inference import bootstrap_p_value, corrected_t_test, draw_counts, percentile_interval


def test_every_draw_has_as_many_subjects_as_there_are():
    counts = draw_counts(subjects=7, replicates=50, seed=0)
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.5)
    assert counts.max() > 1


def test_equal_seeds_give_equal_draws_and_others_do_not():
    first, again, other = (draw_counts(subjects=7, replicates=50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_interval_holds_the_middle_of_what_is_defined():
    replicates = np.r_[np.arange(1001) / 1000, np.full(100, np.nan)]
    assert percentile_interval(replicates) == pytest.approx((0.025, 0.975))


def test_of_a_minority_of_defined_replicates_nothing_is_said():
    replicates = np.r_[np.ones(4), np.full(5, np.nan)]
    assert all(math.isnan(bound) for bound in percentile_interval(replicates))
    assert math.isnan(bootstrap_p_value(replicates))


def test_intervals_of_a_mean_hold_it_about_as_often_as_they_say():
    random, trials = np.random.default_rng(0), 1000
    means = draw_counts(subjects=60, replicates=1000, seed=0) @ random.normal(size=(60, trials)) / 60  # (R, trials)
    intervals = np.array([percentile_interval(replicates) for replicates in means.T])
    # Percentile intervals of 60 cases hold the truth a little less often than 95 %.
    assert 0.92 < ((intervals[:, 0] <= 0) & (intervals[:, 1] >= 0)).mean() < 0.97


@pytest.mark.parametrize(
    ("replicates", "p"),
    [
        ([1.0] * 99, 2 / 100),
        ([-1.0] * 99, 2 / 100),
        ([1.0] * 95 + [-1.0] * 4, 10 / 100),
        ([0.0] * 99, 1),
        ([1.0] * 98 + [np.nan], 2 / 99),
    ],
)
def test_the_bootstrap_p_value_counts_both_sides_and_the_sample_itself(replicates, p):
    assert bootstrap_p_value(np.array(replicates)) == pytest.approx(p)


def test_without_overlap_the_corrected_t_test_is_the_ordinary_one():
    differences = np.array([0.1, 0.3, -0.05, 0.2])
    theirs = stats.ttest_1samp(differences, 0)
    assert corrected_t_test(differences, test_over_train=0) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_the_correction_by_hand():
    # Mean 0.2 and variance 0.01 over three folds, 1/3 + 1/4 in the place of 1/3.
    t, p = corrected_t_test(np.array([0.1, 0.2, np.nan, 0.3]), test_over_train=0.25)
    assert t == pytest.approx(0.2 / math.sqrt((1 / 3 + 1 / 4) * 0.01))
    assert p == pytest.approx(2 * stats.t.cdf(-t, df=2))


@pytest.mark.parametrize("differences", [[], [0.1], [0.1, np.nan], [0.2, 0.2, 0.2]])
def test_without_a_spread_over_folds_the_t_test_is_undefined(differences):
    assert all(math.isnan(value) for value in corrected_t_test(np.array(differences, float), test_over_train=0.3))
