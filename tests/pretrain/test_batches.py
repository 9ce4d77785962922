import numpy as np
import pytest

from neurobar.pretrain.batches import plan_batches

SUBJECTS = np.array(["a", "a", "b", "c", "c", "c", "d"])
SETTINGS = {"batch": 3, "beta": (0.8, 0.8), "donor": "other_subject", "seeds": (0, 0, 0)}


def test_every_scan_is_an_anchor_once_but_a_last_one_that_is_alone():
    batches = plan_batches(SUBJECTS, **SETTINGS)
    assert [len(batch.anchor) for batch in batches] == [3, 3]
    anchors = np.concatenate([batch.anchor for batch in plan_batches(SUBJECTS, **SETTINGS | {"batch": 4})])
    assert sorted(anchors) == list(range(7))


def test_no_donor_is_of_its_anchors_subject():
    for seed in range(50):
        for batch in plan_batches(SUBJECTS, **SETTINGS | {"seeds": (seed,)}):
            assert (SUBJECTS[batch.anchor] != SUBJECTS[batch.donor]).all()


def test_no_scan_is_its_own_donor_but_its_subject_may_be():
    same_subject = 0
    for seed in range(50):
        for batch in plan_batches(SUBJECTS, **SETTINGS | {"seeds": (seed,), "donor": "any_scan"}):
            assert (batch.anchor != batch.donor).all()
            same_subject += (SUBJECTS[batch.anchor] == SUBJECTS[batch.donor]).sum()
    assert same_subject > 0


def test_ratios_follow_the_beta_distribution():
    subjects = np.arange(4000)
    ratios = np.concatenate([batch.ratio for batch in plan_batches(subjects, **SETTINGS | {"beta": (0.2, 0.8)})])
    # Mean a / (a + b) = 0.2 and variance a b / ((a + b) ** 2 (a + b + 1)) = 0.08 of Beta(0.2, 0.8).
    assert ratios.mean() == pytest.approx(0.2, abs=0.02)
    assert ratios.var() == pytest.approx(0.08, abs=0.01)


def test_equal_seeds_give_equal_plans():
    first, again, other = (plan_batches(SUBJECTS, **SETTINGS | {"seeds": seeds}) for seeds in [(1,), (1,), (2,)])
    assert all((a == b).all() for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))
    assert any((a != b).any() for x, y in zip(first, other, strict=True) for a, b in zip(x, y, strict=True))


def test_one_subject_alone_cannot_be_mixed():
    with pytest.raises(ValueError, match="at least two subjects"):
        plan_batches(np.array(["a", "a"]), **SETTINGS)
