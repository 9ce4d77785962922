"""The correction of the bias field."""

import json

import numpy as np
import pytest

from neurobar.data.resampling import grid_points
from neurobar.data.volumes import read_volume, write_volume
from neurobar.preprocess.correct_bias import carry_field, main, remove_bias


@pytest.fixture(scope="module")
def brain(phantom):
    """Return grey and white matter under a drift of 60 % from left to right."""
    mask = phantom.depth > 0
    drift = 1 + 0.3 * grid_points(mask.shape, phantom.affine)[..., 0] / 60
    return np.where(mask, 500 * phantom.head * drift, 0).astype(np.float32), mask


def drift_of(volume, mask):
    """Return by how much white matter is brighter on the right half than on the left."""
    half = mask.shape[0] // 2
    left, right = (
        np.percentile(part[inside], 80) for part, inside in ((volume[:half], mask[:half]), (volume[half:], mask[half:]))
    )
    return right / left


def test_most_of_a_drift_is_removed(phantom, brain):
    volume, mask = brain
    corrected = remove_bias(volume, mask, phantom.affine, 200)
    assert drift_of(volume, mask) > 1.2
    assert abs(drift_of(corrected, mask) - 1) < 0.25 * (drift_of(volume, mask) - 1)
    assert (corrected[~mask] == 0).all()
    assert np.isfinite(corrected).all()


def test_the_mean_of_the_brain_stays_about_the_same(phantom, brain):
    volume, mask = brain
    corrected = remove_bias(volume, mask, phantom.affine, 200)
    assert corrected[mask].mean() == pytest.approx(volume[mask].mean(), rel=0.1)


def test_a_field_keeps_its_range_outside_the_brain():
    field = np.full((6, 7, 8), 1.0, np.float32)
    field[0] = 50
    mask = np.zeros(field.shape, bool)
    mask[2:5, 2:5, 2:5] = True
    field[3] = 1.2
    carried = carry_field(field, mask, np.eye(4), (6, 7, 8), np.eye(4))
    assert carried.max() == pytest.approx(1.2, rel=1e-5)
    assert carried.min() == pytest.approx(1.0, rel=1e-5)


def test_a_mask_too_small_for_a_brain_leaves_the_scan(phantom, brain):
    volume, _ = brain
    mask = np.zeros(volume.shape, bool)
    mask[20:22, 20:22, 20:22] = True
    corrected = remove_bias(volume, mask, phantom.affine, 200)
    assert np.array_equal(corrected, np.where(mask, volume, 0))


@pytest.mark.parametrize(("prepared", "least"), [("", 1.1), ("stripped+unbiased", 1.0)])
def test_the_command_leaves_what_is_free_of_bias_and_writes_the_range_of_the_field(
    phantom, brain, tmp_path, prepared, least
):
    volume, mask = brain
    write_volume(tmp_path / "volume.nii.gz", volume.astype(np.float32), phantom.affine)
    write_volume(tmp_path / "mask.nii.gz", mask.astype(np.uint8), phantom.affine)
    files = {"volume": "volume.nii.gz", "mask": "mask.nii.gz", "output": "n4.nii.gz", "bias": "bias.json"}
    line = [word for name, file in files.items() for word in (f"--{name}", str(tmp_path / file))]
    main([*line, "--spline-mm", "200", "--prepared", prepared])
    found = json.loads((tmp_path / "bias.json").read_text())["bias_range"]
    assert found == 1 if prepared else found > least
    same = np.abs(read_volume(tmp_path / "n4.nii.gz")[0] - volume).max() < 1e-3 * volume.max()
    assert same == bool(prepared)
