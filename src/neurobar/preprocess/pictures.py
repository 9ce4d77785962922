"""The picture of a scan by which a person sees whether preprocessing went well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine

from neurobar.data.files import written_whole
from neurobar.data.resampling import sample

#: Middle and edge of the planes in template space [mm], and their resolution: the whole head without the neck.
CENTRE_MM, EDGE_MM, STEP_MM = (0.0, -18.0, 4.0), 230.0, 1.0
#: Beside the midline, where ventricle and hippocampus are seen; through the thalamus; above the orbits [mm].
CUTS_MM = (-12.0, -18.0, 4.0)
#: Names of the sides of a plane: left edge and right edge of the picture.
SIDES = (("P", "A"), ("L", "R"), ("L", "R"))


def place_plane(axis: int) -> np.ndarray:
    """Lay a plane at right angles to one axis of the template.

    Parameters
    ----------
    axis : int
        0 sagittal, 1 coronal, 2 axial.

    Returns
    -------
    float (H, W, 3)
        Template millimetres; rows run towards superior (axial: anterior), columns towards anterior (others: right).
    """
    steps = np.arange(-EDGE_MM / 2, EDGE_MM / 2 + STEP_MM / 2, STEP_MM)
    across, up = [other for other in range(3) if other != axis]
    points = np.empty((steps.size, steps.size, 3))
    points[..., axis] = CUTS_MM[axis]
    points[..., across] = CENTRE_MM[across] + steps[None, :]
    points[..., up] = CENTRE_MM[up] + steps[:, None]
    return points


def draw_row(axes: list, volume: tuple[np.ndarray, np.ndarray], contours: dict[str, tuple], ceiling: float) -> None:
    """Draw three planes of a volume with the borders of some masks.

    Parameters
    ----------
    axes : list of three matplotlib axes
    volume : (D, H, W) and float (4, 4)
        Intensities, and the affine from voxel indices to template millimetres.
    contours : dict of str to (D, H, W) and float (4, 4)
        For each colour a mask.
    ceiling : float
        Intensity shown white.
    """
    for axis, panel in enumerate(axes):
        points = place_plane(axis)
        panel.imshow(sample(*volume, points), cmap="gray", origin="lower", vmin=0, vmax=ceiling)
        for colour, mask in contours.items():
            plane = sample(*mask, points)
            if plane.max() > 0.5:
                panel.contour(plane, [0.5], colors=colour, linewidths=0.8)
        for side, place in zip(SIDES[axis], (0.03, 0.97), strict=True):
            panel.text(place, 0.5, side, color="white", fontsize=8, ha="center", transform=panel.transAxes)
        panel.set_axis_off()


def draw_scan(
    raw: tuple[np.ndarray, np.ndarray],
    mask: tuple[np.ndarray, np.ndarray],
    volume: tuple[np.ndarray, np.ndarray],
    template_mask: tuple[np.ndarray, np.ndarray],
    title: str,
    path: Path,
) -> None:
    """Draw the raw head above, and below the brain that later stages see, each in three planes of template space.

    Parameters
    ----------
    raw, mask, volume, template_mask : (D, H, W) and float (4, 4)
        Raw intensities and mask of the scan, brain on the grid, mask of the template; affines from voxel indices to
        template millimetres.
    title : str
    path : pathlib.Path
        A PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), dpi=90, facecolor="black")
    axes = figure.subplots(2, 3)
    brain = sample(*raw, apply_affine(mask[1], np.argwhere(mask[0])[::97]))
    ceiling = 1.3 * float(np.percentile(brain, 98)) if brain.size else float(raw[0].max())
    borders = {"tab:red": mask, "tab:cyan": template_mask}
    draw_row(axes[0], raw, borders, max(ceiling, 1e-6))
    seen = volume[0][volume[0] > 0]
    draw_row(axes[1], volume, {"tab:cyan": template_mask}, float(np.percentile(seen, 99.5)) if seen.size else 1.0)
    figure.suptitle(title, color="white", fontsize=9)
    legend = "above: raw head, below: brain on the grid. Red: brain mask of the scan, cyan: of the template"
    figure.text(0.5, 0.01, legend, color="white", fontsize=8, ha="center")
    figure.subplots_adjust(0.01, 0.035, 0.99, 0.945, 0.02, 0.02)
    with written_whole(path) as partial:
        figure.savefig(partial)
