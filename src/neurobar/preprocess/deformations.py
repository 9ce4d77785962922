"""Greedy deformable registration by local correlation, and the inverse of a displacement.

Source: the greedy diffeomorphic scheme of Yushkevich et al. (Alzheimers Dement 2016; 12: P126) with the local
normalised correlation of Avants et al. (Med Image Anal 2008; 12: 26-41). Local correlation ignores the bias field.
"""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from neurobar.data.resampling import grid_points, sample

#: Voxels from the centre of the window of local correlation to its face.
WINDOW = 2
#: Standard deviations that smooth each update and the whole displacement [voxels].
UPDATE_SIGMA, TOTAL_SIGMA = 2.0, 0.7
#: Longest movement in one step [voxels]; half a voxel keeps each step invertible.
LONGEST_STEP = 0.5


def warp(volume: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Look a volume up at displaced voxels, linearly between them.

    Parameters
    ----------
    volume : float (D, H, W)
    displacement : float (3, D, H, W)
        Voxels.

    Returns
    -------
    float32 (D, H, W)
    """
    places = np.indices(volume.shape, np.float32) + displacement
    return ndimage.map_coordinates(volume, places, np.float32, order=1, mode="nearest")


def warp_field(field: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Look a displacement (3, D, H, W) up at displaced voxels."""
    return np.stack([warp(component, displacement) for component in field])


def blur_field(field: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a displacement (3, D, H, W)."""
    return np.stack([ndimage.gaussian_filter(component, sigma, truncate=3) for component in field])


def box(volume: np.ndarray) -> np.ndarray:
    """Average a volume over the window of local correlation."""
    return ndimage.uniform_filter(volume, 2 * WINDOW + 1)


def local_correlation(fixed: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlate two volumes in a window around each voxel.

    Parameters
    ----------
    fixed, moved : float (D, H, W)

    Returns
    -------
    squared : float (D, H, W)
        Squared correlation [0..1].
    slope : float (D, H, W)
        Half its derivative by the intensity of `moved` at the centre of the window.
    """
    fixed_mean, moved_mean = box(fixed), box(moved)
    floor = max(
        1e-4 * float(fixed.var()), 1e-6
    )  # even areas, and an image that misses the head, correlate with nothing
    fixed_variance = np.maximum(box(fixed * fixed) - fixed_mean**2, 0) + floor
    moved_variance = np.maximum(box(moved * moved) - moved_mean**2, 0) + floor
    covariance = box(fixed * moved) - fixed_mean * moved_mean
    product = fixed_variance * moved_variance
    slope = covariance / product * (fixed - fixed_mean - covariance / moved_variance * (moved - moved_mean))
    return covariance**2 / product, slope


def fit_displacement(
    fixed: np.ndarray, moving: np.ndarray, weight: np.ndarray, seen: np.ndarray, steps: int
) -> tuple[np.ndarray, float]:
    """Displace the voxels of one volume to where another looks the same.

    Parameters
    ----------
    fixed, moving : float (D, H, W)
        Intensities on one grid.
    weight : bool (D, H, W)
        True where the volumes are compared.
    seen : bool (D, H, W)
        True where `moving` was imaged. Its border is no border of a brain: it exerts no force, and what lies beyond
        follows what is seen.
    steps : int
        Each moves a voxel by half a voxel at most.

    Returns
    -------
    displacement : float32 (3, D, H, W)
        For each voxel of `fixed`, the way to its place in `moving` [voxels].
    similarity : float
        Mean squared local correlation after the last step but one [0..1].
    """
    fixed, moving = fixed.astype(np.float32), moving.astype(np.float32)
    displacement = np.zeros((3, *fixed.shape), np.float32)
    seen = ndimage.minimum_filter(seen.astype(np.float32), 2 * WINDOW + 1)
    similarity = 0.0
    for _ in range(steps):
        moved = warp(moving, displacement)
        compared = weight & (warp(seen, displacement) > 0.99)
        squared, slope = local_correlation(fixed, moved)
        similarity = float(squared[compared].mean()) if compared.any() else 0.0
        force = blur_field(np.stack(np.gradient(moved)) * (slope * compared), UPDATE_SIGMA)
        longest = np.sqrt((force**2).sum(axis=0).max())
        update = force * np.float32(LONGEST_STEP / max(longest, 1e-12))
        displacement = blur_field(update + warp_field(displacement, update), TOTAL_SIGMA)
    return displacement, similarity


def invert_displacement(displacement: np.ndarray, steps: int = 20) -> np.ndarray:
    """Find the displacement that leads back.

    Parameters
    ----------
    displacement : float (3, D, H, W)
        Voxels.
    steps : int
        Of the fixed-point iteration `v(x) = -u(x + v(x))`.

    Returns
    -------
    float32 (3, D, H, W)
    """
    inverse = np.zeros_like(displacement)
    for _ in range(steps):
        inverse = -warp_field(displacement, inverse)
    return inverse


def split_affine(
    displacement: np.ndarray, grid: np.ndarray, depth: np.ndarray, template_affine: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split a deformation into its affine part in the brain and the rest.

    The affine fit by intensities follows the tissue; the affine part of the deformation follows the inside of
    the skull as well, so that an atrophied brain is not stretched to fill the template.

    Parameters
    ----------
    displacement : float (D, H, W, 3)
        From places of the scan in template space to places of the template [mm].
    grid : float (4, 4)
        From voxel indices of the displacement to template millimetres.
    depth : float (D', H', W')
        Distance to the surface of the template brain, negative outside [mm].
    template_affine : float (4, 4)
        Of the depth.

    Returns
    -------
    affine : float (4, 4)
        The least-squares affine of the deformation over the brain.
    rest : float32 (D, H, W, 3)
        What is left to displace after the affine [mm].
    """
    places = grid_points(displacement.shape[:3], grid)
    arrived = places + displacement
    brain = sample(depth, template_affine, arrived, outside=-1) > 0
    known = np.column_stack([places[brain], np.ones(brain.sum())])
    affine = np.eye(4)
    affine[:3] = np.linalg.lstsq(known, arrived[brain], rcond=None)[0].T
    before = apply_affine(np.linalg.inv(affine), places)
    moved = np.stack([sample(part, grid, before) for part in np.moveaxis(displacement, -1, 0)], axis=-1)
    return affine, (before + moved - places).astype(np.float32)
