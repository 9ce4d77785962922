"""Registration and skull stripping of real heads, beside a segmentation that nobody here made."""

import json

import nibabel as nib
import numpy as np
import pytest
import yaml

from neurobar.data.volumes import read_volume
from neurobar.fetch import fetch_template
from neurobar.preprocess import register_scan, strip_skull
from neurobar.preprocess.registration import read_registration

pytestmark = [pytest.mark.slow, pytest.mark.real]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Write the template."""
    folder = tmp_path_factory.mktemp("template")
    names = ("template", "mask", "head", "depth")
    outputs = [word for name in names for word in (f"--{name}", str(folder / f"{name}.nii.gz"))]
    fetch_template.main([*outputs, "--record", str(folder / "template.json")])
    return folder


def find_brain(scan, template, folder, root):
    """Run the two commands with the settings of the default study; return the mask and its affine."""
    settings = yaml.safe_load((root / "config.yaml").read_text())["preprocess"]
    registration, deformation = str(folder / "registration.json"), str(folder / "deformation.nii.gz")
    common = ["--scan", str(scan), "--depth", str(template / "depth.nii.gz")]
    common += ["--registration", registration, "--deformation", deformation]
    head = ["--head", str(template / "head.nii.gz"), "--settings", json.dumps(settings["registration"])]
    register_scan.main([*common, *head])
    results = ["--mask", str(folder / "mask.nii.gz"), "--volume", str(folder / "stripped.nii.gz")]
    strip_skull.main([*common, "--growth-mm", str(settings["mask_growth_mm"]), *results])
    mask, affine = read_volume(folder / "mask.nii.gz")
    return mask > 0, affine


@pytest.mark.parametrize("subject", ["sub-IXI132", "sub-IXI033"])
def test_the_mask_of_a_whole_head_agrees_with_a_segmentation(real_scans, template, tmp_path, root, subject):
    folder = real_scans / "ixi-2mm"
    mask, _ = find_brain(folder / subject / "anat" / f"{subject}_T1w.nii.gz", template, tmp_path, root)
    truth = folder / "derivatives" / "dlmuse" / subject / "anat" / f"{subject}_desc-DLMUSE_dseg.nii.gz"
    inside = np.asarray(nib.load(truth).dataobj) > 0
    assert 2 * (mask & inside).sum() / (mask.sum() + inside.sum()) > 0.945


def test_thick_slices_of_a_defaced_head_do_not_pass_the_scalp_for_the_brain(real_scans, template, tmp_path, root):
    scan = real_scans / "thick-slice" / "sub-ms12" / "anat" / "sub-ms12_T1w.nii.gz"
    mask, affine = find_brain(scan, template, tmp_path, root)
    assert read_registration(tmp_path / "registration.json").credible
    assert 1000 < mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000 < 1800
