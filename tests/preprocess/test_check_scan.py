"""The check of a scan."""

import json

import nibabel as nib
import numpy as np
import pytest

from neurobar.data.volumes import write_volume
from neurobar.preprocess.check_scan import main, measure_fit, measure_scan
from neurobar.preprocess.registration import Registration, digest_scan, write_registration


def test_a_scan_is_measured_by_hand():
    mask = np.zeros((4, 5, 6), bool)
    mask[1:3, 1:3, 1:3] = True
    raw = np.where(mask, 100.0, 10)
    raw[1, 1, 1], raw[2, 2, 2] = 0, 200
    measured = measure_scan(raw, np.diag([10, 20, 30, 1.0]), mask)
    assert measured["spacing_mm"] == [10, 20, 30]
    assert measured["brain_ml"] == 48
    assert measured["clipped"] == pytest.approx(1 / 8)
    assert measured["missing"] == pytest.approx(1 / 8)


def test_a_brain_overlaps_itself():
    volume = np.zeros((6, 7, 8), np.float32)
    volume[1:5, 1:6, 1:7] = np.random.default_rng(0).uniform(0.5, 1.5, (4, 5, 6))
    assert measure_fit(volume, volume, volume > 0) == {"overlap": 1, "correlation": 1}
    assert measure_fit(np.zeros_like(volume), volume, volume > 0) == {"overlap": 0, "correlation": 0}


@pytest.mark.parametrize("credible", [True, False])
def test_the_command_writes_measures_and_a_picture(phantom, tmp_path, credible):
    scan = phantom.scan(np.eye(4), phantom.depth.shape, phantom.affine)
    nib.save(scan, tmp_path / "scan.nii.gz")
    mask = phantom.depth > 0
    brain = np.where(mask, np.asarray(scan.dataobj), 0).astype(np.float32)
    write_volume(tmp_path / "mask.nii.gz", mask.astype(np.uint8), phantom.affine)
    for name in ("volume", "template"):
        write_volume(tmp_path / f"{name}.nii.gz", brain, phantom.affine)
    registration = Registration(np.eye(4).tolist(), 0.8, 0.7, [1.1, 1.0, 0.9], 0.02, 0.01, 6, credible)
    write_registration(tmp_path / "registration.json", registration, digest_scan(tmp_path / "scan.nii.gz"))
    files = {name: f"{name}.nii.gz" for name in ("scan", "mask", "volume", "template")}
    files |= {"template-mask": "mask.nii.gz", "registration": "registration.json"}
    files |= {"check": "check.json", "picture": "check.png", "bias": "bias.json"}
    (tmp_path / "bias.json").write_text('{"bias_range": 1.4}')
    line = [word for name, file in files.items() for word in (f"--{name}", str(tmp_path / file))]
    main([*line, "--name", "sub-01", "--prepared", "unbiased", "--method", "supplied"])
    check = json.loads((tmp_path / "check.json").read_text())
    assert {"scan": "sub-01", "prepared": "unbiased", "skull_strip": "supplied"}.items() <= check.items()
    assert {"overlap": 1, "outside": 0.01, "credible": credible, "bias_range": 1.4}.items() <= check.items()
    assert (tmp_path / "check.png").read_bytes().startswith(b"\x89PNG")
    nib.save(nib.Nifti1Image(2 * np.asarray(scan.dataobj), scan.affine, scan.header), tmp_path / "scan.nii.gz")
    with pytest.raises(
        SystemExit, match=r"scan\.nii\.gz: the file changed since it was registered; give the command again"
    ):
        main([*line, "--name", "sub-01"])


def test_a_scan_without_a_brain_is_measured():
    empty = np.zeros((4, 5, 6))
    measured = measure_scan(empty + 1, np.eye(4), empty > 0)
    assert measured["brain_ml"] == 0
    assert measured["missing"] == 1
