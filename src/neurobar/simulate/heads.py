"""A head in template space: the ICBM152 brain with skull, scalp, face and neck drawn around it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import nibabel as nib
import numpy as np
from scipy import ndimage

# The grid of everything outside the brain: from the shoulders to above the crown.
ORIGIN_MM = np.array([-104.0, -140.0, -190.0])
SHAPE = (105, 129, 153)  # odd, so that the coarse grid begins and ends with it
SPACING_MM = 2.0
COARSE = 2  # distances are measured on every second voxel of that grid: they are smooth, and eight times cheaper
COARSE_MM = SPACING_MM * COARSE

AIR, FLUID, BONE, MARROW, FAT, SKIN, MUSCLE, EYE, CORD = range(9)


@dataclass(frozen=True)
class Brain:
    """The brain of the template.

    Attributes
    ----------
    grey, white : uint8 (D, H, W)
        Tissue fractions; 255 is 1.
    mask : bool (D, H, W)
        True inside the brain, its ventricles and the fluid of its sulci.
    affine : float (4, 4)
        From voxel indices to MNI millimetres, axis-aligned, right-anterior-superior.
    """

    grey: np.ndarray
    white: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


def read_brain() -> Brain:
    """Read the ICBM152 2009a template that nilearn carries, at 1 mm.

    The files are opened directly: importing `nilearn.datasets` costs as much as simulating the scan.

    Returns
    -------
    Brain
        The template, unscaled.
    """
    folder = files("nilearn") / "datasets" / "data"
    images = [
        nib.load(str(folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz")) for kind in ("t1", "gm", "wm")
    ]
    t1w, grey, white = (np.asarray(image.dataobj) for image in images)
    return Brain(grey, white, t1w > 0, images[0].affine)


def grid_axes(step: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of the head grid along its three axes [mm], ready to broadcast."""
    axes = (start + SPACING_MM * np.arange(0, length, step) for start, length in zip(ORIGIN_MM, SHAPE, strict=True))
    return np.ix_(*(axis.astype(np.float32) for axis in axes))


def place_on_grid(volume: np.ndarray, affine: np.ndarray, step: int = 1, order: int = 1) -> np.ndarray:
    """Sample a template volume on the head grid.

    Parameters
    ----------
    volume : (D, H, W)
        Any volume with an axis-aligned affine.
    affine : float (4, 4)
        From voxel indices to MNI millimetres.
    step : int
        Take every `step`-th voxel of the head grid.
    order : int
        Order of the interpolation; 0 for labels.

    Returns
    -------
    float32
        The volume on the head grid; 0 outside.
    """
    scale = np.diag(affine)[:3]
    shape = tuple(len(range(0, length, step)) for length in SHAPE)
    sampled = np.float32 if order else volume.dtype
    return ndimage.affine_transform(
        volume, np.diag(SPACING_MM * step / scale), (ORIGIN_MM - affine[:3, 3]) / scale, shape, sampled, order=order
    )


def refine(field: np.ndarray) -> np.ndarray:
    """Bring a field from the coarse grid to the head grid by linear interpolation.

    Parameters
    ----------
    field : float32 (D, H, W)
        On the coarse grid.

    Returns
    -------
    float32 (2 D - 1, 2 H - 1, 2 W - 1)
        Between two old values stands their mean; far cheaper than a general interpolation.
    """
    for axis in range(field.ndim):
        old = np.moveaxis(field, axis, 0)
        new = np.empty((2 * len(old) - 1, *old.shape[1:]), np.float32)
        new[::2] = old
        new[1::2] = (old[:-1] + old[1:]) / 2
        field = np.moveaxis(new, 0, axis)
    return field


def signed_distance(inside: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Distance to the surface of a mask [mm], negative inside."""
    outer = ndimage.distance_transform_edt(~inside)
    inner = ndimage.distance_transform_edt(inside)
    return ((outer - inner - np.where(inside, -0.5, 0.5)) * spacing_mm).astype(np.float32)


def ellipsoid(centre_mm: tuple[float, ...], radii_mm: tuple[float, ...], step: int = 1) -> np.ndarray:
    """Approximate distance to the surface of an ellipsoid on the head grid [mm], negative inside."""
    terms = zip(grid_axes(step), centre_mm, radii_mm, strict=True)
    radius = np.sqrt(sum(((axis - centre) / extent) ** 2 for axis, centre, extent in terms))
    return (radius - 1) * min(radii_mm)


def neck_distance(step: int) -> np.ndarray:
    """Approximate distance to the surface of neck and shoulders on the head grid [mm], negative inside."""
    x, y, z = grid_axes(step)
    flare = np.clip((-140 - z) / 30, 0, None) ** 2  # the shoulders
    tilt = -30 - 0.15 * (z + 60)  # the neck leans forward as it rises
    radius = np.sqrt((x / (58 + 45 * flare)) ** 2 + ((y + 60 + tilt) / (60 + 15 * flare)) ** 2)
    # Closed well above its lower end so that the tube ends inside the head.
    return np.maximum((radius - 1) * 58, z + 45).astype(np.float32)


def head_distance(brain_distance: np.ndarray) -> np.ndarray:
    """Distance to the skin on the coarse grid [mm], negative inside the head.

    Parameters
    ----------
    brain_distance : float (D, H, W)
        Distance to the surface of the brain on the coarse grid [mm].

    Returns
    -------
    float32 (D, H, W)
        Cranium, face and neck, blended smoothly.
    """
    cranium = brain_distance - 13
    face = ellipsoid((0, 36, -58), (62, 62, 64), COARSE)
    nose = ellipsoid((0, 92, -48), (14, 20, 20), COARSE)
    parts = np.stack([cranium, face, nose, neck_distance(COARSE)])
    softness_mm = 6.0
    return -softness_mm * np.log(np.exp(-np.clip(parts, -90, 200) / softness_mm).sum(0)).astype(np.float32)


def draw_layers(labels: np.ndarray, brain_distance: np.ndarray, depth: np.ndarray) -> None:
    """Draw skin, scalp, muscle and skull into `labels`, from outside inwards.

    Parameters
    ----------
    labels : uint8 (D, H, W)
        Changed in place.
    brain_distance, depth : float (D, H, W)
        Distance outside the brain and below the skin [mm].
    """
    for tissue, below_mm in ((SKIN, 0), (FAT, 2), (MUSCLE, 6.5)):
        labels[depth > below_mm] = tissue
    for tissue, within_mm in ((BONE, 7.5), (MARROW, 5.8), (BONE, 3.8), (FLUID, 1.8)):
        labels[brain_distance < within_mm] = tissue


def draw_face_and_neck(labels: np.ndarray, brain_distance: np.ndarray) -> None:
    """Draw eyes, sinuses, airway, spine and cord into `labels`, in place and outside the skull."""
    x, y, z = grid_axes()
    spine = (z < -84) & (brain_distance > 7.5)
    leaning = 0.15 * (z + 80)
    bodies = (
        (FAT, np.minimum(ellipsoid((-31, 56, -34), (18, 24, 17)), ellipsoid((31, 56, -34), (18, 24, 17))) < 0),
        (EYE, np.minimum(ellipsoid((-31, 62, -34), (12, 12, 12)), ellipsoid((31, 62, -34), (12, 12, 12))) < 0),
        (AIR, np.minimum(ellipsoid((-26, 50, -66), (12, 15, 14)), ellipsoid((26, 50, -66), (12, 15, 14))) < 0),
        (AIR, ellipsoid((0, 58, -60), (8, 26, 18)) < 0),
        (AIR, (np.hypot(x / 11, (y - 8 - leaning) / 7) < 1) & (z < -62)),
        (MARROW, (np.hypot(x / 19, (y + 24 - leaning) / 15) < 1) & spine),
        (BONE, (np.hypot(x / 13, (y + 48 - leaning) / 12) < 1) & spine),
        (FLUID, (np.hypot(x / 10, (y + 46 - leaning) / 9) < 1) & (z < -60)),
        (CORD, (np.hypot(x / 6, (y + 46 - leaning) / 5) < 1) & (z < -60)),
    )
    outside = (brain_distance > 1.8) & (labels != AIR)
    for tissue, body in bodies:
        labels[body & outside] = tissue


def draw_head(brain: Brain) -> np.ndarray:
    """Draw everything outside the brain.

    Parameters
    ----------
    brain : Brain
        The template.

    Returns
    -------
    uint8 (D, H, W)
        Tissue of each voxel of the head grid; inside the brain it is fluid.
    """
    coarse = signed_distance(place_on_grid(brain.mask.view(np.uint8), brain.affine, COARSE) > 0.5, COARSE_MM)
    brain_distance, depth = refine(coarse), -refine(head_distance(coarse))
    labels = np.full(SHAPE, AIR, np.uint8)
    draw_layers(labels, brain_distance, depth)
    draw_face_and_neck(labels, brain_distance)
    return labels
