"""How a head is put into a scanner and what the scanner makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neurobar.simulate import heads

CENTRE_MM = np.array([0.0, -8.0, -16.0])  # of the field of view, in a head that lies straight
PIVOT_MM = np.array([0.0, -20.0, -20.0])  # heads turn about this place


@dataclass(frozen=True)
class Site:
    """What the scans of one site have in common.

    Attributes
    ----------
    spacing_mm : tuple of float
        Of the voxels, left-right, posterior-anterior, inferior-superior.
    shape : tuple of int
        Voxels along these axes.
    stored : str
        Directions in which the axes of the file run.
    white_level : float
        Intensity of white matter, arbitrary units.
    grey, fluid, fat : float
        Intensity over that of white matter [-].
    bias : float
        Strength of the coil's drift, over that of the config [-].
    """

    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    stored: str
    white_level: float
    grey: float
    fluid: float
    fat: float
    bias: float


SITES = {
    "north": Site((2.0, 2.0, 2.0), (100, 120, 128), "PSR", 180.0, 0.70, 0.20, 1.25, 0.8),
    "east": Site((1.8, 1.8, 2.2), (110, 134, 116), "LAS", 260.0, 0.74, 0.26, 1.10, 1.0),
    "west": Site((1.5, 1.5, 3.0), (128, 160, 86), "LPS", 150.0, 0.66, 0.16, 1.40, 1.3),
}


def contrast_table(site: Site) -> np.ndarray:
    """Intensity of each tissue of `neurobar.simulate.heads`, over that of white matter [-]."""
    table = np.zeros(9, np.float32)
    table[[heads.FLUID, heads.BONE, heads.MARROW, heads.FAT]] = site.fluid, 0.08, 0.55, site.fat
    table[[heads.SKIN, heads.MUSCLE, heads.EYE, heads.CORD]] = 0.5, 0.48, site.fluid, 0.85
    return table


def draw_pose(rotation_sd_degrees: float, shift_sd_mm: float, generator: np.random.Generator) -> np.ndarray:
    """Draw how a head lies in the scanner.

    Parameters
    ----------
    rotation_sd_degrees : float
        Of the pitch; roll and yaw vary half as much.
    shift_sd_mm : float
        Along each axis.
    generator : numpy.random.Generator
        Of the scan.

    Returns
    -------
    float (4, 4)
        From a head that lies straight to the scanner [mm].
    """
    angles = generator.normal(0, rotation_sd_degrees, 3) * (1.0, 0.5, 0.5)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", np.clip(angles, -25, 25), degrees=True).as_matrix()
    shift = np.clip(generator.normal(0, shift_sd_mm, 3), -2 * shift_sd_mm, 2 * shift_sd_mm)
    pose[:3, 3] = PIVOT_MM - pose[:3, :3] @ PIVOT_MM + shift
    return pose


def grid_affine(site: Site) -> np.ndarray:
    """Affine from voxel indices to scanner millimetres, right-anterior-superior (4, 4)."""
    affine = np.diag([*site.spacing_mm, 1.0])
    affine[:3, 3] = CENTRE_MM - affine[:3, :3] @ ((np.array(site.shape) - 1) / 2)
    return affine


def draw_bias(shape: tuple[int, ...], strength: float, generator: np.random.Generator) -> np.ndarray:
    """Draw the smooth gain of a receive coil.

    Parameters
    ----------
    shape : tuple of int
        Of the volume (D, H, W).
    strength : float
        Typical drift over the field of view, as a part of the mean [-].
    generator : numpy.random.Generator
        Of the scan.

    Returns
    -------
    float32 (D, H, W)
        Gain, positive, 1 on average over scans in the logarithm.
    """
    x, y, z = np.ix_(*(np.linspace(-1, 1, length, dtype=np.float32) for length in shape))
    terms = (x, y, z, x * x - 0.3, y * y - 0.3, z * z - 0.3, x * y, y * z, x * z)
    weights = generator.normal(0, strength, len(terms)).astype(np.float32)
    drift = np.zeros(shape, np.float32)
    for weight, term in zip(weights, terms, strict=True):
        drift += weight * term
    return np.exp(drift)


def add_noise(volume: np.ndarray, sd: float, generator: np.random.Generator) -> np.ndarray:
    """Add the noise of a magnitude image, which is Rician.

    Parameters
    ----------
    volume : float32 (D, H, W)
        Intensities.
    sd : float
        Standard deviation of the noise in each of the two channels.
    generator : numpy.random.Generator
        Of the scan.

    Returns
    -------
    float32 (D, H, W)
        Noisy magnitudes.
    """
    real, imaginary = (sd * generator.standard_normal(volume.shape, np.float32) for _ in range(2))
    return np.hypot(volume + real, imaginary)


def record_head(
    intensity: np.ndarray, site: Site, noise_share: float, bias_share: float, generator: np.random.Generator
) -> np.ndarray:
    """Record a head with the drift, the noise and the units of a scanner.

    Parameters
    ----------
    intensity : float32 (D, H, W)
        Over that of white matter [-].
    site : Site
        Where the scan is made.
    noise_share, bias_share : float
        Noise and typical drift, as parts of the intensity of white matter [-].
    generator : numpy.random.Generator
        Of the scan.

    Returns
    -------
    int16 (D, H, W)
        Intensities in arbitrary units.
    """
    level = site.white_level * generator.uniform(0.85, 1.15)  # no two scans have the same units
    received = intensity * level * draw_bias(intensity.shape, site.bias * bias_share, generator)
    return np.rint(add_noise(received, noise_share * site.white_level, generator)).astype(np.int16)
