"""Displacements, in millimetres on the coarse head grid.

They point from a place in the subject to the place of the template that is found there. To shrink a structure is
therefore to look further out than where one stands.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from neurobar.simulate.heads import COARSE, COARSE_MM, SHAPE, grid_axes, place_on_grid, signed_distance


def draw_shape(generator: np.random.Generator) -> np.ndarray:
    """Draw the smooth difference between one head and the template, at two scales.

    Parameters
    ----------
    generator : numpy.random.Generator
        Of the subject.

    Returns
    -------
    float32 (3, D, H, W)
        Displacement on the coarse head grid [mm].
    """
    shape = [len(range(0, length, COARSE)) for length in SHAPE]
    total = np.zeros((3, *shape), np.float32)
    for knots_mm, sd_mm in ((56.0, 4.0), (24.0, 1.3)):
        # Read as B-spline coefficients, a lattice needs no solving and gives the smoothest field.
        x, y, z = (spline_basis(length, COARSE_MM / knots_mm) for length in shape)
        lattices = generator.normal(0, sd_mm, (3, len(x), len(y), len(z))).astype(np.float32)
        total += np.einsum("axyz,xi,yj,zk->aijk", lattices, x, y, z, optimize=True)
    return total


def spline_basis(length: int, step: float) -> np.ndarray:
    """Cubic B-spline of each knot (K) at places that are `step` knots apart, as float32 (K, length)."""
    places = 1 + step * np.arange(length)
    knots = np.eye(int(np.ceil(places[-1])) + 2)
    rows = [ndimage.map_coordinates(knot, [places], order=3, prefilter=False) for knot in knots]
    return np.stack(rows).astype(np.float32)


def widen_ventricles(ventricles: np.ndarray, affine: np.ndarray, by_mm: float) -> np.ndarray:
    """Push the walls of the ventricles outwards; the white matter around them gives way.

    Parameters
    ----------
    ventricles : bool (D, H, W)
        True inside, on a grid of its own.
    affine : float (4, 4)
        Of that grid.
    by_mm : float
        How far the walls move [mm].

    Returns
    -------
    float32 (3, D, H, W)
        Displacement on the coarse head grid [mm].
    """
    inside = place_on_grid(ventricles.view(np.uint8), affine, COARSE)
    distance = signed_distance(inside > 0.5, COARSE_MM)
    smooth = ndimage.gaussian_filter(distance, 1.0)
    reach = np.exp(-((np.clip(smooth, 0, None) / 14.0) ** 2))
    return np.stack([-by_mm * reach * slope / COARSE_MM for slope in np.gradient(smooth)]).astype(np.float32)


def contract_region(weight: np.ndarray, rate: float) -> np.ndarray:
    """Draw a region towards the centre of its left and of its right half.

    Parameters
    ----------
    weight : float (D, H, W)
        1 inside the region, falling to 0 around it, on the coarse head grid.
    rate : float
        Displacement for each millimetre from the centre [-]; negative makes the region larger.

    Returns
    -------
    float32 (3, D, H, W)
        Displacement on the coarse head grid [mm].
    """
    axes = grid_axes(COARSE)
    total = np.zeros((3, *weight.shape), np.float32)
    for side in (axes[0] < 0, axes[0] >= 0):
        half = weight * side
        for number, axis in enumerate(axes):
            centre = (half * axis).sum() / half.sum()
            total[number] += rate * half * (axis - centre)
    return total
