"""Bring a corrected brain onto the grid, in one interpolation."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage

from neurobar.data.endings import call_command
from neurobar.data.resampling import bounding_box, grid_points, sample, smooth_to
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE, GRID_SPACING_MM, read_volume, write_volume
from neurobar.preprocess.deformations import invert_displacement
from neurobar.preprocess.registration import read_registration

NORMALISATIONS = ("affine", "deformable")
#: Intensities in units of the median of the brain lie below about 3; what is above is vessel or artefact.
LARGEST = 8.0


def place_grid(
    to_scan: np.ndarray, displacement: np.ndarray | None = None, field_affine: np.ndarray | None = None
) -> np.ndarray:
    """Find each voxel of the grid in the scan.

    Parameters
    ----------
    to_scan : float (4, 4)
        From template to scanner millimetres.
    displacement : float (D', H', W', 3), optional
        From places of the scan in template space to places of the template [mm]; it is inverted.
    field_affine : float (4, 4), optional
        Of the displacement.

    Returns
    -------
    float (D, H, W, 3)
        Scanner millimetres.
    """
    points = grid_points(GRID_SHAPE, GRID_AFFINE)
    if displacement is not None:
        spacing = field_affine[0, 0]
        inverse = invert_displacement(np.moveaxis(displacement, -1, 0) / spacing) * spacing
        points = points + np.stack([sample(part, field_affine, points) for part in inverse], axis=-1)
    return points @ to_scan[:3, :3].T + to_scan[:3, 3]


def interpolate_brain(volume: np.ndarray, mask: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Interpolate a brain by cubic splines without darkening its border.

    Parameters
    ----------
    volume : float (D, H, W)
        Intensities, 0 outside the brain.
    mask : bool (D, H, W)
        True inside the brain.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    points : float (..., 3)
        Scanner millimetres.

    Returns
    -------
    float32 (...)
        0 outside the brain and above 0 inside; the median inside is 1.
    """
    if not mask.any():
        return np.zeros(points.shape[:-1], np.float32)
    box, corner = bounding_box(mask, affine, 4)
    voxels = (points - corner[:3, 3]) @ np.linalg.inv(corner[:3, :3]).T
    voxels = np.moveaxis(voxels, -1, 0)
    intensity, presence = (
        ndimage.map_coordinates(smooth_to(image[box], corner, GRID_SPACING_MM), voxels, np.float32, order=3, cval=0)
        for image in (volume, mask)
    )
    inside = presence > 0.5
    brain = np.where(inside, intensity / np.maximum(presence, 0.5), 0)
    median = np.median(brain[inside]) if inside.any() else 1.0
    return np.where(inside, np.clip(brain / max(float(median), 1e-6), 1e-3, LARGEST), 0).astype(np.float32)


def main(argv: list[str] | None = None) -> None:
    """Write the brain on the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volume", type=Path, required=True, help="corrected brain")
    parser.add_argument("--mask", type=Path, required=True)
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--deformation", type=Path, required=True)
    parser.add_argument("--normalisation", choices=NORMALISATIONS, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    volume, affine = read_volume(args.volume)
    mask, _ = read_volume(args.mask)
    deformation = read_volume(args.deformation) if args.normalisation == "deformable" else ()
    points = place_grid(read_registration(args.registration).matrix(), *deformation)
    write_volume(args.output, interpolate_brain(volume, mask > 0, affine, points), GRID_AFFINE)


if __name__ == "__main__":
    call_command(main)
