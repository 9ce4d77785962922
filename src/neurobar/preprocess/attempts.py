"""Attempts to register a scan, from one start after the other until the result can be believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nibabel.affines import apply_affine

from neurobar.data.resampling import cover, resample, sample, smooth_to
from neurobar.preprocess.affines import fit_affine
from neurobar.preprocess.deformations import fit_displacement, split_affine
from neurobar.preprocess.poses import UNUSUAL, USUAL, Target, search_poses
from neurobar.preprocess.registration import Registration, judge

#: Skull and scalp reach so far from the brain; below the lowest slice, necks and jaws differ too much to be compared.
HEAD_MM, LOWEST_MM = 20.0, -50.0
#: Well inside the brain, even where a start is off; what is brighter by a margin is fat or a vessel.
DEEP_MM, BRIGHTEST = 12.0, 1.1


@dataclass(frozen=True)
class Template:
    """The template head and its brain.

    Attributes
    ----------
    head : float (D, H, W)
        Intensities of brain, cerebrospinal fluid, skull and scalp.
    depth : float (D, H, W)
        Distance to the surface of the brain, negative outside [mm].
    affine : float (4, 4)
        From voxel indices to template millimetres, upright.
    """

    head: np.ndarray
    depth: np.ndarray
    affine: np.ndarray

    def around_brain(self, margin_mm: float) -> Target:
        """Return what is compared up to a distance from the brain."""
        return Target(self.head, self.depth > -margin_mm, self.affine)

    def whole(self) -> Target:
        """Return what a head shows in every scan: all but the neck and the jaw."""
        height = self.affine[2, 2] * np.arange(self.depth.shape[2]) + self.affine[2, 3]
        return Target(self.head, (self.depth > -HEAD_MM + 1) & (height >= LOWEST_MM), self.affine)


@dataclass(frozen=True)
class Attempt:
    """A registration and the deformation that belongs to it.

    Attributes
    ----------
    registration : Registration
    displacement : float32 (D, H, W, 3)
        From places of the scan in template space to places of the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    """

    registration: Registration
    displacement: np.ndarray
    grid: np.ndarray


def list_starts(scan: np.ndarray, affine: np.ndarray, template: Template) -> Iterator[np.ndarray]:
    """Yield poses (4, 4) worth following, most promising first, each search only when it is reached.

    After the best pose comes the best of each size, small ones first: an attempt that took the
    scalp for the surface of the brain was too large.
    """
    for orientations in (USUAL, UNUSUAL):
        poses = [pose for _, pose in search_poses(scan, affine, template.whole(), orientations)]
        sizes = np.round([np.cbrt(np.linalg.det(pose[:3, :3])) for pose in poses], 3)
        yield poses[0]
        yield from (poses[np.flatnonzero(sizes == size)[0]] for size in np.unique(sizes) if size != sizes[0])


def follow(scan: np.ndarray, affine: np.ndarray, template: Template, pose: np.ndarray) -> tuple[np.ndarray, float]:
    """Refine a pose: rigid with size close around the brain, then all twelve parameters.

    Parameters
    ----------
    scan : float (D, H, W)
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    template : Template
    pose : float (4, 4)
        From template to scanner millimetres.

    Returns
    -------
    fitted : float (4, 4)
    correlation : float
    """
    deep = apply_affine(template.affine, np.argwhere(template.depth > DEEP_MM)[::17])
    ceiling = BRIGHTEST * np.percentile(sample(scan, affine, apply_affine(pose, deep)), 90)
    dimmed = np.minimum(scan, ceiling) if ceiling > 0 else scan
    fitted = pose
    for spacing_mm in (8.0, 4.0):
        near = template.around_brain(5.0)
        fitted, _ = fit_affine(dimmed, affine, near, fitted, freedom=7, spacing_mm=spacing_mm)
    return fit_affine(dimmed, affine, template.around_brain(7.0), fitted, freedom=12, spacing_mm=4.0)


def deform(
    scan: np.ndarray, affine: np.ndarray, template: Template, to_scan: np.ndarray, spacing_mm: float, steps: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Deform the scan, as the affine transform left it, to the template head.

    Parameters
    ----------
    scan, affine, template
        See `follow`.
    to_scan : float (4, 4)
        From template to scanner millimetres.
    spacing_mm : float
        Spacing of the deformation.
    steps : int
        Of the fit.

    Returns
    -------
    displacement : float32 (D, H, W, 3)
        For each place of the scan in template space, the way to its place in the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    similarity : float
    """
    shape, grid = cover(template.head.shape, template.affine, spacing_mm)
    head = resample(smooth_to(template.head, template.affine, spacing_mm), template.affine, shape, grid)
    depth = resample(template.depth, template.affine, shape, grid, outside=-HEAD_MM)
    carried = resample(smooth_to(scan, affine, spacing_mm), affine, shape, to_scan @ grid)
    level = np.median(carried[depth > 0]) / np.median(head[depth > 0])
    carried = np.minimum(carried / max(float(level), 1e-6), 1.2)
    displacement, similarity = fit_displacement(carried, head, depth > -HEAD_MM + 1, steps)
    return np.moveaxis(displacement, 0, -1) * np.float32(spacing_mm), grid, similarity


def attempt(
    scan: np.ndarray, affine: np.ndarray, template: Template, pose: np.ndarray, settings: Mapping[str, Any]
) -> Attempt:
    """Follow one pose to the end.

    Parameters
    ----------
    scan, affine, template, pose
        See `follow`.
    settings : mapping
        The section `preprocess.registration` of the config.

    Returns
    -------
    Attempt
    """
    fitted, correlation = follow(scan, affine, template, pose)
    spacing_mm, steps = settings["deformation_mm"], settings["deformation_steps"]
    displacement, grid, similarity = deform(scan, affine, template, fitted, spacing_mm, steps)
    straight, displacement = split_affine(displacement, grid, template.depth, template.affine)
    registration = judge(fitted @ np.linalg.inv(straight), correlation, similarity, settings)
    return Attempt(registration, displacement, grid)


def register(scan: np.ndarray, affine: np.ndarray, template: Template, settings: Mapping[str, Any]) -> Attempt:
    """Attempt one start after the other until one is credible; if none is, keep the most similar.

    Parameters
    ----------
    scan, affine, template
        See `follow`.
    settings : mapping
        The section `preprocess.registration` of the config.

    Returns
    -------
    Attempt
    """
    attempts: list[Attempt] = []
    for pose in list_starts(scan, affine, template):
        attempts.append(attempt(scan, affine, template, pose, settings))
        if attempts[-1].registration.credible:
            break
    best = max(attempts, key=lambda one: one.registration.rank())
    return replace(best, registration=replace(best.registration, starts=len(attempts)))
