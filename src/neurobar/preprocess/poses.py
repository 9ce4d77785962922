"""Where in a scan a head is, by trying every position for each of many orientations and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import fft
from scipy.spatial.transform import Rotation

from neurobar.data.resampling import cover, resample, smooth_to

#: Spacing at which positions are tried: a head is still 20 voxels wide.
SPACING_MM = 8.0
SIZES = (0.8, 0.9, 1.0, 1.1)
#: Heads lie on their back, so the nod varies most [degrees]; (nod, tilt, turn), usual ones first.
USUAL = tuple((nod, 0, 0) for nod in range(-40, 41, 10))
UNUSUAL = tuple(product(range(-75, 76, 25), (-25, 0, 25), (-25, 0, 25)))


@dataclass(frozen=True)
class Target:
    """What is looked for: the part of a template head that every scan shows.

    Attributes
    ----------
    volume : float (D, H, W)
        Intensities.
    weight : bool (D, H, W)
        True where the volume is compared.
    affine : float (4, 4)
        From voxel indices to template millimetres.
    """

    volume: np.ndarray
    weight: np.ndarray
    affine: np.ndarray

    def box(self) -> tuple[np.ndarray, float]:
        """Return the centre of the compared part and its longest edge [mm]."""
        corners = np.argwhere(self.weight)
        low, high = (self.affine[:3, :3] @ limit + self.affine[:3, 3] for limit in (corners.min(0), corners.max(0)))
        return (low + high) / 2, float((high - low).max())


def compress(volume: np.ndarray) -> np.ndarray:
    """Cut the bright tail (fat, vessels) and scale to 1, so that it does not rule the correlation.

    Parameters
    ----------
    volume : float (D, H, W)
        Intensities, 0 or above.

    Returns
    -------
    float (D, H, W)
    """
    foreground = volume[volume > volume.mean()]
    ceiling = np.percentile(foreground, 90) if foreground.size else 1.0
    return np.minimum(volume, ceiling) / ceiling


def find_pose(
    scan: np.ndarray,
    affine: np.ndarray,
    target: Target,
    orientations: tuple[tuple[float, float, float], ...] = USUAL,
) -> tuple[float, np.ndarray]:
    """Find position, orientation and size of a template head in a scan.

    All positions are compared at once by the fast Fourier transform, so neither the centre of
    the image nor a neck in view misleads the search, as it misleads a descent.

    Parameters
    ----------
    scan : float (D, H, W)
        Raw intensities.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    target : Target
        The head.
    orientations : tuple of (nod, tilt, turn)
        Rotations about the right, anterior and superior axis [degrees].

    Returns
    -------
    correlation : float
    pose : float (4, 4)
        From template to scanner millimetres.
    """
    shape, grid = cover(scan.shape, affine, SPACING_MM)
    coarse = compress(resample(smooth_to(scan, affine, SPACING_MM), affine, shape, grid))
    centre, edge_mm = target.box()
    edge = int(np.ceil(1.15 * edge_mm / SPACING_MM))
    blurred = smooth_to(target.volume, target.affine, SPACING_MM)
    padded = [fft.next_fast_len(length + edge, real=True) for length in shape]
    spectra = fft.rfftn(coarse, padded), fft.rfftn(coarse**2, padded)
    poses = []
    for (nod, tilt, turn), size in product(orientations, SIZES):
        turned = Rotation.from_euler("xyz", (nod, tilt, turn), degrees=True).as_matrix() * size
        patch_affine = np.eye(4)
        patch_affine[:3, :3] = np.linalg.inv(turned) * SPACING_MM
        patch_affine[:3, 3] = centre - patch_affine[:3, :3] @ np.full(3, (edge - 1) / 2)
        patch, weight = (
            resample(volume, target.affine, (edge, edge, edge), patch_affine) for volume in (blurred, target.weight)
        )
        correlation, corner = best_position(spectra, padded, shape, patch, weight > 0.5)
        pose = np.eye(4)
        pose[:3, :3] = turned
        pose[:3, 3] = grid[:3, :3] @ (corner + (edge - 1) / 2) + grid[:3, 3] - turned @ centre
        poses.append((correlation, pose))
    return max(poses, key=lambda pose: pose[0])


def best_position(
    spectra: tuple[np.ndarray, np.ndarray],
    padded: list[int],
    shape: tuple[int, int, int],
    patch: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, np.ndarray]:
    """Slide a patch over an image and find where their normalised correlation is largest.

    Parameters
    ----------
    spectra : two complex arrays
        Transforms of the image and of its square, padded.
    padded, shape
        Shape of the image with and without padding.
    patch : float (P, P, P)
    weight : bool (P, P, P)
        True where the patch is compared.

    Returns
    -------
    correlation : float
    corner : int (3,)
        Voxel of the image at which the patch begins; negative where it sticks out.
    """
    count = weight.sum()
    centred = np.where(weight, patch - patch[weight].mean(), 0)
    window, kernel = (np.conj(fft.rfftn(volume, padded)) for volume in (weight.astype(np.float32), centred))
    mean = fft.irfftn(spectra[0] * window, padded) / count
    variance = np.maximum(fft.irfftn(spectra[1] * window, padded) / count - mean**2, 1e-4)
    norm = np.sqrt((centred**2).sum() * count)
    correlations = fft.irfftn(spectra[0] * kernel, padded) / (norm * np.sqrt(variance))
    place = np.array(np.unravel_index(correlations.argmax(), correlations.shape))
    return float(correlations.max()), np.where(place >= shape, place - padded, place)
