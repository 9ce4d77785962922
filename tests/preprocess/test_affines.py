"""The fit of rigid, similarity and affine transforms."""

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from neurobar.preprocess.affines import as_step, correlate, fit_affine
from neurobar.preprocess.poses import Target


def distance_mm(phantom, first, second):
    """Average how far two transforms put the brain apart."""
    points = apply_affine(phantom.affine, np.argwhere(phantom.depth > 0))
    return np.linalg.norm(apply_affine(first, points) - apply_affine(second, points), axis=1).mean()


@pytest.mark.parametrize(("freedom", "scales"), [(6, (1, 1, 1)), (7, (0.93, 0.93, 0.93)), (12, (0.9, 1.06, 0.95))])
def test_a_known_transform_is_recovered(phantom, freedom, scales):
    truth = np.eye(4)
    truth[:3, :3] = Rotation.from_euler("xyz", (6, -4, 5), degrees=True).as_matrix() @ np.diag(scales)
    truth[:3, 3] = 6, -5, 7
    image = phantom.scan(truth)
    target = Target(phantom.head, phantom.depth > -8, phantom.affine)
    start, _ = fit_affine(image.get_fdata(), image.affine, target, np.eye(4), freedom=7, spacing_mm=8.0)
    fitted, correlation = fit_affine(image.get_fdata(), image.affine, target, start, freedom=freedom, spacing_mm=4.0)
    assert correlation > 0.9
    assert distance_mm(phantom, fitted, truth) < 1.0


def test_a_scan_without_contrast_moves_nothing_to_infinity(phantom):
    flat = np.full((52, 60, 66), 5.0, np.float32)
    target = Target(phantom.head, phantom.depth > 0, phantom.affine)
    fitted, correlation = fit_affine(flat, phantom.affine, target, np.eye(4), freedom=12, spacing_mm=8.0)
    assert np.isfinite(fitted).all()
    assert correlation == 0


def test_a_rigid_step_keeps_distances():
    step = as_step(np.array([1, 2, 3, 0.1, -0.2, 0.3]), 6)
    assert np.allclose(step[:3, :3] @ step[:3, :3].T, np.eye(3))


def test_constant_intensities_correlate_with_nothing():
    assert correlate(np.ones(5), np.arange(5.0)) == 0
    assert correlate(np.arange(5.0), 2 * np.arange(5.0)) == pytest.approx(1)
