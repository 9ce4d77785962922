"""Remove the slow intensity drift of the receive coil, inside the brain, by N4."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.resampling import bounding_box, cover, resample, smooth_to
from neurobar.data.volumes import read_volume, write_volume
from neurobar.preprocess.arguments import add_prepared

#: The field varies over centimetres, so it is estimated at this spacing whatever the scan's; the cost is then bounded.
ESTIMATE_MM = 6.0
#: Steps at each of three resolutions of the spline, and the change at which one ends.
STEPS, TOLERANCE = [20, 20, 20], 1e-5
#: Voxels around the brain in which it fades out when it is blurred.
MARGIN = 8

#: A mask of fewer voxels at that spacing is no brain: the registration failed, and the check will say so.
FEWEST_VOXELS = 500


def estimate_field(volume: np.ndarray, mask: np.ndarray, spacing_mm: float, spline_mm: float) -> np.ndarray:
    """Estimate the bias field of a brain.

    Parameters
    ----------
    volume : float (D, H, W)
        Intensities.
    mask : bool (D, H, W)
        True inside the brain.
    spacing_mm : float
        Edge of a voxel.
    spline_mm : float
        Distance of the knots of the coarsest spline.

    Returns
    -------
    float32 (D, H, W)
        Factor by which the intensities are too large; its mean in the brain is 1.

    Notes
    -----
    Source: Tustison et al., IEEE Trans Med Imaging 2010; 29: 1310-1320, in ANTs. One thread, so that equal
    inputs give equal fields.
    """
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    import ants

    spacing = (spacing_mm,) * 3
    field = ants.n4_bias_field_correction(
        ants.from_numpy(np.maximum(volume, 0).astype(np.float32), spacing=spacing),
        mask=ants.from_numpy(mask.astype(np.float32), spacing=spacing),
        shrink_factor=1,
        convergence={"iters": STEPS, "tol": TOLERANCE},
        spline_param=spline_mm,
        return_bias_field=True,
    ).numpy()
    return field / field[mask].mean()


def carry_field(
    field: np.ndarray, mask: np.ndarray, grid: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray
) -> np.ndarray:
    """Interpolate a field, which is positive, onto the grid of the scan.

    Parameters
    ----------
    field : float (D, H, W)
        See `estimate_field`.
    mask : bool (D, H, W)
        True where the field was estimated; beyond, it is held within its range there.
    grid : float (4, 4)
        Of the field.
    shape, affine
        Of the scan.

    Returns
    -------
    float32 `shape`
    """
    logarithm = np.log(np.clip(field, field[mask].min(), field[mask].max()))
    return np.exp(resample(logarithm, grid, shape, affine))


def remove_bias(volume: np.ndarray, mask: np.ndarray, affine: np.ndarray, spline_mm: float) -> np.ndarray:
    """Divide a brain by its bias field.

    Parameters
    ----------
    volume : float (D, H, W)
        Raw intensities, 0 outside the brain.
    mask : bool (D, H, W)
        True inside the brain.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    spline_mm : float
        Distance of the knots of the coarsest spline.

    Returns
    -------
    float32 (D, H, W)
        0 outside the brain; as it came where the mask is too small for a brain.
    """
    corrected = np.where(mask, volume, 0).astype(np.float32)
    if not mask.any():
        return corrected
    part, corner = bounding_box(mask, affine, MARGIN)
    brain, presence = corrected[part], mask[part]
    shape, grid = cover(brain.shape, corner, ESTIMATE_MM)
    blurred, share = (
        resample(smooth_to(image, corner, ESTIMATE_MM), corner, shape, grid) for image in (brain, presence)
    )
    inside = share > 0.5
    if inside.sum() < FEWEST_VOXELS:
        return corrected
    coarse = np.where(inside, blurred / np.maximum(share, 0.5), 0)
    box, grid = bounding_box(inside, grid, 1)
    field = estimate_field(coarse[box], inside[box], ESTIMATE_MM, spline_mm)
    corrected[part] /= carry_field(field, inside[box], grid, brain.shape, corner)
    return corrected


def measure_range(volume: np.ndarray, corrected: np.ndarray) -> float:
    """Measure a bias field by what it changed.

    Parameters
    ----------
    volume, corrected : float (D, H, W)
        A brain before and after; 0 outside.

    Returns
    -------
    float
        99th over 1st percentile of the field.
    """
    seen = (volume > 0) & (corrected > 0)
    if not seen.any():
        return 1.0
    low, high = np.percentile(volume[seen] / corrected[seen], (1, 99))
    return round(float(high / low), 3)


def main(argv: list[str] | None = None) -> None:
    """Write the corrected brain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volume", type=Path, required=True, help="stripped scan")
    parser.add_argument("--mask", type=Path, required=True)
    add_prepared(parser)
    parser.add_argument("--spline-mm", type=float, required=True)
    parser.add_argument("--output", type=Path, required=True, help="NIfTI (output)")
    parser.add_argument("--bias", type=Path, required=True, help="range of the field, JSON (output)")
    args = parser.parse_args(argv)
    volume, affine = read_volume(args.volume)
    corrected = volume
    if "unbiased" not in args.prepared:
        mask, _ = read_volume(args.mask)
        corrected = remove_bias(volume, mask > 0, affine, args.spline_mm)
    write_volume(args.output, corrected, affine)
    with written_whole(args.bias) as partial:
        partial.write_text(json.dumps({"bias_range": measure_range(volume, corrected)}) + "\n")


if __name__ == "__main__":
    call_command(main)
