"""The grid that every volume ends on, and the reading of raw heads."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from neurobar.data.files import written_whole
from neurobar.data.headers import FEWEST_VOXELS, check_header, check_length, read_affine, read_header

#: Voxels of the grid: 96 x 96 x 96 of 2 mm, axes right-anterior-superior.
GRID_SHAPE = (96, 96, 96)
GRID_SPACING_MM = 2.0
#: From voxel indices to ICBM152 (2009a) millimetres. The first axis is symmetric about 0, so flipping it swaps the
#: hemispheres; the brain of the template (-72..72, -107..73, -72..82 mm) lies inside with 5 mm to spare or more.
GRID_AFFINE = np.array([[2.0, 0, 0, -95], [0, 2, 0, -112], [0, 0, 2, -90], [0, 0, 0, 1]])
GRID_AFFINE.flags.writeable = False

#: Part of the voxels that may be NaN or infinite; they become 0. More than that is a broken file.
MOST_UNDEFINED = 0.01
#: A magnitude image has nothing below 0 but the ringing of an interpolation; CT has air at -1000 of about 2000.
MOST_BELOW_ZERO, BELOW_ZERO = 0.01, -0.05


def read_head(path: str | Path) -> nib.Nifti1Image:
    """Read a raw T1 head and refuse what cannot be one.

    The axes stay as stored, so results can be laid over the file; use the affine to find left.

    Parameters
    ----------
    path : path
        NIfTI file, compressed or not.

    Returns
    -------
    nibabel.Nifti1Image
        Three-dimensional float32 image, 0 or above; negative, and few NaN or infinite, voxels are 0.

    Raises
    ------
    ValueError
        With one sentence that names the file, if it cannot be read or is no head.
    """
    with refused(path):
        image = read_image(path, dtype=np.float32)
        return nib.Nifti1Image(clean_intensities(np.asarray(image.dataobj)), image.affine)


def read_image(path: str | Path, *, dtype: type | None = None, fewest: int = FEWEST_VOXELS) -> nib.Nifti1Image:
    """Read a volume of somebody else's, once its header and its length are in order; see `refused`.

    Parameters
    ----------
    path : path
        NIfTI file, compressed or not.
    dtype : type, optional
        Of the voxels; without it integers stay as they are stored, unless the header scales them.
    fewest : int
        Voxels that each axis has at least.

    Returns
    -------
    nibabel.Nifti1Image
        Three-dimensional.
    """
    with _unchanged(path):
        raw = read_header(path)
        check_header(raw, fewest)
        check_length(path, raw)
        header = nib.Nifti1Header(raw.binaryblock, raw.endianness)
        # Figures without a meaning are looked for elsewhere: they need no warning too.
        with np.errstate(over="ignore", invalid="ignore"):
            affine = read_affine(header)
            # Not mapped into memory: a file that becomes shorter would end the process.
            volume = np.asanyarray(ArrayProxy(path, header, mmap=False), dtype=dtype)
    return nib.Nifti1Image(volume.reshape(volume.shape[:3]), affine, dtype=volume.dtype)


@contextmanager
def refused(path: str | Path) -> Iterator[None]:
    """Say in one sentence that names the file what was wrong with it.

    Raises
    ------
    ValueError
    """
    try:
        yield
    except PermissionError:
        raise ValueError(f"{path}: the file may not be read (no permission).") from None
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file.") from None
    except (ImageFileError, HeaderDataError, WrapStructError, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"{path}: not a whole NIfTI file ({' '.join(str(error).split())}).") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


@contextmanager
def _unchanged(path: str | Path) -> Iterator[None]:
    """Refuse a file that is not the same before and after; what else went wrong may have come from that."""
    before = _state(path)
    try:
        yield
    finally:
        if _state(path) != before:
            raise ValueError("the file changed while it was read; run again when it is whole.") from None


def _state(path: str | Path) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def clean_intensities(volume: np.ndarray) -> np.ndarray:
    """Replace the few voxels without a meaning by 0.

    Parameters
    ----------
    volume : float (D, H, W)
        Raw intensities.

    Returns
    -------
    float32 (D, H, W)
        Finite, 0 or above.

    Raises
    ------
    ValueError
        If too many voxels are undefined or far below 0, or nothing is left to see.
    """
    undefined = ~np.isfinite(volume)
    if undefined.mean() > MOST_UNDEFINED:
        raise ValueError(f"{100 * undefined.mean():.1f} % of the voxels are NaN or infinite.")
    volume = np.where(undefined, 0, volume).astype(np.float32)
    below = (
        float((volume < BELOW_ZERO * np.percentile(volume, 99.5, method="lower")).mean()) if volume.min() < 0 else 0.0
    )
    if below > MOST_BELOW_ZERO:
        raise ValueError(f"{100 * below:.0f} % of the voxels are far below 0, as in CT; a T1 image is 0 or above.")
    clean = np.maximum(volume, 0)
    if np.count_nonzero(clean) < FEWEST_VOXELS**3 // 8 or clean.min() == clean.max():
        raise ValueError("the image is empty or constant.")
    return clean


def write_volume(path: str | Path, volume: np.ndarray, affine: np.ndarray) -> None:
    """Write a volume whole or not at all, in millimetres of scanner or template space.

    Floating-point volumes are stored as 16-bit integers with a scale factor and no
    offset: 0 stays exactly 0, what is above 0 stays above 0, and the rounding error is
    at most the largest magnitude divided by 65,000. Other types stay.

    Parameters
    ----------
    path : path
        Ends in `.nii` or `.nii.gz`.
    volume : (D, H, W) or (D, H, W, 3)
        Intensities or displacements, or a mask or labels as uint8.
    affine : float (4, 4)
        From voxel indices to millimetres, right-anterior-superior.
    """
    stored, step = volume, 1.0
    if volume.dtype.kind == "f":
        step = max(float(np.abs(volume).max()), 1e-6) / 32767
        stored = np.rint(volume / step).astype(np.int16)
        stored[(stored == 0) & (volume > 0)] = 1
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(step, 0)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=2)
    image.set_qform(affine, code=2)
    with written_whole(path) as partial:
        nib.save(image, partial)


def read_volume(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume that an earlier stage wrote.

    Returns
    -------
    volume : (D, H, W)
        float32, or the stored type where voxels are unscaled integers (masks and labels).
    affine : float (4, 4)
        From voxel indices to millimetres, right-anterior-superior.
    """
    image = nib.load(path)
    volume = np.asanyarray(image.dataobj)
    return (volume.astype(np.float32) if volume.dtype.kind == "f" else volume), image.affine
