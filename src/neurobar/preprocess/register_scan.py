"""Register a raw T1 head to the template: pose, affine transform, deformation."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurobar.data.resampling import cover, resample, smooth_to
from neurobar.data.volumes import read_head, read_volume, write_volume
from neurobar.preprocess.affines import fit_affine
from neurobar.preprocess.deformations import fit_displacement
from neurobar.preprocess.poses import UNUSUAL, USUAL, Target, search_poses
from neurobar.preprocess.registration import Limits, Registration, judge, write_registration

#: Spacing of everything before the deformation: no stage gains from finer, and a 1 mm head costs as little as a 2 mm head.
WORK_MM = 2.0
#: The skull and the scalp reach so far from the brain; below the lowest slice necks and jaws differ too much to compare.
HEAD_MM, LOWEST_MM = 20.0, -50.0
#: Poses tried from each search before it is given up.
MOST_STARTS = 3


def follow(scan: np.ndarray, affine: np.ndarray, target: Target, depth: np.ndarray, pose: np.ndarray):
    """Refine a pose: size within the head, then around the brain, then all twelve parameters.

    Parameters
    ----------
    scan : float (D, H, W)
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    target : Target
        The template head.
    depth : float (D, H, W)
        Distance to the surface of the template brain, negative outside [mm].
    pose : float (4, 4)
        From template to scanner millimetres.

    Returns
    -------
    fitted : float (4, 4)
    correlation : float
    """
    near, around = (replace(target, weight=depth > -margin) for margin in (5.0, 7.0))
    fitted, _ = fit_affine(scan, affine, target, pose, freedom=7, spacing_mm=8.0)
    fitted, _ = fit_affine(scan, affine, near, fitted, freedom=7, spacing_mm=4.0)
    return fit_affine(scan, affine, around, fitted, freedom=12, spacing_mm=4.0)


def find_affine(
    scan: np.ndarray, affine: np.ndarray, target: Target, depth: np.ndarray, limits: Limits
) -> Registration:
    """Follow the best poses until one is credible; if none is, keep the one with the best correlation.

    Parameters
    ----------
    scan, affine, target, depth
        See `follow`.
    limits : Limits
        What is credible.

    Returns
    -------
    Registration
    """
    tried: list[Registration] = []
    for orientations in (USUAL, UNUSUAL):
        for _, pose in search_poses(scan, affine, target, orientations)[:MOST_STARTS]:
            fitted, correlation = follow(scan, affine, target, depth, pose)
            tried.append(judge(fitted, correlation, len(tried) + 1, limits))
            if tried[-1].credible:
                return tried[-1]
    best = max(tried, key=lambda registration: registration.correlation)
    return replace(best, starts=len(tried))


def find_deformation(
    scan: np.ndarray,
    affine: np.ndarray,
    target: Target,
    depth: np.ndarray,
    to_scan: np.ndarray,
    spacing_mm: float,
    steps: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Deform the scan, as the affine transform left it, to the template head.

    Parameters
    ----------
    scan, affine, target, depth
        See `follow`.
    to_scan : float (4, 4)
        From template to scanner millimetres.
    spacing_mm : float
        Spacing of the deformation.
    steps : int
        Of the fit; 0 for none.

    Returns
    -------
    displacement : float32 (D, H, W, 3)
        For each place of the scan in template space, the way to its place in the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    similarity : float
    """
    shape, grid = cover(target.volume.shape, target.affine, spacing_mm)
    head = resample(smooth_to(target.volume, target.affine, spacing_mm), target.affine, shape, grid)
    compared = resample(depth, target.affine, shape, grid, outside=-HEAD_MM)
    carried = resample(smooth_to(scan, affine, spacing_mm), affine, shape, to_scan @ grid)
    brain = compared > 0
    level = np.median(carried[brain]) / np.median(head[brain])
    carried = np.minimum(carried / max(float(level), 1e-6), 1.2)
    displacement, similarity = fit_displacement(carried, head, compared > -HEAD_MM + 1, steps)
    return np.moveaxis(displacement, 0, -1) * np.float32(spacing_mm), grid, similarity


def main(argv: list[str] | None = None) -> None:
    """Write the registration of one scan and its deformation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    parser.add_argument("--head", type=Path, required=True, help="whole-head template")
    parser.add_argument("--depth", type=Path, required=True, help="depth inside the template brain [mm]")
    parser.add_argument("--smallest-correlation", type=float, required=True)
    parser.add_argument("--scales", type=float, nargs=2, required=True, metavar=("SMALLEST", "LARGEST"))
    parser.add_argument("--largest-shear", type=float, required=True)
    parser.add_argument("--deformation-mm", type=float, required=True, help="spacing of the deformation")
    parser.add_argument("--deformation-steps", type=int, required=True)
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--deformation", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        image = read_head(arguments.scan)
    except ValueError as error:
        sys.exit(str(error))
    limits = Limits(arguments.smallest_correlation, *arguments.scales, arguments.largest_shear)
    head, template_affine = read_volume(arguments.head)
    depth, _ = read_volume(arguments.depth)
    height = template_affine[2, 2] * np.arange(head.shape[2]) + template_affine[2, 3]
    target = Target(head, (depth > -HEAD_MM + 1) & (height >= LOWEST_MM), template_affine)
    shape, affine = cover(image.shape, image.affine, WORK_MM)
    raw = np.asarray(image.dataobj)
    scan = resample(smooth_to(raw, image.affine, WORK_MM), image.affine, shape, affine)
    registration = find_affine(scan, affine, target, depth, limits)
    displacement, grid, similarity = find_deformation(
        scan, affine, target, depth, registration.matrix(), arguments.deformation_mm, arguments.deformation_steps
    )
    write_registration(arguments.registration, replace(registration, similarity=similarity))
    write_volume(arguments.deformation, displacement, grid)


if __name__ == "__main__":
    main()
