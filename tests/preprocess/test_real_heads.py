"""Registration and skull stripping of real heads, beside a segmentation that nobody here made."""

import nibabel as nib
import numpy as np
import pytest

from neurobar.preprocess.registration import read_registration

pytestmark = [pytest.mark.slow, pytest.mark.real]


@pytest.mark.parametrize("subject", ["sub-IXI132", "sub-IXI033"])
def test_the_mask_of_a_whole_head_agrees_with_a_segmentation(real_scans, find_brain, tmp_path, subject):
    folder = real_scans / "ixi-2mm"
    mask, _ = find_brain(folder / subject / "anat" / f"{subject}_T1w.nii.gz", tmp_path)
    truth = folder / "derivatives" / "dlmuse" / subject / "anat" / f"{subject}_desc-DLMUSE_dseg.nii.gz"
    inside = np.asarray(nib.load(truth).dataobj) > 0
    assert 2 * (mask & inside).sum() / (mask.sum() + inside.sum()) > 0.945


def test_thick_slices_of_a_defaced_head_do_not_pass_the_scalp_for_the_brain(real_scans, find_brain, tmp_path):
    scan = real_scans / "thick-slice" / "sub-ms12" / "anat" / "sub-ms12_T1w.nii.gz"
    mask, affine = find_brain(scan, tmp_path)
    assert read_registration(tmp_path / "registration.json").credible
    assert 1000 < mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000 < 1800
