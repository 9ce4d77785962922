import numpy as np


def test_the_sum_over_a_fold_follows_from_the_means_of_all():
    """This is why folds must not be small: nothing but the means is needed to tell the sum over each fold."""
    scans = np.random.default_rng(0).random((9, 4))
    folds = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])
    totals = np.stack([scans[folds != fold].mean(0) * (folds != fold).sum() for fold in range(3)])
    of_fold = totals.sum(0) / 2 - totals
    np.testing.assert_allclose(of_fold, [scans[folds == fold].sum(0) for fold in range(3)])
