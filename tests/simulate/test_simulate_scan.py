import hashlib
import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from neurobar.simulate.list_simulated_scans import planned_scans
from neurobar.simulate.scanners import SITES
from neurobar.simulate.simulate_scan import orient_image, simulate_scan


@pytest.fixture(scope="module")
def plan(settings):
    return planned_scans(settings).to_dict("records")[0]


@pytest.fixture(scope="module")
def simulated(plan):
    return simulate_scan(plan)


def run_command(plan, folder):
    names = [folder / name for name in ("scan.nii.gz", "mask.nii.gz", "truth.json")]
    options = [part for pair in zip(("--output", "--mask", "--truth"), map(str, names), strict=True) for part in pair]
    command = [sys.executable, "-m", "neurobar.simulate.simulate_scan", "--plan", json.dumps(plan), *options]
    subprocess.run(command, check=True)
    return [hashlib.sha256(name.read_bytes()).hexdigest() for name in names]


def test_equal_plans_give_equal_files(plan, tmp_path):
    assert run_command(plan, tmp_path / "a") == run_command(plan, tmp_path / "b")


def test_the_true_brain_has_the_volume_of_a_brain(simulated):
    _, mask, truth = simulated
    volume_ml = np.count_nonzero(mask.dataobj) * np.prod(mask.header.get_zooms()) / 1000
    assert 1000 < volume_ml < 2000
    assert truth["volumes_ml"]["brain"] == pytest.approx(volume_ml, rel=0.005)


def test_tissues_have_the_order_of_t1(simulated):
    scan, mask, truth = simulated
    intensities, inside = np.asarray(scan.dataobj), np.asarray(mask.dataobj) > 0
    assert intensities.dtype == np.int16
    assert intensities.min() >= 0
    # The air in the corners is far below the brain, and the brain spreads from fluid to white matter.
    assert np.median(intensities[:5, :5, :5]) < 0.15 * np.median(intensities[inside])
    low, high = np.percentile(intensities[inside], (2, 98))
    assert high > 2.5 * low
    assert truth["volumes_ml"]["grey"] > truth["volumes_ml"]["white"] > truth["volumes_ml"]["ventricles"]


def test_the_head_is_larger_than_the_brain_and_reaches_the_neck(simulated):
    scan, mask, _ = (nib.as_closest_canonical(image) if hasattr(image, "dataobj") else image for image in simulated)
    intensities, inside = np.asarray(scan.dataobj), np.asarray(mask.dataobj) > 0
    head = intensities > 0.25 * np.median(intensities[inside])
    assert head.sum() > 1.8 * inside.sum()
    assert head[:, :, :3].sum() > 1000
    assert not head[:, :, -1].any()


def test_disease_shrinks_the_medial_temporal_lobe_and_widens_the_ventricles(plan):
    healthy, ill = (simulate_scan(plan | {"severity": severity})[2]["volumes_ml"] for severity in (0.0, 0.9))
    for region in ("Hippocampus", "Amygdala", "ParaHippocampal"):
        assert 0.5 < ill[region] / healthy[region] < 0.8
    assert 0.9 < ill["Occipital_Mid"] / healthy["Occipital_Mid"] < 1.0
    assert 1.3 < ill["ventricles"] / healthy["ventricles"] < 2.5
    assert ill["brain"] == pytest.approx(healthy["brain"], rel=0.02)


def test_a_second_session_is_the_same_head_in_another_place(plan, simulated):
    scan, _, truth = simulate_scan(plan | {"session": "ses-2"})
    assert not np.array_equal(scan.dataobj, simulated[0].dataobj)
    assert truth["volumes_ml"] == simulated[2]["volumes_ml"]


@pytest.mark.parametrize("name", SITES)
def test_storage_turns_the_axes_and_not_the_head(name):
    volume = np.random.default_rng(0).integers(0, 99, (4, 5, 6)).astype(np.int16)
    affine = np.diag([2.0, 1.5, 3.0, 1.0])
    image = orient_image(volume, affine, SITES[name].stored)
    assert "".join(nib.aff2axcodes(image.affine)) == SITES[name].stored
    straight = nib.as_closest_canonical(image)
    assert np.array_equal(straight.dataobj, volume)
    assert np.allclose(straight.affine, affine)
