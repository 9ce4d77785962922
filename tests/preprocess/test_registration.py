"""The judgement of a registration."""

import numpy as np
import pytest

from neurobar.preprocess.registration import judge, read_registration, write_registration

LIMITS = {
    "smallest_correlation": 0.4,
    "smallest_similarity": 0.45,
    "scales": [0.6, 1.5],
    "largest_shear": 0.25,
    "largest_outside": 0.3,
}


def with_linear(linear):
    """Return a transform with a linear part."""
    affine = np.eye(4)
    affine[:3, :3] = linear
    return affine


@pytest.mark.parametrize(
    ("linear", "correlation", "similarity", "credible"),
    [
        (np.eye(3), 0.7, 0.6, True),
        (np.eye(3), 0.3, 0.6, False),
        (np.eye(3), 0.7, 0.3, False),
        (np.diag([0.5, 1, 1]), 0.7, 0.6, False),
        (np.diag([1, 1.6, 1]), 0.7, 0.6, False),
        (np.diag([-1, 1, 1]), 0.7, 0.6, False),
        ([[1, 0.5, 0], [0, 1, 0], [0, 0, 1]], 0.7, 0.6, False),
    ],
)
def test_only_what_a_head_can_have_is_credible(linear, correlation, similarity, credible):
    assert judge(with_linear(linear), correlation, similarity, 0.1, LIMITS).credible is credible


def test_a_brain_that_is_mostly_out_of_sight_is_not_believed():
    assert judge(np.eye(4), 0.7, 0.6, 0.3, LIMITS).credible
    assert not judge(np.eye(4), 0.7, 0.6, 0.31, LIMITS).credible


def test_a_written_registration_reads_back(tmp_path):
    registration = judge(with_linear(np.diag([0.9, 1, 1.1])), 0.7, 0.6, 0.01, LIMITS)
    write_registration(tmp_path / "registration.json", registration)
    assert read_registration(tmp_path / "registration.json") == registration
