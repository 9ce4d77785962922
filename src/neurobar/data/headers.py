"""The header of a raw head, read and judged before any memory is asked for."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

#: Limits of what can be a T1 of a head. 512^3 voxels are 0.5 GB as float32.
LARGEST_SPACING_MM = 6.0
FEWEST_VOXELS = 32
MOST_VOXELS = 512**3
#: Bytes before the voxels: 352 without extensions, which some scanners make long.
FIRST_OFFSET, LAST_OFFSET = 352, 1 << 26
#: What may follow the voxels, in voxels: less than the smallest plane that a head can have.
MOST_TRAILING = FEWEST_VOXELS**2


def read_header(path: str | Path) -> nib.Nifti1Header:
    """Read a header as it is, before nibabel mends it, and without its extensions.

    Raises
    ------
    nibabel.filebasedimages.ImageFileError
        If the file does not say that it is NIfTI.
    """
    path = Path(path)
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise ImageFileError("its name ends neither in .nii nor in .nii.gz")
    if path.exists() and not path.is_file():
        raise ImageFileError("it is no file")
    if path.is_file() and not path.stat().st_size:
        raise ImageFileError("it is empty")
    with gzip.open(path) if is_compressed(path) else path.open("rb") as stream:
        header = nib.Nifti1Header(stream.read(nib.Nifti1Header.sizeof_hdr), check=False)
    if header["magic"].item() != b"n+1":
        raise ImageFileError("the header lacks the mark of a NIfTI-1 file")
    return header


def is_compressed(path: str | Path) -> bool:
    """Tell whether nibabel will inflate a file, which it decides by the name."""
    return str(path).lower().endswith(".gz")


def check_header(header: nib.Nifti1Header, fewest: int = FEWEST_VOXELS) -> None:
    """Refuse, before anything is allocated, a header that no head can have.

    Parameters
    ----------
    header : nibabel.Nifti1Header
    fewest : int
        Voxels that each axis has at least.

    Raises
    ------
    ValueError
        With the reason.
    nibabel.filebasedimages.ImageFileError
        If it is no head of this format.
    """
    shape = header.get_data_shape()
    try:
        kind = header.get_data_dtype().kind
    except KeyError:
        kind = "unknown"
    if not 3 <= header["dim"][0] <= 7 or any(length != 1 for length in shape[3:]):
        raise ValueError(f"a head has three axes, this image has shape {shape}.")
    if kind not in ("i", "u", "f"):
        raise ValueError("its voxels are no numbers on a scale (colour, complex or unknown type).")
    if min(shape[:3]) < fewest:
        raise ValueError(f"at least {fewest} voxels along each axis are needed, the shape is {shape[:3]}.")
    if np.prod(shape[:3], dtype=float) > MOST_VOXELS:
        raise ValueError(f"the header claims {shape[:3]} voxels, more than {MOST_VOXELS} are not read.")
    spacing = np.asarray(header["pixdim"][1:4], float)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise ValueError(f"voxel spacing has to be positive, the header says {spacing.tolist()} mm.")
    # Only its sign counts, says the format; nibabel takes all but -1 for 1. A sform does without.
    if not 1 <= header["sform_code"] <= 5 and header["pixdim"][0] not in (-1, 0, 1):
        raise ImageFileError(f"its pixdim[0] is {header['pixdim'][0]:g} where -1 or 1 tells left from right")


def read_affine(header: nib.Nifti1Header) -> np.ndarray:
    """Read where an image lies, and refuse one whose place and orientation in space are unknown.

    Parameters
    ----------
    header : nibabel.Nifti1Header
        As nibabel mends it.

    Returns
    -------
    float (4, 4)
        From voxel indices to millimetres, right-anterior-superior.

    Raises
    ------
    ValueError
        With the reason.
    """
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        raise ValueError("sform and qform codes are both 0, so left and right are unknown.")
    try:
        affine = header.get_best_affine()
    except ValueError:  # a quaternion longer than 1 is no rotation
        affine = np.full((4, 4), np.nan)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise ValueError("the affine of the header is singular or not finite.")
    thickest = nib.affines.voxel_sizes(affine).max()
    if thickest > LARGEST_SPACING_MM:
        raise ValueError(f"slices of {thickest:.1f} mm are too thick, at most {LARGEST_SPACING_MM} mm are read.")
    return affine


def check_length(path: str | Path, header: nib.Nifti1Header) -> None:
    """Hold what a header claims against what is there, before memory is asked for.

    A compressed file is read to its end, where its checksum is; nibabel stops before.

    Raises
    ------
    OSError
        If the file is shorter or longer than the header claims, or its checksum is wrong.
    """
    offset = float(header["vox_offset"])
    # From 0 nibabel would read the header as voxels.
    if not (FIRST_OFFSET <= offset <= LAST_OFFSET and offset.is_integer()):
        raise OSError(f"its voxels begin at byte {offset:g}")
    voxel = header.get_data_dtype().itemsize
    spare = MOST_TRAILING * voxel
    claimed = int(offset) + voxel * int(np.prod(header.get_data_shape(), dtype=int))
    found = _measure(path, claimed + spare)
    if found < claimed:
        raise OSError("it is shorter than its header says")
    if found >= claimed + spare:
        raise OSError("it is longer than its header says")


def _measure(path: str | Path, most: int) -> int:
    """Return the bytes of a file as they are when inflated, or more than `most` where there are more."""
    if not is_compressed(path):
        return Path(path).stat().st_size
    found = 0
    with gzip.open(path) as stream:
        while found <= most and (chunk := stream.read(1 << 20)):
            found += len(chunk)
    return found
