"""Painting a head on the grid of a scan: every voxel looks up its place in the template."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from neurobar.simulate.anatomy import Anatomy
from neurobar.simulate.heads import COARSE_MM, MUSCLE, ORIGIN_MM, SPACING_MM, Brain, draw_head, refine
from neurobar.simulate.scanners import Site, contrast_table


def sample(
    volume: np.ndarray, places_mm: np.ndarray, origin_mm: np.ndarray, spacing_mm: float, **settings
) -> np.ndarray:
    """Interpolate a volume at places of the template.

    Parameters
    ----------
    volume : (D, H, W)
        On an axis-aligned grid.
    places_mm : float32 (3, ...)
        Where to look [mm].
    origin_mm : float (3,)
        Place of the first voxel [mm].
    spacing_mm : float
        Of the voxels.
    **settings
        Of `scipy.ndimage.map_coordinates`; linear unless told otherwise.

    Returns
    -------
    (...)
        Floats, or labels when `order` is 0.
    """
    origin = np.asarray(origin_mm, np.float32).reshape(3, *[1] * (places_mm.ndim - 1))
    settings = {"order": 1, "output": np.float32, **settings}
    return ndimage.map_coordinates(volume, (places_mm - origin) / np.float32(spacing_mm), **settings)


def find_places(shape: tuple[int, ...], affine: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Find the place of the template that each voxel of a scan shows.

    Parameters
    ----------
    shape : tuple of int
        Of the scan (D, H, W).
    affine : float (4, 4)
        From its voxels to the undeformed template [mm].
    displacement : float32 (3, ...)
        On the coarse head grid [mm].

    Returns
    -------
    float32 (3, D, H, W)
        Places [mm].
    """
    indices = np.ix_(*(np.arange(length, dtype=np.float32) for length in shape))
    steps = affine.astype(np.float32)
    places = np.empty((3, *shape), np.float32)
    for axis in range(3):
        places[axis] = sum(steps[axis, number] * indices[number] for number in range(3)) + steps[axis, 3]
    moved = [sample(part, places, ORIGIN_MM, COARSE_MM, mode="nearest") for part in displacement]
    for axis in range(3):
        places[axis] += moved[axis]
    return places


def sample_mask(brain: Brain, places: np.ndarray) -> np.ndarray:
    """Tell which places of the template [mm] (3, ...) are inside its brain, as bool (...)."""
    return sample(brain.mask.view(np.uint8), places, brain.affine[:3, 3], 1.0) > 0.5


def sample_tissues(brain: Brain, anatomy: Anatomy, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sample the grey and the white matter that age and disease have left.

    Parameters
    ----------
    brain : Brain
        The template.
    anatomy : Anatomy
        Of the subject.
    places : float32 (3, n)
        Places of the template [mm].

    Returns
    -------
    grey, white : float32 (n,)
        Tissue fractions [0..1].
    """
    origin = brain.affine[:3, 3]
    grey, white = (sample(tissue, places, origin, 1.0) / 255 for tissue in (brain.grey, brain.white))
    fluid = np.clip(1 - grey - white, 0, 1)
    # The template is a mean over 152 people: squaring gives its blurred borders the width of one person's.
    total = np.maximum(grey**2 + white**2 + fluid**2, 1e-6)
    lost = np.clip(sample(anatomy.lost, places, ORIGIN_MM, COARSE_MM), 0, 1)
    return grey**2 / total * (1 - lost), white**2 / total


def paint_scan(site: Site, brain: Brain, anatomy: Anatomy, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paint a head without drift and noise.

    Parameters
    ----------
    site : Site
        Its grid and its contrast.
    brain : Brain
        The template.
    anatomy : Anatomy
        Of the subject.
    affine : float (4, 4)
        From the voxels of the scan to the undeformed template [mm].

    Returns
    -------
    intensity : float32 (D, H, W)
        Over that of white matter [-], on the grid of the site, right-anterior-superior.
    mask : bool (D, H, W)
        True inside the brain, its ventricles and the fluid of its sulci.
    """
    places = find_places(site.shape, affine, anatomy.displacement)
    contrast, labels = contrast_table(site), draw_head(brain)
    head = np.where(labels == MUSCLE, refine(anatomy.texture), 1) * contrast[labels]
    # Tissues become intensities before and not after interpolation, so one volume is enough for all of them.
    intensity = sample(head, places, ORIGIN_MM, SPACING_MM, mode="nearest")
    mask = sample_mask(brain, places)
    grey, white = sample_tissues(brain, anatomy, places[:, mask])
    intensity[mask] = white + site.grey * grey + site.fluid * (1 - grey - white)
    return intensity, mask
