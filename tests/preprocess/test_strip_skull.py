"""The brain mask on the grid of the scan."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from neurobar.data.volumes import read_volume, write_volume
from neurobar.preprocess.registration import Registration, write_registration
from neurobar.preprocess.strip_skull import carry_depth, find_brain, keep_largest, main

CODES = ["".join(axes) for sides in product("LR", "PA", "IS") for axes in permutations(sides)]


def dice(first, second):
    """Return the overlap of two masks."""
    return 2 * (first & second).sum() / (first.sum() + second.sum())


@pytest.fixture(scope="module")
def carried(phantom):
    """Return the depth of the phantom, carried without a deformation."""
    nothing = np.zeros((12, 14, 12, 3), np.float32)
    grid = np.diag([20.0, 20, 20, 1])
    grid[:3, 3] = phantom.affine[:3, 3]
    return carry_depth(phantom.depth, phantom.affine, nothing, grid)


def test_without_a_deformation_the_mask_is_that_of_the_template(phantom, carried):
    mask = find_brain(phantom.depth.shape, phantom.affine, *carried, 0.0)
    assert dice(mask, phantom.depth > 0) > 0.99


@pytest.mark.parametrize("code", CODES)
def test_left_stays_left_in_every_orientation(phantom, carried, code):
    shape, affine = phantom.depth.shape, phantom.affine
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(code))
    turned = nib.Nifti1Image(np.zeros(shape, np.uint8), affine).as_reoriented(turn)
    mask = find_brain(turned.shape, turned.affine, *carried, 0.0)
    upright = find_brain(shape, affine, *carried, 0.0)
    assert np.array_equal(mask, apply_orientation(upright, turn))
    assert not np.array_equal(upright, upright[::-1])


def test_growth_adds_a_shell(phantom, carried):
    tight = find_brain(phantom.depth.shape, phantom.affine, *carried, 0.0)
    grown = find_brain(phantom.depth.shape, phantom.affine, *carried, 4.0)
    assert (grown & tight).sum() == tight.sum()
    assert 1.1 < grown.sum() / tight.sum() < 1.3


def test_only_the_largest_part_is_kept_and_filled():
    mask = np.zeros((8, 9, 10), bool)
    mask[1:6, 1:6, 1:6] = True
    mask[3, 3, 3] = False
    mask[7, 8, 9] = True
    kept = keep_largest(mask)
    assert kept.sum() == 125
    assert kept[3, 3, 3]


def test_the_command_blanks_what_is_outside(phantom, phantom_files):
    image = phantom.scan(np.eye(4))
    nib.save(image, phantom_files / "scan.nii.gz")
    registration = Registration(np.eye(4).tolist(), 0.8, 0.7, [1, 1, 1], 0, 1, True)
    write_registration(phantom_files / "registration.json", registration)
    grid = np.diag([20.0, 20, 20, 1])
    grid[:3, 3] = phantom.affine[:3, 3]
    write_volume(phantom_files / "deformation.nii.gz", np.zeros((12, 14, 12, 3), np.float32), grid)
    files = {"scan": "scan.nii.gz", "depth": "depth.nii.gz", "registration": "registration.json"}
    files |= {"deformation": "deformation.nii.gz", "mask": "mask.nii.gz", "volume": "stripped.nii.gz"}
    line = [word for name, file in files.items() for word in (f"--{name}", str(phantom_files / file))]
    main([*line, "--growth-mm", "0"])
    mask, affine = read_volume(phantom_files / "mask.nii.gz")
    stripped, _ = read_volume(phantom_files / "stripped.nii.gz")
    assert mask.dtype == np.uint8
    assert np.allclose(affine, image.affine)
    assert (stripped[mask == 0] == 0).all()
    assert np.abs(stripped - image.get_fdata())[mask > 0].max() < 0.1
