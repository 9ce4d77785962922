"""Real heads that are turned, moved, cropped, stored otherwise and scaled keep their brain mask."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from neurobar.data.resampling import cover, grid_points, resample

pytestmark = [pytest.mark.slow, pytest.mark.real]

#: Head, rotation about right, anterior and superior [degrees], movement [mm], cropped at the neck, interpolated anew
#: with the movement as air around the head (or all in the header alone), axes stored the other way round.
TURNS = [
    ("ixi-2mm/sub-IXI033", (28, -12, 20), (60, -60, 35), True, True, (0, 2)),
    ("ixi-2mm/sub-IXI132", (-30, 8, -15), (-45, 20, 60), False, True, (1,)),
    ("ixi-2mm/sub-IXI443", (10, 30, -30), (5, 60, -60), True, False, (0, 1, 2)),
    ("fullres/sub-adi", (-20, -25, 30), (-60, -30, 10), True, False, (1, 2)),
    ("thick-slice/sub-ms01", (-23, -21, -17), (30, 55, -50), False, True, (0,)),
]


def crop_neck(volume, affine, mask):
    """Cut off what lies more than a centimetre below the brain, at right angles to the stored axes."""
    below = grid_points(volume.shape, affine)[..., 2] < apply_affine(affine, np.argwhere(mask))[:, 2].min() - 10
    axis = int(np.abs(affine[2, :3]).argmax())
    kept = np.flatnonzero(~below.all(axis=tuple({0, 1, 2} - {axis})))
    part = [slice(None)] * 3
    part[axis] = slice(kept[0], kept[-1] + 1)
    moved = affine.copy()
    moved[:3, 3] += affine[:3, axis] * kept[0]
    return volume[tuple(part)], moved, mask[tuple(part)]


def turn(volume, affine, mask, *, degrees, shift_mm, interpolated):
    """Turn and move a head in its scanner."""
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    move[:3, 3] = shift_mm
    turned = move @ affine
    if not interpolated:
        return volume, turned, mask
    shape, upright = cover(volume.shape, turned, max(np.linalg.norm(affine[:3, :3], axis=0).min(), 1.0))
    # Air on one side of each axis, so that the head is as far from the middle of the image as it moved.
    air = np.rint(np.abs(shift_mm) / upright[0, 0]).astype(int)
    shape = tuple(int(length) for length in shape + air)
    upright[:3, 3] -= np.where(np.array(shift_mm) > 0, air, 0) * upright[0, 0]
    head, inside = (resample(image, turned, shape, upright) for image in (volume, mask))
    return head, upright, inside > 0.5


def flip(volume, affine, mask, axes):
    """Store axes the other way round; the anatomy stays."""
    flipped = affine.copy()
    for axis in axes:
        flipped[:3, 3] += flipped[:3, axis] * (volume.shape[axis] - 1)
        flipped[:3, axis] *= -1
    return np.flip(volume, axes), flipped, np.flip(mask, axes)


@pytest.mark.parametrize(("head", "degrees", "shift_mm", "cropped", "interpolated", "flipped"), TURNS)
def test_a_head_keeps_its_mask(
    real_scans, find_brain, tmp_path, head, degrees, shift_mm, cropped, interpolated, flipped
):
    path = next((real_scans / head).rglob("*_T1w.nii.gz"))
    mask, affine = find_brain(path, tmp_path)
    volume = nib.load(path).get_fdata(dtype=np.float32).reshape(mask.shape)
    if cropped:
        volume, affine, mask = crop_neck(volume, affine, mask)
    volume, affine, mask = turn(volume, affine, mask, degrees=degrees, shift_mm=shift_mm, interpolated=interpolated)
    volume, affine, mask = flip(volume, affine, mask, flipped)
    image = nib.Nifti1Image(1000 * volume, affine)
    image.set_sform(affine, code=1)
    nib.save(image, tmp_path / "turned.nii.gz")
    found, _ = find_brain(tmp_path / "turned.nii.gz", tmp_path)
    assert 2 * (found & mask).sum() / (found.sum() + mask.sum()) > 0.97
