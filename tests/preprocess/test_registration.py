"""The judgement of a registration."""

import numpy as np
import pytest

from neurobar.preprocess.registration import check_unchanged, digest_scan, judge, read_registration, write_registration


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
def test_only_what_a_head_can_have_is_credible(registration_settings, linear, correlation, similarity, credible):
    assert judge(with_linear(linear), correlation, similarity, 0.1, registration_settings).credible is credible


def test_a_brain_that_is_mostly_out_of_sight_is_not_believed(registration_settings):
    assert judge(np.eye(4), 0.7, 0.6, 0.3, registration_settings).credible
    assert not judge(np.eye(4), 0.7, 0.6, 0.31, registration_settings).credible


def test_a_written_registration_reads_back(registration_settings, tmp_path):
    registration = judge(with_linear(np.diag([0.9, 1, 1.1])), 0.7, 0.6, 0.01, registration_settings)
    write_registration(tmp_path / "registration.json", registration, "digest")
    assert read_registration(tmp_path / "registration.json") == registration


def test_a_scan_is_known_by_its_bytes(tmp_path, registration_settings):
    scan, written = tmp_path / "scan.nii.gz", tmp_path / "registration.json"
    registration = judge(np.eye(4), 0.7, 0.6, 0.01, registration_settings)
    scan.write_bytes(b"one")
    write_registration(written, registration, digest_scan(scan))
    check_unchanged(scan, written)
    scan.write_bytes(b"two")
    with pytest.raises(ValueError, match=r"scan\.nii\.gz: the file changed .* all of this scan is done anew\.$"):
        check_unchanged(scan, written)
    assert not written.exists()  # so that the next run begins with the new file
