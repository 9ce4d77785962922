"""Mark the brain of the scan, by the mask of the template or as the config says, and blank what is outside."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from neurobar.data.endings import call_command
from neurobar.data.resampling import bounding_box, cover, grid_points, resample, sample
from neurobar.data.volumes import read_head, read_volume, write_volume
from neurobar.preprocess.arguments import add_prepared
from neurobar.preprocess.masks import read_mask, run_hd_bet
from neurobar.preprocess.registration import check_unchanged, read_registration

METHODS = ("atlas", "hd_bet", "supplied")
#: Spacing at which the depth is carried: it is smooth, so interpolating it further loses nothing.
CARRY_MM = 2.0
#: Room around the template brain in which a scan's brain can lie, and the depth far outside [mm].
ROOM_MM = 12.0


def carry_depth(
    depth: np.ndarray, template_affine: np.ndarray, displacement: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Deform the depth inside the template brain to the shape of the scan's brain.

    Parameters
    ----------
    depth : float (D, H, W)
        Distance to the surface of the template brain, negative outside [mm].
    template_affine : float (4, 4)
        Of the depth.
    displacement : float (D', H', W', 3)
        From places of the scan in template space to places of the template [mm].
    grid : float (4, 4)
        Of the displacement.

    Returns
    -------
    carried : float32 (D'', H'', W'')
    affine : float (4, 4)
        From voxel indices to template millimetres.
    """
    corners = np.argwhere(depth > -ROOM_MM)
    low = corners.min(0)
    part = template_affine.copy()
    part[:3, 3] += template_affine[:3, :3] @ low
    shape, affine = cover(tuple(corners.max(0) - low + 1), part, CARRY_MM)
    points = grid_points(shape, affine).astype(np.float32)
    for axis in range(3):
        points[..., axis] += resample(displacement[..., axis], grid, shape, affine)
    return sample(depth, template_affine, points, outside=-ROOM_MM), affine


def keep_largest(mask: np.ndarray) -> np.ndarray:
    """Keep the largest connected part of a mask (D, H, W), if it has any, and fill its holes."""
    kept = np.zeros(mask.shape, bool)
    if mask.any():
        box, _ = bounding_box(mask, np.eye(4))
        labels, _ = ndimage.label(mask[box])
        largest = np.bincount(labels.ravel())[1:].argmax() + 1
        kept[box] = ndimage.binary_fill_holes(labels == largest)
    return kept


def find_brain(
    shape: tuple[int, int, int], affine: np.ndarray, carried: np.ndarray, carried_affine: np.ndarray, growth_mm: float
) -> np.ndarray:
    """Mark the brain among the voxels of a scan.

    Parameters
    ----------
    shape, affine
        Grid of the scan, in template millimetres.
    carried, carried_affine
        See `carry_depth`.
    growth_mm : float
        How far outside the surface the mask reaches.

    Returns
    -------
    bool `shape`
        True inside the brain; nowhere, if the registration puts the brain outside the image.
    """
    return keep_largest(resample(carried, carried_affine, shape, affine, outside=-ROOM_MM) > -growth_mm)


def carry_mask(image: nib.Nifti1Image, args: argparse.Namespace) -> np.ndarray:
    """Mark the brain of a scan by its registration."""
    carried, carried_affine = carry_depth(*read_volume(args.depth), *read_volume(args.deformation))
    in_template = np.linalg.inv(read_registration(args.registration).matrix()) @ image.affine
    return find_brain(image.shape, in_template, carried, carried_affine, args.growth_mm)


def choose_mask(image: nib.Nifti1Image, args: argparse.Namespace) -> np.ndarray:
    """Mark the brain of a scan in the way that the command line names.

    Returns
    -------
    bool (D, H, W)
        True inside the brain; where only the brain is left, all that is not 0.

    Raises
    ------
    ValueError
        If a mask from elsewhere cannot be had.
    """
    if "stripped" in args.prepared:
        return keep_largest(np.asarray(image.dataobj) > 0)
    if args.method == "supplied":
        return read_mask(args.supplied, image.shape, image.affine)
    if args.method == "hd_bet":
        return keep_largest(run_hd_bet(image, args.device))
    return carry_mask(image, args)


def main(argv: list[str] | None = None) -> None:
    """Write the brain mask and the stripped scan on the grid of the scan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    add_prepared(parser)
    parser.add_argument("--method", choices=METHODS, default="atlas")
    parser.add_argument("--supplied", nargs="?", help="brain mask of the scan, for supplied")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="for hd_bet")
    parser.add_argument("--depth", type=Path, required=True, help="depth inside the template brain [mm]")
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--deformation", type=Path, required=True)
    parser.add_argument("--growth-mm", type=float, required=True, help="reach of the mask outside the template's")
    parser.add_argument("--mask", type=Path, required=True, help="NIfTI (output)")
    parser.add_argument("--volume", type=Path, required=True, help="NIfTI (output)")
    args = parser.parse_args(argv)
    try:
        image = read_head(args.scan)
        check_unchanged(args.scan, args.registration)
        mask = choose_mask(image, args)
    except ValueError as error:
        sys.exit(str(error))
    write_volume(args.mask, mask.astype(np.uint8), image.affine)
    write_volume(args.volume, np.where(mask, np.asarray(image.dataobj), 0), image.affine)


if __name__ == "__main__":
    call_command(main)
