"""Painting a head on the grid of a scan: every voxel looks up its place in the template."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from neurobar.data.atlases import Atlas
from neurobar.simulate.anatomy import Anatomy
from neurobar.simulate.heads import COARSE_MM, MUSCLE, ORIGIN_MM, SPACING_MM, Brain, draw_head, refine
from neurobar.simulate.scanners import Site, contrast_table


class Truth(NamedTuple):
    """What a scan was made from, on its own grid.

    Attributes
    ----------
    intensity : float32 (D, H, W)
        Before drift and noise, over that of white matter [-].
    mask : bool (D, H, W)
        True inside the brain, its ventricles and the fluid of its sulci.
    volumes_ml : dict of str to float
        Of the brain, its tissues, the ventricles and each region.
    """

    intensity: np.ndarray
    mask: np.ndarray
    volumes_ml: dict[str, float]


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


def measure_volumes(
    tissues: tuple[np.ndarray, np.ndarray],
    regions: np.ndarray,
    ventricles: np.ndarray,
    names: tuple[str, ...],
    voxel_ml: float,
) -> dict[str, float]:
    """Measure the true volumes.

    Parameters
    ----------
    tissues : tuple of float (n,)
        Grey and white matter of each brain voxel [0..1].
    regions : uint8 (n,)
        Region of each brain voxel; 0 is background.
    ventricles : float (n,)
        Part of each brain voxel inside the lateral ventricles [0..1].
    names : tuple of str
        Names of the regions.
    voxel_ml : float
        Volume of one voxel [ml].

    Returns
    -------
    dict of str to float
        Volumes [ml]; that of a region is its tissue without fluid.
    """
    tissue = tissues[0] + tissues[1]
    counted = np.bincount(regions, weights=tissue, minlength=len(names) + 1)[1:]
    whole = {"brain": len(regions), "grey": tissues[0].sum(), "white": tissues[1].sum(), "ventricles": ventricles.sum()}
    volumes = {**whole, **dict(zip(names, counted, strict=True))}
    return {name: round(float(value) * voxel_ml, 3) for name, value in volumes.items()}


def paint_scan(site: Site, brain: Brain, atlas: Atlas, affine: np.ndarray, anatomy: Anatomy) -> Truth:
    """Paint a head without drift and noise.

    Parameters
    ----------
    site : Site
        Its grid and its contrast.
    brain, atlas : Brain, Atlas
        The template and its regions.
    affine : float (4, 4)
        From the voxels of the scan to the undeformed template [mm].
    anatomy : Anatomy
        Of the subject.

    Returns
    -------
    Truth
        On the grid of the site, right-anterior-superior.
    """
    contrast = contrast_table(site)
    places = find_places(site.shape, affine, anatomy.displacement)
    labels = draw_head(brain)
    head = np.where(labels == MUSCLE, refine(anatomy.texture), 1) * contrast[labels]
    # Tissues become intensities before and not after interpolation, so one volume is enough for all of them.
    intensity = sample(head, places, ORIGIN_MM, SPACING_MM, mode="nearest")
    origin = brain.affine[:3, 3]
    mask = sample(brain.mask.view(np.uint8), places, origin, 1.0) > 0.5
    inside = places[:, mask]
    grey, white = sample_tissues(brain, anatomy, inside)
    intensity[mask] = white + site.grey * grey + site.fluid * (1 - grey - white)
    regions = sample(atlas.volume, inside, atlas.affine[:3, 3], atlas.affine[0, 0], order=0, output=np.uint8)
    ventricles = sample(anatomy.ventricles.view(np.uint8), inside, origin, 1.0)
    voxel_ml = float(np.prod(site.spacing_mm)) / 1000
    return Truth(intensity, mask, measure_volumes((grey, white), regions, ventricles, atlas.names, voxel_ml))
