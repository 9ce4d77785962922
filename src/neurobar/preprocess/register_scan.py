"""Register a raw T1 head to the template: pose, affine transform, deformation."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurobar.data.resampling import cover, resample, smooth_to
from neurobar.data.volumes import read_head, read_volume, write_volume
from neurobar.preprocess.affines import fit_affine
from neurobar.preprocess.deformations import fit_displacement, split_affine
from neurobar.preprocess.poses import UNUSUAL, USUAL, Target, search_poses
from neurobar.preprocess.registration import Limits, Registration, judge, write_registration

#: Spacing of everything before the deformation: nothing there gains from finer, so a 1 mm head costs as a 2 mm head.
WORK_MM = 2.0
#: Skull and scalp reach so far from the brain; below the lowest slice, necks and jaws differ too much to be compared.
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


def compared_head(depth: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Mark what a head shows in every scan: all but the neck and the jaw.

    Parameters
    ----------
    depth : float (D, H, W)
        Distance to the surface of the template brain, negative outside [mm].
    affine : float (4, 4)
        From voxel indices to template millimetres, upright.

    Returns
    -------
    bool (D, H, W)
    """
    height = affine[2, 2] * np.arange(depth.shape[2]) + affine[2, 3]
    return (depth > -HEAD_MM + 1) & (height >= LOWEST_MM)


def register(
    scan: np.ndarray, affine: np.ndarray, target: Target, depth: np.ndarray, settings: dict[str, object]
) -> tuple[Registration, np.ndarray, np.ndarray]:
    """Register a scan: pose, affine by intensities, deformation, and the affine part of that.

    Parameters
    ----------
    scan, affine, target, depth
        See `follow`.
    settings : dict
        The section `preprocess.registration` of the config.

    Returns
    -------
    registration : Registration
    displacement : float32 (D, H, W, 3)
        From places of the scan in template space to places of the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    """
    limits = Limits(settings["smallest_correlation"], *settings["scales"], settings["largest_shear"])
    found = find_affine(scan, affine, target, depth, limits)
    spacing_mm, steps = settings["deformation_mm"], settings["deformation_steps"]
    displacement, grid, similarity = find_deformation(scan, affine, target, depth, found.matrix(), spacing_mm, steps)
    straight, displacement = split_affine(displacement, grid, depth, target.affine)
    refined = judge(found.matrix() @ np.linalg.inv(straight), found.correlation, found.starts, limits)
    credible = found.credible and refined.credible
    return replace(refined, credible=credible, similarity=similarity), displacement, grid


def main(argv: list[str] | None = None) -> None:
    """Write the registration of one scan and its deformation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    parser.add_argument("--head", type=Path, required=True, help="whole-head template")
    parser.add_argument("--depth", type=Path, required=True, help="depth inside the template brain [mm]")
    parser.add_argument("--settings", type=json.loads, required=True, help="section preprocess.registration, JSON")
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--deformation", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        image = read_head(arguments.scan)
    except ValueError as error:
        sys.exit(str(error))
    head, template_affine = read_volume(arguments.head)
    depth, _ = read_volume(arguments.depth)
    shape, affine = cover(image.shape, image.affine, WORK_MM)
    scan = resample(smooth_to(np.asarray(image.dataobj), image.affine, WORK_MM), image.affine, shape, affine)
    target = Target(head, compared_head(depth, template_affine), template_affine)
    registration, displacement, grid = register(scan, affine, target, depth, arguments.settings)
    write_registration(arguments.registration, registration)
    write_volume(arguments.deformation, displacement, grid)


if __name__ == "__main__":
    main()
