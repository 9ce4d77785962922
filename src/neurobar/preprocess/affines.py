"""Fit of a rigid, similarity or affine transform by the correlation of two images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage
from scipy.spatial.transform import Rotation

from neurobar.data.resampling import cover, resample, smooth_to
from neurobar.preprocess.poses import Target, compress

#: Tukey's constant: residuals beyond so many standard deviations count nothing (95 % efficient for normal errors).
TUKEY = 4.685
#: A step that moves no point of a head by more is the last one [mm].
SMALLEST_STEP_MM = 0.05
#: A head reaches about so far from its centre [mm].
RADIUS_MM = 80.0


@dataclass(frozen=True)
class Moving:
    """A scan with its gradient, on an upright grid.

    Attributes
    ----------
    channels : list of four float (D, H, W)
        Intensity, and its derivative along right, anterior and superior [1/mm].
    inverse : float (4, 4)
        From scanner millimetres to voxel indices.
    """

    channels: list[np.ndarray]
    inverse: np.ndarray

    @classmethod
    def sampled(cls, scan: np.ndarray, affine: np.ndarray, spacing_mm: float) -> Moving:
        """Sample a raw scan at a spacing."""
        shape, grid = cover(scan.shape, affine, spacing_mm)
        volume = compress(resample(smooth_to(scan, affine, spacing_mm), affine, shape, grid))
        return cls([volume, *np.gradient(volume, spacing_mm)], np.linalg.inv(grid))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return intensity (N,) and gradient (N, 3) at points (N, 3) in scanner millimetres."""
        voxels = apply_affine(self.inverse, points).T
        values = [ndimage.map_coordinates(channel, voxels, order=1) for channel in self.channels]
        return values[0], np.stack(values[1:], axis=1)


def fit_affine(
    scan: np.ndarray,
    affine: np.ndarray,
    target: Target,
    start: np.ndarray,
    *,
    freedom: int,
    spacing_mm: float,
    steps: int = 30,
) -> tuple[np.ndarray, float]:
    """Move a template onto a scan until their intensities correlate best.

    Gauss-Newton on the residual of `target = a * scan + b`, whose least squares are 1 minus the
    squared correlation; the reverse, `scan = a * target + b`, would be minimised by
    shrinking the template into a region of even intensity.

    Parameters
    ----------
    scan : float (D, H, W)
        Raw intensities.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    target : Target
        The template and where it is compared.
    start : float (4, 4)
        From template to scanner millimetres.
    freedom : int
        6 rigid, 7 with size, 12 affine.
    spacing_mm : float
        Of both images while they are compared.
    steps : int
        At most so many.

    Returns
    -------
    fitted : float (4, 4)
        From template to scanner millimetres.
    correlation : float
        Of the intensities where they are compared [-1..1].
    """
    moving = Moving.sampled(scan, affine, spacing_mm)
    points, values = sample_target(target, spacing_mm)
    fitted, correlation = start, -1.0
    for _ in range(steps):
        intensity, gradient = moving.at(apply_affine(fitted, points))
        correlation = correlate(values, intensity)
        step = solve_step(points - points.mean(0), values, intensity, gradient @ fitted[:3, :3], freedom)
        shift = np.eye(4)
        shift[:3, 3] = points.mean(0)
        fitted = fitted @ shift @ step @ np.linalg.inv(shift)
        if np.abs(step[:3, 3]).max() + RADIUS_MM * np.abs(step[:3, :3] - np.eye(3)).max() < SMALLEST_STEP_MM:
            break
    return fitted, correlation


def sample_target(target: Target, spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """List the points (N, 3) [mm] and intensities (N,) at which a target is compared."""
    shape, grid = cover(target.volume.shape, target.affine, spacing_mm)
    compared = resample(target.weight, target.affine, shape, grid) > 0.5
    blurred = resample(smooth_to(target.volume, target.affine, spacing_mm), target.affine, shape, grid)
    return apply_affine(grid, np.argwhere(compared)), blurred[compared]


def correlate(first: np.ndarray, second: np.ndarray) -> float:
    """Correlate two lists of intensities; constant ones correlate with nothing."""
    if first.std() < 1e-6 or second.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def solve_step(
    points: np.ndarray, values: np.ndarray, intensity: np.ndarray, gradient: np.ndarray, freedom: int
) -> np.ndarray:
    """Solve one weighted least-squares step.

    Parameters
    ----------
    points : float (N, 3)
        Template millimetres from the centre.
    values, intensity : float (N,)
        Template and scan.
    gradient : float (N, 3)
        Of the scan along the axes of the template [1/mm].
    freedom : int
        6, 7 or 12.

    Returns
    -------
    float (4, 4)
        Transform of the template about its centre.
    """
    contrast = np.vstack([intensity, np.ones_like(intensity)]).T
    fit = np.linalg.lstsq(contrast, values, rcond=None)[0]
    residual = contrast @ fit - values
    scale = 1.4826 * np.median(np.abs(residual)) + 1e-6
    weight = np.clip(1 - (residual / (TUKEY * scale)) ** 2, 0, None)
    pull = fit[0] * gradient
    if freedom == 12:
        moves = [pull, (pull[:, :, None] * points[:, None, :]).reshape(-1, 9)]
    else:
        moves = [pull, np.cross(points, pull), (pull * points).sum(1, keepdims=True)][: freedom - 4]
    design = np.concatenate([*moves, contrast], axis=1) * weight[:, None]
    normal = design.T @ design
    normal[np.diag_indices_from(normal)] *= 1 + 1e-4
    normal[np.diag_indices_from(normal)] += 1e-9
    return as_step(-np.linalg.solve(normal, design.T @ (residual * weight)), freedom)


def as_step(solution: np.ndarray, freedom: int) -> np.ndarray:
    """Turn the solution of a step into a transform (4, 4)."""
    step = np.eye(4)
    step[:3, 3] = solution[:3]
    if freedom == 12:
        step[:3, :3] += solution[3:12].reshape(3, 3)
    else:
        size = np.exp(np.clip(solution[6], -0.2, 0.2)) if freedom == 7 else 1.0
        step[:3, :3] = Rotation.from_rotvec(solution[3:6]).as_matrix() * size
    return step
