"""Measure how much tissue is left in each region of each scan, and how much fluid there is.

Each scan is measured by itself: nothing is learned from another, so one table serves every fold. Volumes are those on
the grid, where the affine registration has taken out the size of the head.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from neurobar.data.cohorts import PackedVolumes
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.volumes import read_volume

#: The border of the mask lies in fluid, meninges and bone: nothing above this depth tells fluid from tissue.
RIM_MM = 5.0
#: Below this depth fluid is that of the ventricles and of the clefts around midbrain and insula.
DEEP_MM = 20.0
#: Where the search for fluid, fluid mixed with grey matter, grey and white matter begins, as parts of the voxels.
BEGIN_AT = (0.04, 0.12, 0.40, 0.85)
BINS, STEPS = 200, 80
#: What stands in the table beside the regions, so no region can have such a name.
OTHERS = ("fluid", "deep_fluid")
TAKEN = {"scan", "subject", "label", "age", "sex", "part", *OTHERS}


def fit_classes(intensities: np.ndarray) -> np.ndarray:
    """Find how bright fluid and tissues are in one scan.

    A mixture of four normal distributions is fitted to the histogram by expectation maximisation. They have one width,
    since noise is the same in all tissues: in 25 real heads fluid was then found at 0.46 to 0.52 of the brain's median,
    and at 0.46 to 0.73 where each class had a width of its own.

    Parameters
    ----------
    intensities : float (n,)
        Of voxels inside the brain, without its rim [-].

    Returns
    -------
    float (4,)
        Means of fluid, fluid mixed with grey matter, grey matter and white matter, from dark to bright.

    Notes
    -----
    Source: the intensity model of Ashburner and Friston, NeuroImage 2005, without its priors.
    """
    # The brightest voxels are vessels.
    counts, edges = np.histogram(intensities, BINS, (0.0, float(np.percentile(intensities, 99.8))))
    centres, weights = (edges[1:] + edges[:-1])[:, None] / 2, counts[:, None] / counts.sum()  # (B, 1)
    means = np.interp(BEGIN_AT, np.cumsum(weights), centres[:, 0])
    shares, variance = np.full(len(means), 1 / len(means)), np.var(intensities) / 4 + edges[1] ** 2
    for _ in range(STEPS):
        exponents = np.log(shares) - (centres - means) ** 2 / (2 * variance)  # (B, 4)
        likely = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        likely *= weights / likely.sum(axis=1, keepdims=True)
        shares = np.maximum(likely.sum(axis=0), 1e-6)
        means = (likely * centres).sum(axis=0) / shares
        variance = (likely * (centres - means) ** 2).sum() + edges[1] ** 2
    return np.sort(means)


def tissue_share(volume: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Say how much of each voxel is tissue, from how far its intensity lies between fluid and grey matter.

    Parameters
    ----------
    volume : float (D, H, W)
        Intensities [-]; 0 outside the brain.
    classes : float (4,)
        From `fit_classes`.

    Returns
    -------
    float (D, H, W)
        0 for fluid and outside the brain, 1 for grey and white matter.
    """
    fluid, _, grey, _ = classes
    share = np.clip((volume - fluid) / max(grey - fluid, 1e-6), 0, 1)
    return np.where(volume > 0, share, 0)


def measure_scan(volume: np.ndarray, regions: np.ndarray, count: int, spacing_mm: np.ndarray) -> np.ndarray:
    """Measure the tissue of each region and the fluid of the brain.

    Parameters
    ----------
    volume : float (D, H, W)
        Intensities over the brain's median [-]; 0 outside the brain.
    regions : uint8 (D, H, W)
        Region of each voxel; 0 is background.
    count : int
        Number K of regions.
    spacing_mm : float (3,)
        Of the voxels.

    Returns
    -------
    float (K + 2,)
        Volumes [ml] of the tissue in regions 1 to K, of the fluid below the rim and of the deep fluid.
    """
    depth_mm = distance_transform_edt(volume > 0, sampling=spacing_mm)
    inner = depth_mm > RIM_MM
    # A brain without an inside is no brain, but whether it takes part was judged before.
    classes = fit_classes(volume[inner if inner.any() else volume > 0])
    share = tissue_share(volume, classes)
    tissue = np.bincount(regions.ravel(), weights=share.ravel(), minlength=count + 1)[1:]
    # Whole voxels, since half-shades of deep grey matter would add up to more than the ventricles hold.
    fluid = [np.count_nonzero((share < 0.5) & (depth_mm > limit)) for limit in (RIM_MM, DEEP_MM)]
    return np.array([*tissue, *fluid]) * float(np.prod(spacing_mm)) / 1000


def measure_cohort(
    volumes: np.ndarray | PackedVolumes, scans: list[str], regions: np.ndarray, names: list[str], spacing_mm: np.ndarray
) -> pd.DataFrame:
    """Measure all scans, one after the other.

    Parameters
    ----------
    volumes : float16 (n, D, H, W), or what reads it from its file
        The packed cohort.
    scans : list of str
        Name of the scan in each row.
    regions : uint8 (D, H, W)
        Region of each voxel; 0 is background.
    names : list of str
        Name of region 1, 2, ...
    spacing_mm : float (3,)
        Of the voxels.

    Returns
    -------
    pandas.DataFrame
        Columns scan, one for each region, fluid and deep_fluid [ml].

    Raises
    ------
    ValueError
        If atlas and cohort do not fit each other, or a region's name is taken.
    """
    if regions.shape != volumes.shape[1:] or len(scans) != len(volumes):
        raise ValueError(f"{len(scans)} scans and an atlas of {regions.shape} do not fit a cohort of {volumes.shape}.")
    taken = sorted(TAKEN.intersection(names))
    if taken:
        raise ValueError(f"No region of the atlas may be called {taken[0]!r}: the table of volumes has such a column.")
    rows = [measure_scan(np.asarray(volume, np.float32), regions, len(names), spacing_mm) for volume in volumes]
    table = pd.DataFrame(np.array(rows), columns=[*names, *OTHERS])
    table.insert(0, "scan", scans)
    return table


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volumes", required=True, help="packed cohort, NPY")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI")
    parser.add_argument("--regions", required=True, help="table of the regions, TSV")
    parser.add_argument("--measures", required=True, help="volumes of each scan [ml], TSV (output)")
    args = parser.parse_args(argv)
    table = pd.read_csv(args.table, sep="\t", dtype={"scan": str})
    scans = table.loc[table["used"], "scan"].tolist()
    names = pd.read_csv(args.regions, sep="\t", dtype={"name": str}, keep_default_na=False)["name"].tolist()
    regions, affine = read_volume(args.atlas)
    spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
    try:
        measures = measure_cohort(PackedVolumes(args.volumes), scans, regions, names, spacing_mm)
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.measures) as partial:
        measures.to_csv(partial, sep="\t", index=False, float_format="%.4f")


if __name__ == "__main__":
    call_command(main)
