"""The interpolation onto the grid."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from neurobar.data.resampling import grid_points
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE, read_volume, write_volume
from neurobar.preprocess.registration import Registration, write_registration
from neurobar.preprocess.resample_scan import interpolate_brain, main, place_grid

CODES = ["".join(axes) for sides in product("LR", "PA", "IS") for axes in permutations(sides)]


def coarse_grid():
    """Return every sixth place of the grid, so that 48 orientations take seconds."""
    return grid_points(GRID_SHAPE, GRID_AFFINE)[::6, ::6, ::6]


@pytest.fixture(scope="module")
def brain(phantom):
    """Return the brain of the phantom and its mask."""
    mask = phantom.depth > 0
    return np.where(mask, phantom.head * 700, 0).astype(np.float32), mask


def test_an_even_brain_is_even_up_to_its_border(phantom, brain):
    mask = brain[1]
    volume = interpolate_brain(600.0 * mask, mask, phantom.affine, coarse_grid())
    assert np.allclose(volume[volume > 0], 1, atol=1e-4)


def test_the_median_is_one_and_the_background_zero(phantom, brain):
    volume = interpolate_brain(*brain, phantom.affine, coarse_grid())
    assert np.median(volume[volume > 0]) == pytest.approx(1)
    assert volume.min() == 0
    assert (volume > 0).sum() * 12**3 == pytest.approx(brain[1].sum() * 4**3, rel=0.05)


def test_a_dark_voxel_inside_stays_above_zero(phantom, brain):
    mask = brain[1]
    volume = interpolate_brain(
        np.where(np.indices(mask.shape)[0] % 8 < 4, 600.0, 0) * mask, mask, phantom.affine, coarse_grid()
    )
    whole = interpolate_brain(600.0 * mask, mask, phantom.affine, coarse_grid())
    assert np.array_equal(volume > 0, whole > 0)


@pytest.mark.parametrize("code", CODES)
def test_left_stays_left_in_every_orientation(phantom, brain, code):
    turn = ornt_transform(io_orientation(phantom.affine), axcodes2ornt(code))
    images = [nib.Nifti1Image(part.astype(np.float32), phantom.affine).as_reoriented(turn) for part in brain]
    turned, mask = (np.asarray(image.dataobj) for image in images)
    points = coarse_grid()
    volume = interpolate_brain(turned, mask > 0, images[0].affine, points)
    upright = interpolate_brain(*brain, phantom.affine, points)
    assert np.allclose(volume, upright, atol=1e-3)
    # The ventricle of the phantom is on its right, so a mirrored volume would differ.
    assert not np.allclose(upright, upright[::-1], atol=0.2)


def test_a_deformation_moves_the_grid_back():
    grid = np.diag([8.0, 8, 8, 1])
    grid[:3, 3] = -112, -130, -110
    shift = np.zeros((28, 28, 28, 3), np.float32)
    shift[..., 1] = 5
    points = place_grid(np.eye(4), shift, grid)
    assert np.allclose(
        points[48, 48, 48], GRID_AFFINE[:3, :3] @ [48, 48, 48] + GRID_AFFINE[:3, 3] - [0, 5, 0], atol=0.05
    )


@pytest.mark.parametrize("normalisation", ["affine", "deformable"])
def test_the_command_writes_a_small_file_on_the_grid(phantom, brain, tmp_path, normalisation):
    write_volume(tmp_path / "n4.nii.gz", brain[0], phantom.affine)
    write_volume(tmp_path / "mask.nii.gz", brain[1].astype(np.uint8), phantom.affine)
    write_registration(
        tmp_path / "registration.json", Registration(np.eye(4).tolist(), 0.8, 0.7, [1, 1, 1], 0, 0, 1, True), "digest"
    )
    grid = np.diag([20.0, 20, 20, 1])
    grid[:3, 3] = -120
    write_volume(tmp_path / "deformation.nii.gz", np.zeros((12, 12, 12, 3), np.float32), grid)
    files = {"volume": "n4.nii.gz", "mask": "mask.nii.gz", "registration": "registration.json"}
    files |= {"deformation": "deformation.nii.gz", "output": "volume.nii.gz"}
    line = [word for name, file in files.items() for word in (f"--{name}", str(tmp_path / file))]
    main([*line, "--normalisation", normalisation])
    volume, affine = read_volume(tmp_path / "volume.nii.gz")
    assert volume.shape == GRID_SHAPE
    assert np.array_equal(affine, GRID_AFFINE)
    assert (tmp_path / "volume.nii.gz").stat().st_size < 1.5e6
    assert volume.max() < np.finfo(np.float16).max


def test_a_scan_without_a_brain_is_empty(phantom, brain):
    assert not interpolate_brain(brain[0], np.zeros_like(brain[1]), phantom.affine, coarse_grid()).any()
