"""Left stays left: a mark on one side of a head is on that side on the grid, however the scan is stored."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from scipy.spatial.transform import Rotation

from neurobar.data.resampling import resample
from neurobar.data.volumes import GRID_AFFINE, read_volume
from neurobar.preprocess import correct_bias, register_scan, resample_scan, strip_skull

# Every flip of the usual order, and every other order of the axes once; test_strip_skull.py tries all 48.
CODES = ["RAS", "LAS", "RPS", "RAI", "LPS", "LAI", "RPI", "LPI", "PSR", "SLA", "AIL", "IPR", "LSA"]
NAMES = ("scan", "head", "depth", "deformation", "mask", "stripped", "n4", "volume")


@pytest.fixture(scope="module")
def marked(phantom):
    """Image the phantom, tilted, with a dark mark in the right half of its brain; the place of the mark is known."""
    tilted = np.eye(4)
    tilted[:3, :3] = Rotation.from_euler("xyz", (8, 5, -6), degrees=True).as_matrix()
    tilted[:3, 3] = 6, -4, 9
    places = np.stack(np.meshgrid(*[np.arange(length) for length in phantom.head.shape], indexing="ij"), axis=-1)
    centre = np.linalg.inv(phantom.affine) @ [34, -40, 20, 1]
    mark = ((places - centre[:3]) ** 2).sum(axis=-1) < 3**2
    head = np.where(mark, 0.02, phantom.head)
    affine = np.diag([4.0, 4, 4, 1])
    affine[:3, 3] = -104, -120, -132
    volume = 700 * resample(head, phantom.affine, (52, 60, 66), np.linalg.inv(tilted) @ affine)
    return nib.Nifti1Image(volume, affine)


def run_chain(folder):
    """Run the commands from the raw scan to the grid."""
    path = {name: str(folder / f"{name}.nii.gz") for name in NAMES} | {"registration": str(folder / "r.json")}

    def named(*names, **others):
        return [word for name, key in {**{n: n for n in names}, **others}.items() for word in (f"--{name}", path[key])]

    settings = ["--settings", (folder / "settings.json").read_text()]
    register_scan.main([*named("scan", "head", "depth", "registration", "deformation"), *settings])
    words = named("scan", "depth", "registration", "deformation", "mask", volume="stripped")
    strip_skull.main([*words, "--growth-mm", "0"])
    passed_over = ["--spline-mm", "200", "--prepared", "unbiased", "--bias", str(folder / "bias.json")]
    correct_bias.main([*named("mask", volume="stripped", output="n4"), *passed_over])
    words = named("mask", "registration", "deformation", volume="n4", output="volume")
    resample_scan.main([*words, "--normalisation", "affine"])
    return read_volume(path["volume"])[0]


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_a_mark_on_the_right_is_on_the_right_of_the_grid(phantom_files, marked, code):
    turn = ornt_transform(io_orientation(marked.affine), axcodes2ornt(code))
    stored = marked.as_reoriented(turn)
    stored.set_sform(stored.affine, code=1)
    nib.save(stored, phantom_files / "scan.nii.gz")
    assert "".join(nib.aff2axcodes(nib.load(phantom_files / "scan.nii.gz").affine)) == code
    volume = run_chain(phantom_files)
    right, left = (
        volume[tuple(np.rint(np.linalg.inv(GRID_AFFINE) @ [side, -40, 20, 1]).astype(int)[:3])] for side in (34, -34)
    )
    assert 0 < right < 0.3
    assert left > 0.5
