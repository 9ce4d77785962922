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
from neurobar.preprocess.poses import UNUSUAL, USUAL, find_pose
from neurobar.preprocess.registration import Registration, judge
from neurobar.preprocess.templates import HEAD_MM, Scan, Template

#: Adult heads are about so large, as ICBM152 is larger than most.
USUAL_SIZE = 0.9
#: Fluid and skull around the brain, but no scalp; and the spacings of the fits, as gyri are a centimetre wide.
NEAR_MM, COARSE_MM, FINE_MM = 7.0, 8.0, 4.0
#: A rigid fit moves brains that lie on the template by 2 mm on average; 7 mm off, they would pass all other limits.
AWAY_MM = 4.0
#: Well inside the brain, even where a start is off; what is brighter by a margin is fat or a vessel.
DEEP_MM, BRIGHTEST = 12.0, 1.1


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


def resize(to_scan: np.ndarray, size: float, centre: np.ndarray) -> np.ndarray:
    """Give a transform one size along all axes, without a shear; the centre of the template stays in its place.

    Parameters
    ----------
    to_scan : float (4, 4)
        From template to scanner millimetres.
    size : float
        Of the head over that of the template.
    centre : float (3,)
        Template millimetres.

    Returns
    -------
    float (4, 4)
    """
    left, _, right = np.linalg.svd(to_scan[:3, :3])
    resized = np.eye(4)
    resized[:3, :3] = left @ right * size
    resized[:3, 3] = apply_affine(to_scan, centre) - resized[:3, :3] @ centre
    return resized


def follow(scan: Scan, template: Template, pose: np.ndarray, by_head: bool) -> tuple[np.ndarray, float]:
    """Refine a pose: rigid with size, then all twelve parameters close around the brain.

    Parameters
    ----------
    scan : Scan
    template : Template
    pose : float (4, 4)
        From template to scanner millimetres.
    by_head : bool
        True where the whole head finds the size, False where the brain does.

    Returns
    -------
    fitted : float (4, 4)
    correlation : float
    """
    deep = apply_affine(template.affine, np.argwhere(template.depth > DEEP_MM)[::17])
    ceiling = BRIGHTEST * np.percentile(sample(scan.volume, scan.affine, apply_affine(pose, deep)), 90)
    dimmed = np.minimum(scan.volume, ceiling) if ceiling > 0 else scan.volume
    near = template.around_brain(NEAR_MM)
    target, spacings_mm = (template.whole(), (COARSE_MM,)) if by_head else (near, (COARSE_MM, FINE_MM))
    fitted = pose
    for spacing_mm in spacings_mm:
        fitted, _ = fit_affine(dimmed, scan.affine, target, fitted, freedom=7, spacing_mm=spacing_mm)
    return fit_affine(dimmed, scan.affine, near, fitted, freedom=12, spacing_mm=FINE_MM)


def deform(
    scan: Scan, template: Template, to_scan: np.ndarray, settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Deform the scan, as the affine transform left it, to the template head.

    Parameters
    ----------
    scan, template
        See `follow`.
    to_scan : float (4, 4)
        From template to scanner millimetres.
    settings : mapping
        deformation_mm, the spacing, and deformation_steps.

    Returns
    -------
    displacement : float32 (D, H, W, 3)
        For each place of the scan in template space, the way to its place in the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    similarity : float
    """
    spacing_mm, steps = settings["deformation_mm"], settings["deformation_steps"]
    shape, grid = cover(template.head.shape, template.affine, spacing_mm)
    head = resample(smooth_to(template.head, template.affine, spacing_mm), template.affine, shape, grid)
    depth = resample(template.depth, template.affine, shape, grid, outside=-HEAD_MM)
    carried = resample(smooth_to(scan.volume, scan.affine, spacing_mm), scan.affine, shape, to_scan @ grid)
    level = np.median(carried[depth > 0]) / np.median(head[depth > 0])
    carried = np.minimum(carried / max(float(level), 1e-6), BRIGHTEST)
    seen = resample(scan.seen, scan.affine, shape, to_scan @ grid) > 0.99
    displacement, similarity = fit_displacement(carried, head, depth > -template.reach_mm, seen, steps)
    return np.moveaxis(displacement, 0, -1) * np.float32(spacing_mm), grid, similarity


def attempt(scan: Scan, template: Template, pose: np.ndarray, by_head: bool, settings: Mapping[str, Any]) -> Attempt:
    """Follow one start to the end.

    Parameters
    ----------
    scan, template, pose, by_head
        See `follow`.
    settings : mapping
        The section `preprocess.registration` of the config.

    Returns
    -------
    Attempt
    """
    fitted, correlation = follow(scan, template, pose, by_head)
    displacement, grid, similarity = deform(scan, template, fitted, settings)
    straight, displacement = split_affine(displacement, grid, template.depth, template.affine)
    found = fitted @ np.linalg.inv(straight)
    outside = template.measure_outside(scan, found)
    return Attempt(judge(found, correlation, similarity, outside, settings), displacement, grid)


def list_attempts(scan: Scan, template: Template, settings: Mapping[str, Any]) -> Iterator[Attempt]:
    """Make one attempt after the other, most promising first; each search and fit only when it is reached.

    Skull and scalp tell the size of a head where the brain alone is drawn to the scalp, so the best pose is followed
    by the whole head first. What fails all the same has nearly always found place and orientation, and taken the
    scalp for the surface of the brain: it is tried again from there at a usual size, by the head and by the brain.
    """
    for orientations in (USUAL, UNUSUAL):
        _, pose = find_pose(scan.volume, scan.affine, template.whole(), orientations)
        first = attempt(scan, template, pose, True, settings)
        yield first
        again = resize(first.registration.matrix(), USUAL_SIZE, template.whole().box()[0])
        yield attempt(scan, template, again, True, settings)
        yield attempt(scan, template, again, False, settings)


def register(scan: Scan, template: Template, settings: Mapping[str, Any]) -> Attempt:
    """Attempt until a registration is credible; if none is, keep the most similar.

    Parameters
    ----------
    scan, template
        See `follow`.
    settings : mapping
        The section `preprocess.registration` of the config.

    Returns
    -------
    Attempt
    """
    attempts: list[Attempt] = []
    for one in list_attempts(scan, template, settings):
        attempts.append(one)
        if one.registration.credible:
            break
    best = max(attempts, key=lambda one: one.registration.rank())
    return replace(best, registration=replace(best.registration, starts=len(attempts)))


def confirm(scan: Scan, template: Template, settings: Mapping[str, Any]) -> Attempt:
    """Judge a scan that is said to lie in template space, and deform it to the template; its affine is the identity.

    What a rigid fit would still move is not where it is said to be.

    Parameters
    ----------
    scan, template
        See `follow`.
    settings : mapping
        The section `preprocess.registration` of the config.

    Returns
    -------
    Attempt
    """
    here = np.eye(4)
    near = template.around_brain(NEAR_MM)
    better, correlation = fit_affine(scan.volume, scan.affine, near, here, freedom=6, spacing_mm=FINE_MM)
    brain = apply_affine(template.affine, np.argwhere(template.depth > 0)[::97])
    moved_mm = np.linalg.norm(apply_affine(better, brain) - brain, axis=1).mean()
    displacement, grid, similarity = deform(scan, template, here, settings)
    outside = template.measure_outside(scan, here)
    registration = judge(here, correlation, similarity, outside, settings)
    credible = registration.credible and bool(moved_mm <= AWAY_MM)
    return Attempt(replace(registration, credible=credible), displacement, grid)
