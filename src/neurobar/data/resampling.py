"""Moving volumes between grids, by their affines."""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from scipy import ndimage

#: Full width at half maximum of a Gaussian with a standard deviation of 1.
FWHM = 2.355


def resample(
    volume: np.ndarray,
    affine: np.ndarray,
    shape: tuple[int, int, int],
    target_affine: np.ndarray,
    *,
    outside: float = 0.0,
) -> np.ndarray:
    """Interpolate a volume linearly at the voxels of another grid.

    Parameters
    ----------
    volume : float (D, H, W)
        Any orientation of the axes: the affine alone says where a voxel lies.
    affine, target_affine : float (4, 4)
        From voxel indices to millimetres of one common space.
    shape : tuple of int
        Shape of the target grid.
    outside : float
        Value beyond the volume.

    Returns
    -------
    float32 `shape`
    """
    matrix = np.linalg.inv(affine) @ target_affine
    return ndimage.affine_transform(
        np.asarray(volume, np.float32),
        matrix[:3, :3],
        matrix[:3, 3],
        shape,
        order=1,
        mode="constant",
        cval=outside,
    )


def sample(volume: np.ndarray, affine: np.ndarray, points: np.ndarray, *, outside: float = 0.0) -> np.ndarray:
    """Interpolate a volume linearly at points.

    Parameters
    ----------
    volume : float (D, H, W)
    affine : float (4, 4)
        From voxel indices to millimetres.
    points : float (..., 3)
        Millimetres.
    outside : float
        Value beyond the volume.

    Returns
    -------
    float32 (...)
    """
    voxels = np.moveaxis(apply_affine(np.linalg.inv(affine), points), -1, 0)
    return ndimage.map_coordinates(volume, voxels, np.float32, order=1, mode="constant", cval=outside)


def smooth_to(volume: np.ndarray, affine: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Blur a volume so that it can be sampled at a coarser spacing without aliasing.

    Parameters
    ----------
    volume : float (D, H, W)
    affine : float (4, 4)
        From voxel indices to millimetres.
    spacing_mm : float
        The coarser spacing; axes that are as coarse already stay.

    Returns
    -------
    float32 (D, H, W)
    """
    spacing = voxel_sizes(affine)
    sigma = np.sqrt(np.maximum(0, spacing_mm**2 - spacing**2)) / FWHM / spacing
    return ndimage.gaussian_filter(np.asarray(volume, np.float32), sigma, truncate=3)


def cover(
    shape: tuple[int, int, int], affine: np.ndarray, spacing_mm: float
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Lay an upright grid over a volume that may be turned, oblique or sheared.

    Parameters
    ----------
    shape : tuple of int
        Shape of the volume.
    affine : float (4, 4)
        From voxel indices to millimetres.
    spacing_mm : float
        Spacing of the grid.

    Returns
    -------
    shape : tuple of int
    affine : float (4, 4)
        Of the grid, right-anterior-superior.
    """
    corners = np.array(np.meshgrid(*[(-0.5, length - 0.5) for length in shape])).reshape(3, -1).T
    corners = apply_affine(affine, corners)
    low, high = corners.min(axis=0), corners.max(axis=0)
    lengths = np.ceil((high - low) / spacing_mm - 1e-6).astype(int)
    upright = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    upright[:3, 3] = (low + high) / 2 - (lengths - 1) / 2 * spacing_mm
    return tuple(int(length) for length in lengths), upright


def grid_points(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """Give the place of every voxel of a grid.

    Returns
    -------
    float (D, H, W, 3)
        Millimetres.
    """
    return apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))


def bounding_box(mask: np.ndarray, affine: np.ndarray, margin: int = 0) -> tuple[tuple[slice, ...], np.ndarray]:
    """Find the part of a grid that holds a mask.

    Parameters
    ----------
    mask : bool (D, H, W)
        True somewhere.
    affine : float (4, 4)
        From voxel indices to millimetres.
    margin : int
        Voxels left around the mask, where the grid has them.

    Returns
    -------
    box : three slices
    affine : float (4, 4)
        From voxel indices of the part to millimetres.
    """
    box = tuple(
        slice(max(side.start - margin, 0), side.stop + margin)
        for side in ndimage.find_objects(mask.astype(np.uint8))[0]
    )
    corner = affine.copy()
    corner[:3, 3] += affine[:3, :3] @ [side.start for side in box]
    return box, corner
