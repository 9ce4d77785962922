"""The brain mask on the grid of the scan."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from neurobar.data.volumes import read_volume, write_volume
from neurobar.preprocess.registration import Registration, digest_scan, write_registration
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


@pytest.fixture
def strip(phantom, phantom_files):
    """Return a function that runs the command on an upright phantom, and returns image, mask and stripped volume."""
    image = phantom.scan(np.eye(4))
    registration = Registration(np.eye(4).tolist(), 0.8, 0.7, [1, 1, 1], 0, 0, 1, True)
    grid = np.diag([20.0, 20, 20, 1])
    grid[:3, 3] = phantom.affine[:3, 3]
    write_volume(phantom_files / "deformation.nii.gz", np.zeros((12, 14, 12, 3), np.float32), grid)
    names = ("scan", "depth", "deformation", "mask")
    files = {name: f"{name}.nii.gz" for name in names} | {"registration": "registration.json", "volume": "out.nii.gz"}
    line = [word for name, file in files.items() for word in (f"--{name}", str(phantom_files / file))]

    def run(*words, scan=image, registered=None):
        nib.save(scan, phantom_files / "scan.nii.gz")
        write_registration(
            phantom_files / "registration.json", registration, registered or digest_scan(phantom_files / "scan.nii.gz")
        )
        main([*line, "--growth-mm", "0", *words])
        (mask, affine), (stripped, _) = (read_volume(phantom_files / name) for name in ("mask.nii.gz", "out.nii.gz"))
        assert mask.dtype == np.uint8
        assert np.allclose(affine, image.affine)
        return image, mask > 0, stripped

    return run


def test_the_command_blanks_what_is_outside(strip):
    image, mask, stripped = strip("--prepared")
    assert (stripped[~mask] == 0).all()
    assert np.abs(stripped - image.get_fdata())[mask].max() < 0.1


def test_a_supplied_mask_is_taken_as_it_is(strip, tmp_path):
    image, found, _ = strip()
    supplied = np.zeros(image.shape, np.uint8)
    supplied[20:30, 25:35, 30:40] = 1
    nib.save(nib.Nifti1Image(supplied, image.affine), tmp_path / "supplied.nii.gz")
    words = ("--method", "supplied", "--supplied", str(tmp_path / "supplied.nii.gz"))
    _, mask, stripped = strip(*words)
    assert np.array_equal(mask, supplied > 0)
    assert np.array_equal(stripped > 0, (supplied > 0) & (image.get_fdata() > 0))
    assert not np.array_equal(mask, found)


def test_a_mask_of_another_scan_ends_with_one_sentence(strip, tmp_path):
    nib.save(nib.Nifti1Image(np.ones((5, 6, 7), np.uint8), np.eye(4)), tmp_path / "other.nii.gz")
    with pytest.raises(SystemExit, match=r"other\.nii\.gz.*another grid"):
        strip("--method", "supplied", "--supplied", str(tmp_path / "other.nii.gz"))


def test_the_mask_of_hd_bet_is_cleaned_and_used(strip, monkeypatch):
    image, *_ = strip()
    found = np.zeros(image.shape, bool)
    found[20:30, 25:35, 30:40] = True
    found[25, 30, 35] = found[2, 2, 2] = False
    found[5, 5, 5] = True
    devices = []
    monkeypatch.setattr(
        "neurobar.preprocess.strip_skull.run_hd_bet", lambda _image, device: devices.append(device) or found
    )
    _, mask, _ = strip("--method", "hd_bet", "--device", "cuda")
    assert mask.sum() == 1000
    assert devices == ["cuda"]


@pytest.mark.parametrize("method", ["atlas", "hd_bet", "supplied"])
def test_of_a_stripped_scan_all_that_is_left_is_brain(strip, method):
    image, mask, _ = strip()
    brain = nib.Nifti1Image(np.where(mask, image.get_fdata() + 1, 0).astype(np.float32), image.affine)
    _, kept, stripped = strip("--prepared", "stripped+unbiased", "--method", method, scan=brain)
    assert np.array_equal(kept, mask)
    assert np.abs(stripped - brain.get_fdata()).max() < 0.1


def test_a_scan_that_was_replaced_since_it_was_registered_is_refused(strip):
    with pytest.raises(
        SystemExit, match=r"scan\.nii\.gz: the file changed since it was registered; give the command again"
    ):
        strip(registered="of another file")
