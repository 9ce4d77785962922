"""Measuring the true volumes of a simulated brain."""

from __future__ import annotations

import numpy as np

from neurobar.data.atlases import Atlas
from neurobar.simulate.anatomy import Anatomy
from neurobar.simulate.heads import Brain
from neurobar.simulate.painting import find_places, sample, sample_mask, sample_tissues

GRID_MM = 2.0
MARGIN_MM = 20.0  # no displacement is longer


def measure_volumes(brain: Brain, atlas: Atlas, anatomy: Anatomy, size: np.ndarray) -> dict[str, float]:
    """Measure the true volumes of one subject.

    They are measured on a grid that moves with the head, so that two sessions of one head differ by what the disease
    took and not by where the voxels fell.

    Parameters
    ----------
    brain, atlas : Brain, Atlas
        The template and its regions.
    anatomy : Anatomy
        Of the subject.
    size : float (3,)
        Of the head over the template, along each axis [-].

    Returns
    -------
    dict of str to float
        Volumes [ml] of the brain with its fluid, of grey and white matter, of the lateral ventricles and of the
        tissue in each region, without fluid.
    """
    low, shape = measuring_grid(brain)
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = low
    places = find_places(shape, affine, anatomy.displacement)
    inside = places[:, sample_mask(brain, places)]
    grey, white = sample_tissues(brain, anatomy, inside)
    regions = sample(atlas.volume, inside, atlas.affine[:3, 3], atlas.affine[0, 0], order=0, output=np.uint8)
    ventricles = sample(anatomy.ventricles.view(np.uint8), inside, brain.affine[:3, 3], 1.0)
    counted = np.bincount(regions, weights=grey + white, minlength=len(atlas.names) + 1)[1:]
    whole = {"brain": inside.shape[1], "grey": grey.sum(), "white": white.sum(), "ventricles": ventricles.sum()}
    voxel_ml = GRID_MM**3 * float(np.prod(size)) / 1000
    counts = {**whole, **dict(zip(atlas.names, counted, strict=True))}
    return {name: round(float(count) * voxel_ml, 3) for name, count in counts.items()}


def measuring_grid(brain: Brain) -> tuple[np.ndarray, tuple[int, ...]]:
    """First place [mm] and shape of a grid that holds every deformed brain."""
    extents = [np.flatnonzero(brain.mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    low = np.array([extent[0] for extent in extents]) + brain.affine[:3, 3] - MARGIN_MM
    high = np.array([extent[-1] for extent in extents]) + brain.affine[:3, 3] + MARGIN_MM
    return low, tuple(np.ceil((high - low) / GRID_MM).astype(int) + 1)
