"""The deformation and its inverse."""

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage

from neurobar.data.resampling import grid_points
from neurobar.preprocess.deformations import (
    fit_displacement,
    invert_displacement,
    local_correlation,
    split_affine,
    warp,
    warp_field,
)

SHAPE = (22, 26, 30)


def smooth_noise(seed, sigma, *lead):
    """Return seeded noise, blurred over the last three axes."""
    noise = np.random.default_rng(seed).normal(size=(*lead, *SHAPE))
    return ndimage.gaussian_filter(noise, (*[0] * len(lead), sigma, sigma, sigma)).astype(np.float32)


def test_no_displacement_changes_nothing():
    volume = smooth_noise(0, 1)
    assert np.allclose(warp(volume, np.zeros((3, *SHAPE), np.float32)), volume)


def test_a_shift_looks_up_the_shifted_voxel():
    volume = smooth_noise(0, 1)
    displacement = np.zeros((3, *SHAPE), np.float32)
    displacement[1] = 1
    assert np.allclose(warp(volume, displacement)[:, :-1], volume[:, 1:])


def test_an_inverse_leads_back():
    there = smooth_noise(1, 5, 3) * 40
    back = invert_displacement(there)
    inner = (slice(None), *[slice(5, -5)] * 3)
    assert np.abs(there[inner]).max() > 0.5
    assert np.abs((back + warp_field(there, back))[inner]).max() < 0.05


def test_local_correlation_ignores_gain_and_offset():
    volume = smooth_noise(2, 1)
    squared, slope = local_correlation(volume, 3 * volume + 2)
    assert squared.min() > 0.99
    assert np.abs(slope * volume.std()).max() < 0.05


def test_a_deformation_is_recovered_under_a_bias_field():
    moving = smooth_noise(3, 1.5) * 10
    true = smooth_noise(4, 4, 3) * 25
    bias = np.linspace(0.7, 1.4, SHAPE[2], dtype=np.float32)
    fixed = (warp(moving, true) + 3) * bias
    weight = np.ones(SHAPE, bool)
    found, similarity = fit_displacement(fixed, moving, weight, weight, 40)
    inner = (slice(None), *[slice(4, -4)] * 3)
    assert similarity > 0.85
    assert np.abs(found - true)[inner].mean() < 0.4 * np.abs(true[inner]).mean()


def test_equal_volumes_stay():
    volume = smooth_noise(5, 1.5)
    found, similarity = fit_displacement(volume, volume, np.ones(SHAPE, bool), np.ones(SHAPE, bool), 3)
    assert similarity == pytest.approx(1, abs=0.01)
    assert np.isfinite(found).all()


def test_where_the_image_ends_nothing_pulls_at_the_brain():
    places = np.indices(SHAPE) - np.array(SHAPE)[:, None, None, None] / 2
    brain = np.where((places**2).sum(axis=0) < 10**2, 1 + 0.1 * smooth_noise(6, 1.5), 0).astype(np.float32)
    seen = np.ones(SHAPE, bool)
    seen[:, :, SHAPE[2] // 2 + 6 :] = False
    everywhere = np.ones(SHAPE, bool)
    cut = np.where(seen, brain, 0)
    misled, _ = fit_displacement(brain, cut, everywhere, everywhere, 15)
    found, _ = fit_displacement(brain, cut, everywhere, seen, 15)
    assert np.abs(misled).max() > 2
    assert np.abs(found).max() < 0.5


def test_an_affine_deformation_leaves_no_rest():
    grid = np.diag([4.0, 4, 4, 1])
    grid[:3, 3] = -40, -50, -60
    depth = np.full(SHAPE, -5.0, np.float32)
    depth[4:-4, 4:-4, 4:-4] = 5
    affine = np.eye(4)
    affine[:3, :3] += [[0.04, 0.02, 0], [0, -0.03, 0.01], [0.02, 0, 0.05]]
    affine[:3, 3] = 2, -1, 3
    places = grid_points(SHAPE, grid)
    found, rest = split_affine(apply_affine(affine, places) - places, grid, depth, grid)
    assert np.allclose(found, affine, atol=1e-6)
    assert np.abs(rest[5:-5, 5:-5, 5:-5]).max() < 1e-3
