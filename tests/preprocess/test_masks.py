"""Brain masks that come from elsewhere."""

import os
import stat
import sys

import nibabel as nib
import numpy as np
import pytest

from neurobar.data import gpu_locks
from neurobar.preprocess.masks import read_mask, run_hd_bet

SHAPE, AFFINE = (6, 7, 8), np.diag([1.0, 2, 3, 1])

#: Stands in for HD-BET 2: takes its options alone and writes what it would write, a mask of what is above the mean.
STAND_IN = """#!{python}
import argparse, os, sys
import nibabel as nib, numpy as np
parser = argparse.ArgumentParser()
parser.add_argument("-i", "--input", required=True)
parser.add_argument("-o", "--output", required=True)
parser.add_argument("-device", default="cuda")
for name in ("disable_tta", "save_bet_mask", "no_bet_image", "verbose"):
    parser.add_argument("--" + name, action="store_true")
args = parser.parse_args()
assert args.output.endswith(".nii.gz") and args.save_bet_mask and args.no_bet_image
assert args.disable_tta == (args.device == "cpu")
{fault}
image = nib.load(args.input)
volume = np.asarray(image.dataobj)
mask = (volume > volume.mean()).astype(np.uint8)
nib.save(nib.Nifti1Image(mask, image.affine), args.output[:-7] + "_bet.nii.gz")
"""


@pytest.fixture
def hd_bet(tmp_path, monkeypatch):
    """Put a stand-in for HD-BET on the path; return a function that makes it fail."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(fault=""):
        command = folder / "hd-bet"
        command.write_text(STAND_IN.format(python=sys.executable, fault=fault))
        command.chmod(command.stat().st_mode | stat.S_IEXEC)

    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), *os.get_exec_path()]))
    install()
    return install


def save(path, array, affine=AFFINE):
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


def ball():
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 2:5, 2:6] = 1
    return mask


def test_a_mask_on_the_grid_of_its_scan_is_read(tmp_path):
    rounded = AFFINE + 1e-4
    rounded[3] = AFFINE[3]
    assert np.array_equal(read_mask(save(tmp_path / "m.nii.gz", ball(), rounded), SHAPE, AFFINE), ball() > 0)
    assert read_mask(save(tmp_path / "m.nii.gz", ball()[..., None] * 0.7), SHAPE, AFFINE).shape == SHAPE


@pytest.mark.parametrize(
    ("array", "affine", "words"),
    [
        (ball()[:-1], AFFINE, "another grid"),
        (ball()[..., None].repeat(2, 3), AFFINE, "another grid"),
        (ball(), np.diag([-1.0, 2, 3, 1]), "another grid"),
        (ball(), np.diag([1.0, 2, 3.2, 1]), "another grid"),
        (ball() * 0, AFFINE, "is empty"),
    ],
)
def test_a_mask_that_does_not_belong_to_its_scan_is_refused(tmp_path, array, affine, words):
    path = save(tmp_path / "m.nii.gz", array, affine)
    with pytest.raises(ValueError, match=rf"m\.nii\.gz.*{words}"):
        read_mask(path, SHAPE, AFFINE)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x1f\x8b broken"])
def test_what_is_no_image_is_refused_by_name(tmp_path, content):
    (tmp_path / "m.nii.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.nii\.gz"):
        read_mask(tmp_path / "m.nii.gz", SHAPE, AFFINE)


def test_a_coloured_and_a_damaged_mask_are_refused_by_name(tmp_path):
    colours = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    path = save(tmp_path / "m.nii", colours)
    with pytest.raises(ValueError, match=r"m\.nii: no mask of this scan"):
        read_mask(path, SHAPE, AFFINE)
    content = bytearray(save(path, ball()).read_bytes())
    content[70:72] = np.array(333, "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.nii: no mask of this scan"):
        read_mask(path, SHAPE, AFFINE)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_hd_bet_is_called_with_options_that_it_knows(hd_bet, device):
    volume = 5 + 90 * ball().astype(np.float32)
    assert np.array_equal(run_hd_bet(nib.Nifti1Image(volume, AFFINE), device), ball() > 0)


def test_hd_bet_computes_on_a_gpu_of_its_own_and_keeps_it(hd_bet, tmp_path, monkeypatch):
    (tmp_path / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho 'GPU 0: Card (UUID: GPU-1)'\n")
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "NEUROBAR_GPUS"):
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    monkeypatch.setenv("NEUROBAR_GPU_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(gpu_locks, "_held", [])
    # The lock is the command's own too: it inherits an open file.
    hd_bet(
        "assert os.environ['CUDA_VISIBLE_DEVICES'] == 'GPU-1'\n"
        f"assert '{tmp_path}/locks/GPU-1' in {{os.path.realpath(f'/proc/self/fd/{{n}}') for n in range(64)}}"
    )
    run_hd_bet(nib.Nifti1Image(5 + 90 * ball().astype(np.float32), AFFINE), "cuda")
    gpu_locks.release_gpus()


def test_the_last_word_of_a_failing_hd_bet_is_passed_on(hd_bet):
    hd_bet("sys.exit('no weights and no network')")
    with pytest.raises(ValueError, match=r"hd-bet failed \(exit 1\): no weights and no network\."):
        run_hd_bet(nib.Nifti1Image(ball().astype(np.float32), AFFINE), "cpu")


def test_without_hd_bet_the_cure_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"pip install \.\[hdbet\]"):
        run_hd_bet(nib.Nifti1Image(ball().astype(np.float32), AFFINE), "cpu")
