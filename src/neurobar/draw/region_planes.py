"""Values of regions as colours on planes of the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from neurobar.figures.style import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOUR_MAP = "RdBu_r"  # source: ColorBrewer, safe for the colour-blind
OPAQUE = 0.25  # part of the largest value from which a colour hides the template
CUTS, APART_MM = 5, 10.0
#: The axis that the planes of each row are at right angles to, in the words of nilearn, and the height of the row [mm]:
#: coronal, sagittal, axial.
ROWS = {"y": 38.0, "x": 32.0, "z": 44.0}
#: A region lies on both sides from this part of it with a counterpart beyond the middle (of the atlas that is fetched,
#: its sides merged, 0.71 at least), and sides are one from this part of the coloured voxels in such regions [0..1].
ON_BOTH, MERGED = 0.5, 0.9
GAP_MM, WIDTH = 2.0, 0.88  # between rows, and part of the page that they take


def paint_regions(atlas: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Give each voxel the value of its region.

    Parameters
    ----------
    atlas : int (D, H, W)
        Region of each voxel; 0 is background.
    values : float (K,)
        Of region 1, 2, ...

    Returns
    -------
    float32 (D, H, W)
        0 in the background.
    """
    return np.append(np.float32(0), values.astype(np.float32))[atlas]


def are_sides_one(painted: nib.Nifti1Image) -> bool:
    """Tell whether regions have one value on both sides, or each side one of its own.

    Parameters
    ----------
    painted : nibabel.Nifti1Image
        From `paint_regions`, right-anterior-superior.

    Returns
    -------
    bool
        True where nearly all voxels have a value that lies on both sides, or nothing is coloured.

    Notes
    -----
    A voxel is not compared with its mirror image: of the atlas that is fetched, with its sides merged, a quarter lies
    in another region than its mirror image does.
    """
    values = painted.get_fdata(dtype=np.float32)
    is_coloured = values != 0
    if not is_coloured.any():
        return True
    places = painted.affine[0, 3] + painted.affine[0, 0] * np.arange(len(values))
    _, regions = np.unique(values[is_coloured], return_inverse=True)
    sides = np.sign(places)[np.nonzero(is_coloured)[0]]
    left, right = (np.bincount(regions[sides == side], minlength=regions.max() + 1) for side in (-1, 1))
    sizes = left + right
    on_both = 2 * np.minimum(left, right) >= ON_BOTH * sizes
    return bool(sizes[on_both].sum() >= MERGED * sizes.sum())


def choose_cuts(painted: nib.Nifti1Image, axis: int, number: int = CUTS) -> list[float]:
    """Choose planes through the largest values, apart from each other.

    Parameters
    ----------
    painted : nibabel.Nifti1Image
        From `paint_regions`, right-anterior-superior. Where left and right have equal values, sagittal planes are all
        to the right.
    axis : int
        0 sagittal, 1 coronal, 2 axial.
    number : int
        Planes at most.

    Returns
    -------
    list of float
        Places along the axis [mm], in order; the middle where all values are 0.
    """
    # Squared, so that one large value counts more than many small ones.
    weights = np.square(painted.get_fdata()).sum(axis=tuple({0, 1, 2} - {axis}))
    places = painted.affine[axis, 3] + painted.affine[axis, axis] * np.arange(len(weights))
    if axis == 0 and are_sides_one(painted):
        weights[places < 0] = 0
    chosen = []
    while len(chosen) < number and weights.any():
        chosen.append(float(places[weights.argmax()]))
        weights[np.abs(places - chosen[-1]) < APART_MM] = 0
    return sorted(chosen) or [0.0]


def draw_planes(painted: nib.Nifti1Image, template: str, label: str) -> Figure:
    """Draw coronal, sagittal and axial planes; the fainter a colour, the smaller the value.

    Parameters
    ----------
    painted : nibabel.Nifti1Image
        From `paint_regions`.
    template : path
        What lies below the colours.
    label : str
        Of the colour bar, with the unit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from nilearn.image import crop_img
    from nilearn.plotting import plot_anat  # 2 s

    brain = crop_img(str(template), copy_header=True)
    values = np.abs(painted.get_fdata(dtype=np.float32))
    largest = float(values.max()) or 1.0
    colours = {"cmap": COLOUR_MAP, "vmin": -largest, "vmax": largest, "threshold": 1e-6 * largest}
    fading = {"transparency": nib.Nifti1Image(values, painted.affine), "transparency_range": [0, OPAQUE * largest]}
    top = height_mm = sum(ROWS.values()) + GAP_MM * (len(ROWS) + 1)
    figure = new_figure(height_mm=height_mm)
    figure.set_layout_engine("none")  # the planes are laid out by nilearn
    for mode, row_mm in ROWS.items():
        top -= GAP_MM + row_mm
        axes = figure.add_axes((0, top / height_mm, WIDTH, row_mm / height_mm))
        cuts = choose_cuts(painted, "xyz".index(mode))
        shown = plot_anat(brain, display_mode=mode, cut_coords=cuts, axes=axes, annotate=False, colorbar=False)
        if values.any():
            shown.add_overlay(painted, **colours, **fading)
        shown.annotate(size=7)
    bar = figure.add_axes((0.905, 0.25, 0.015, 0.5))
    figure.colorbar(ScalarMappable(Normalize(-largest, largest), COLOUR_MAP), cax=bar, label=label)
    return figure
