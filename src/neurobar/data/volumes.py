"""The grid that every volume ends on, and the reading of raw heads."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from neurobar.data.files import written_whole

#: Voxels of the grid: 96 x 96 x 96 of 2 mm, axes right-anterior-superior.
GRID_SHAPE = (96, 96, 96)
GRID_SPACING_MM = 2.0
#: From voxel indices to ICBM152 (2009a) millimetres. The first axis is symmetric about 0, so flipping it swaps the
#: hemispheres; the brain of the template (-72..72, -107..73, -72..82 mm) lies inside with 5 mm to spare or more.
GRID_AFFINE = np.array([[2.0, 0, 0, -95], [0, 2, 0, -112], [0, 0, 2, -90], [0, 0, 0, 1]])
GRID_AFFINE.flags.writeable = False

#: Limits of what can be a T1 of a head. 512^3 voxels are 0.5 GB as float32.
LARGEST_SPACING_MM = 6.0
FEWEST_VOXELS = 32
MOST_VOXELS = 512**3
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
    try:
        check_header(read_header(path))
        image = nib.Nifti1Image.from_filename(path)
        check_affine(image)
        check_compression(path, image)
        volume = np.asanyarray(image.dataobj, dtype=np.float32)
        return nib.Nifti1Image(clean_intensities(volume.reshape(volume.shape[:3])), image.affine)
    except PermissionError:
        raise ValueError(f"{path}: the file may not be read (no permission).") from None
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file.") from None
    except (ImageFileError, HeaderDataError, WrapStructError, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"{path}: not a whole NIfTI file ({' '.join(str(error).split())}).") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_header(path: str | Path) -> nib.Nifti1Header:
    """Read a header as it is, before nibabel mends it.

    Raises
    ------
    nibabel.filebasedimages.ImageFileError
        If the file does not say that it is NIfTI.
    """
    if Path(path).is_file() and not Path(path).stat().st_size:
        raise ImageFileError("it is empty")
    with ImageOpener(path) as stream:
        header = nib.Nifti1Header.from_fileobj(stream, check=False)
    if header["magic"].item() != b"n+1":
        raise ImageFileError("the header lacks the mark of a NIfTI-1 file")
    return header


def check_compression(path: str | Path, image: nib.Nifti1Image) -> None:
    """Read a compressed file to its end, where its checksum is; nibabel stops before.

    Raises
    ------
    OSError
        If the checksum is wrong or more follows than the header claims.
    """
    left = image.dataobj.offset + np.prod(image.shape, dtype=int) * image.header.get_data_dtype().itemsize
    if Path(path).suffix != ".gz":
        return
    with gzip.open(path) as stream:
        while chunk := stream.read(1 << 20):
            left -= len(chunk)
            if left < -(1 << 20):
                raise OSError("it is longer than its header says")


def check_header(header: nib.Nifti1Header) -> None:
    """Refuse, before anything is allocated, a header that no head can have.

    Raises
    ------
    ValueError
        With the reason.
    """
    shape = header.get_data_shape()
    try:
        kind = header.get_data_dtype().kind
    except HeaderDataError:
        kind = "unknown"
    if len(shape) < 3 or any(length != 1 for length in shape[3:]):
        raise ValueError(f"a head has three axes, this image has shape {shape}.")
    if kind not in ("i", "u", "f"):
        raise ValueError("its voxels are no numbers on a scale (colour, complex or unknown type).")
    if min(shape[:3]) < FEWEST_VOXELS:
        raise ValueError(f"at least {FEWEST_VOXELS} voxels along each axis are needed, the shape is {shape[:3]}.")
    if np.prod(shape[:3], dtype=float) > MOST_VOXELS:
        raise ValueError(f"the header claims {shape[:3]} voxels, more than {MOST_VOXELS} are not read.")
    spacing = np.asarray(header["pixdim"][1:4], float)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise ValueError(f"voxel spacing has to be positive, the header says {spacing.tolist()} mm.")


def check_affine(image: nib.Nifti1Image) -> None:
    """Refuse an image whose place and orientation in space are unknown.

    Raises
    ------
    ValueError
        With the reason.
    """
    if image.header["sform_code"] == 0 and image.header["qform_code"] == 0:
        raise ValueError("sform and qform codes are both 0, so left and right are unknown.")
    spacing = nib.affines.voxel_sizes(image.affine)
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-6:
        raise ValueError("the affine of the header is singular or not finite.")
    if spacing.max() > LARGEST_SPACING_MM:
        raise ValueError(f"slices of {spacing.max():.1f} mm are too thick, at most {LARGEST_SPACING_MM} mm are read.")


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
    below = float((volume < BELOW_ZERO * np.percentile(volume, 99.5)).mean()) if volume.min() < 0 else 0.0
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
