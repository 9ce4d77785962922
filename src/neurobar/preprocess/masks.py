"""Brain masks that come from elsewhere: from a file, or from HD-BET."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from neurobar.data.gpu_locks import held_files, take_gpus

#: How far a corner of the grid of a mask may lie from that of its scan; programs round headers differently [voxels].
TOLERANCE_VOXELS = 0.1
#: What nibabel raises for a file that is damaged or of another kind.
UNREADABLE = (OSError, ValueError, TypeError, EOFError, zlib.error, ImageFileError, HeaderDataError, WrapStructError)


def read_mask(path: str | Path, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Read a brain mask that lies on the grid of a scan.

    Parameters
    ----------
    path : path
        NIfTI image, above 0 inside the brain.
    shape, affine
        Grid of the scan.

    Returns
    -------
    bool `shape`

    Raises
    ------
    ValueError
        With one sentence that names the file, if it cannot be read, is empty or lies on another grid.
    """
    try:
        image = nib.load(path)
        if not lies_on(image, shape, affine):
            raise ValueError(f"it lies on another grid than its scan (shape {image.shape}, the scan {tuple(shape)})")
        mask = np.asarray(image.dataobj).reshape(shape) > 0
    except UNREADABLE as error:
        raise ValueError(f"{path}: no mask of this scan: {' '.join(str(error).split())}.") from None
    if not mask.any():
        raise ValueError(f"{path}: the mask is empty.")
    return mask


def lies_on(image: nib.Nifti1Image, shape: tuple[int, ...], affine: np.ndarray) -> bool:
    """Tell whether an image has the voxels of a grid, but for the rounding of headers."""
    if image.shape[:3] != tuple(shape) or any(length != 1 for length in image.shape[3:]):
        return False
    corners = np.array(np.meshgrid(*[(0, length - 1) for length in shape])).reshape(3, -1).T
    apart = apply_affine(np.linalg.inv(affine) @ image.affine, corners) - corners
    return bool(np.abs(apart).max() < TOLERANCE_VOXELS)


def run_hd_bet(image: nib.Nifti1Image, device: str) -> np.ndarray:
    """Strip a head by HD-BET.

    Parameters
    ----------
    image : nibabel.Nifti1Image
        A head, as `read_head` returns it.
    device : {"cpu", "cuda"}
        Where HD-BET computes.

    Returns
    -------
    bool (D, H, W)
        True inside the brain.

    Raises
    ------
    ValueError
        With one sentence, if HD-BET is not installed or fails.

    Notes
    -----
    Source: Isensee et al., Human Brain Mapping 2019; 40: 4952-4964. Version 2 fetches its weights at its first use.
    """
    if shutil.which("hd-bet") is None:
        raise ValueError("There is no command hd-bet: install it by `pip install .[hdbet]`, or set skull_strip: atlas.")
    device = take_gpus(device)
    with tempfile.TemporaryDirectory() as folder:
        scan, brain = Path(folder, "scan.nii.gz"), Path(folder, "brain.nii.gz")
        nib.save(image, scan)
        command = ["hd-bet", "-i", str(scan), "-o", str(brain), "-device", device, "--save_bet_mask", "--no_bet_image"]
        # Averaging over mirrored copies makes it eight times slower, too slow for a CPU.
        command += ["--disable_tta"] if device == "cpu" else []
        # What it inherits keeps its GPU if this process is killed before it.
        done = subprocess.run(command, capture_output=True, text=True, pass_fds=held_files())
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise ValueError(f"hd-bet failed (exit {done.returncode}): {said}.")
        return read_mask(Path(folder, "brain_bet.nii.gz"), image.shape, image.affine)
