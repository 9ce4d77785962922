"""Moving volumes between grids."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from neurobar.data.resampling import bounding_box, cover, grid_points, resample, sample, smooth_to

SHAPE = (18, 20, 24)
CODES = ["".join(axes) for sides in product("LR", "PA", "IS") for axes in permutations(sides)]


def marked():
    """Return a volume with one bright corner on the right, and its affine."""
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -18, -20, -24
    volume = np.random.default_rng(0).uniform(0, 1, SHAPE).astype(np.float32)
    volume[14:, 12:, 3:6] = 9
    return volume, affine


@pytest.mark.parametrize("code", CODES)
def test_left_stays_left_in_every_orientation(code):
    volume, affine = marked()
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(code))
    turned = nib.Nifti1Image(volume, affine).as_reoriented(turn)
    assert "".join(nib.aff2axcodes(turned.affine)) == code
    back = resample(np.asarray(turned.dataobj), turned.affine, SHAPE, affine)
    assert np.allclose(back, volume, atol=1e-4)
    shape, grid = cover(turned.shape, turned.affine, 2.0)
    assert shape == SHAPE
    assert np.allclose(grid, affine)


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


def test_sampling_at_the_voxels_gives_the_volume():
    volume, affine = marked()
    assert np.allclose(sample(volume, affine, grid_points(SHAPE, affine)), volume, atol=1e-5)


def test_an_oblique_volume_is_covered():
    _, affine = marked()
    angle = np.deg2rad(25)
    oblique = np.eye(4)
    oblique[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shape, grid = cover(SHAPE, oblique @ affine, 2.0)
    covered = resample(np.ones(SHAPE), oblique @ affine, shape, grid).sum()
    # Half a voxel is lost along each face.
    assert 0.85 * np.prod(SHAPE) < covered < np.prod(SHAPE)


def test_smoothing_spares_axes_that_are_coarse_already():
    volume = np.zeros((9, 10, 11), np.float32)
    volume[4, 5, 5] = 1
    blurred = smooth_to(volume, np.diag([1.0, 1, 3, 1]), 3.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-3)
    assert blurred[4, 5, 4] == 0
    assert blurred[3, 5, 5] > 0.05


def test_a_box_holds_the_mask_with_its_margin_and_keeps_its_place():
    mask = np.zeros((6, 7, 8), bool)
    mask[1:3, 4, 5:8] = True
    affine = np.diag([2.0, 3, 4, 1])
    affine[:3, 3] = 10, 20, 30
    box, corner = bounding_box(mask, affine, 2)
    assert box == (slice(0, 5), slice(2, 7), slice(3, 10))
    assert mask[box].sum() == mask.sum()
    assert (corner @ [0, 0, 0, 1]).tolist() == (affine @ [0, 2, 3, 1]).tolist()
