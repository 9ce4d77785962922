"""The anatomy of one subject: how its head differs from the template, and what age and disease took from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from neurobar.data.atlases import Atlas
from neurobar.simulate.deformations import contract_region, draw_shape, widen_ventricles
from neurobar.simulate.heads import COARSE, SHAPE, Brain, place_on_grid

# Part of each region's volume that is lost at severity 1: strongest where the disease begins.
MOST_LOST = {
    "Hippocampus": 0.50,
    "Amygdala": 0.46,
    "ParaHippocampal": 0.44,
    "Temporal_Pole_Sup": 0.22,
    "Temporal_Pole_Mid": 0.24,
    "Temporal_Inf": 0.24,
    "Temporal_Mid": 0.24,
    "Temporal_Sup": 0.18,
    "Fusiform": 0.20,
}
LOST_ELSEWHERE = 0.06  # at severity 1, in every other region
LOST_WITH_AGE = 0.0025  # each year after 60, in every region
ORDINARY_SD = 0.06  # of a region's size among people of one age and health
COMPACT = ("Hippocampus", "Amygdala", "ParaHippocampal")  # small enough to contract around their centre
WIDEST_MM = 4.0  # how far the walls of the ventricles give way at severity 1

BODIES_MM = ((-20, -20, 5), (20, 25, 20))  # opposite corners of a box that the bodies of the ventricles pass through


@dataclass(frozen=True)
class Anatomy:
    """How one subject differs from the template at one session.

    Attributes
    ----------
    displacement : float32 (3, D, H, W)
        On the coarse head grid [mm].
    lost : float32 (D, H, W)
        Part of the grey matter that became fluid [0..1], on the coarse head grid.
    ventricles : bool (D, H, W)
        True inside the lateral ventricles of the template, on the grid of the brain.
    texture : float32 (D, H, W)
        Brightness of muscle over the usual, on the coarse head grid [-].
    """

    displacement: np.ndarray
    lost: np.ndarray
    ventricles: np.ndarray
    texture: np.ndarray


def draw_losses(names: tuple[str, ...], severity: float, age: float, generator: np.random.Generator) -> np.ndarray:
    """Draw the part of each region that is missing; negative where a region is larger than usual.

    Parameters
    ----------
    names : tuple of str
        Names of the K regions.
    severity, age : float
        Severity [0..1] and age [years].
    generator : numpy.random.Generator
        Of the subject, so that its sessions share what is ordinary.

    Returns
    -------
    float (K,)
        Part of the volume.
    """
    ordinary = generator.normal(0, ORDINARY_SD, len(names))
    disease = np.array([MOST_LOST.get(name, LOST_ELSEWHERE) for name in names])
    return ordinary + severity * disease + LOST_WITH_AGE * (age - 60)


def draw_texture(generator: np.random.Generator) -> np.ndarray:
    """Draw the strands of fat that make the muscle of face and neck uneven.

    Parameters
    ----------
    generator : numpy.random.Generator
        Of the subject.

    Returns
    -------
    float32 (D, H, W)
        Brightness over the usual, on the coarse head grid [-].
    """
    noise = generator.standard_normal([len(range(0, length, COARSE)) for length in SHAPE], np.float32)
    strands = ndimage.gaussian_filter(noise, (0.8, 0.8, 2.0))  # muscles of the neck run upwards
    return np.exp(0.35 * strands / strands.std())


def find_ventricles(brain: Brain) -> np.ndarray:
    """Find the lateral ventricles: the deep fluid that reaches their bodies.

    Parameters
    ----------
    brain : Brain
        The template.

    Returns
    -------
    bool (D, H, W)
        True inside the ventricles, on the grid of the brain.
    """
    halves = (slice(None, None, 2),) * 3
    mask = brain.mask[halves]
    fluid = mask & (brain.grey[halves].astype(np.uint16) + brain.white[halves] < 128)
    deep, _ = ndimage.label(fluid & (ndimage.distance_transform_edt(mask) * 2 > 14))
    low, high = (np.round(np.linalg.inv(brain.affine) @ (*corner, 1))[:3].astype(int) // 2 for corner in BODIES_MM)
    bodies = deep[tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))]
    chosen = np.bincount(bodies[bodies > 0]).argmax()
    doubled = (deep == chosen).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    return doubled[tuple(map(slice, brain.mask.shape))]


def spread_losses(losses: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Spread the losses of the regions into a smooth map.

    Parameters
    ----------
    losses : float (K,)
        Part of each region that is missing.
    regions : uint8 (D, H, W)
        Region of each voxel of the coarse head grid; 0 is background.

    Returns
    -------
    float32 (D, H, W)
        Part of the grey matter that is missing [0..1].
    """
    table = np.concatenate([[0.0], np.clip(losses, 0, 0.9)]).astype(np.float32)
    covered = ndimage.gaussian_filter((regions > 0).astype(np.float32), 0.8)
    return ndimage.gaussian_filter(table[regions], 0.8) / np.maximum(covered, 0.2)


def draw_anatomy(brain: Brain, atlas: Atlas, severity: float, age: float, generator: np.random.Generator) -> Anatomy:
    """Draw the anatomy of one subject at one session.

    Half of a compact region's loss is contraction, the other half and the loss of the cortex is grey matter that became
    fluid: the first survives an affine registration, the second survives a deformable one as well.

    Parameters
    ----------
    brain : Brain
        The template.
    atlas : Atlas
        Regions in template space.
    severity, age : float
        Severity [0..1] and age [years] at that session.
    generator : numpy.random.Generator
        Of the subject.

    Returns
    -------
    Anatomy
        Displacement and loss on the coarse head grid.
    """
    displacement = draw_shape(generator)
    losses = draw_losses(atlas.names, severity, age, generator)
    ventricles, texture = find_ventricles(brain), draw_texture(generator)
    wider_mm = generator.normal(0, 0.8) + 0.05 * (age - 70) + WIDEST_MM * severity
    displacement += widen_ventricles(ventricles, brain.affine, float(np.clip(wider_mm, -1.5, 6.0)))
    regions = place_on_grid(atlas.volume, atlas.affine, COARSE, order=0)
    for name in COMPACT:
        number = atlas.names.index(name)
        weight = ndimage.gaussian_filter((regions == number + 1).astype(np.float32), 0.8)
        displacement += contract_region(weight, 0.5 * losses[number])
        losses[number] *= 0.5
    return Anatomy(displacement, spread_losses(losses, regions), ventricles, texture)
