"""Planes cut out of a volume on the grid: where they lie, how they are turned, which side is which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patheffects import withStroke

from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE
from neurobar.figures.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

#: What a plane at right angles to each axis of the grid is called.
NAMES = ("sagittal", "coronal", "axial")
#: Names of the sides of a plane: left edge and right edge of the picture.
SIDES = (("P", "A"), ("L", "R"), ("L", "R"))
#: Colours that regions take turns in; black and grey would be lost on a scan.
REGION_COLOURS = COLOURS[:6]


class Plane(NamedTuple):
    """A plane of voxels at right angles to one axis of the grid.

    Attributes
    ----------
    axis : int
        0 sagittal, 1 coronal, 2 axial.
    place : int
        Which of the planes along that axis.
    """

    axis: int
    place: int


def plane_at(axis: int, place_mm: float, shape: tuple[int, int, int] = GRID_SHAPE) -> Plane:
    """Find the plane nearest to a place in template space.

    Parameters
    ----------
    axis : int
    place_mm : float
        Along that axis, right-anterior-superior.
    shape : tuple of int
        Size D, H, W of a volume that covers the grid, perhaps with larger voxels.

    Returns
    -------
    Plane
        The first or last where the place is beyond the grid.
    """
    in_grid = (place_mm - GRID_AFFINE[axis, 3]) / GRID_AFFINE[axis, axis] + 0.5  # from the edge of the first voxel
    return Plane(axis, int(np.clip(in_grid * shape[axis] / GRID_SHAPE[axis], 0, shape[axis] - 1)))


def place_mm_of(plane: Plane, shape: tuple[int, int, int] = GRID_SHAPE) -> float:
    """Say where the middle of a plane lies in template space.

    Parameters
    ----------
    plane : Plane
    shape : tuple of int
        As for `plane_at`.

    Returns
    -------
    float
        Millimetres along its axis.
    """
    in_grid = (plane.place + 0.5) * GRID_SHAPE[plane.axis] / shape[plane.axis] - 0.5
    return float(GRID_AFFINE[plane.axis, 3] + GRID_AFFINE[plane.axis, plane.axis] * in_grid)


def cut_plane(volume: np.ndarray, plane: Plane) -> np.ndarray:
    """Cut a plane out of a volume, for pictures whose first row is the lowest.

    Parameters
    ----------
    volume : (D, H, W) or (D, H, W, C)
        Axes right-anterior-superior.
    plane : Plane

    Returns
    -------
    (rows, columns) or (rows, columns, C)
        Rows run towards superior (axial: anterior), columns towards right (sagittal: anterior).
    """
    return np.take(np.asarray(volume), plane.place, axis=plane.axis).swapaxes(0, 1)


def crop_to(mask: np.ndarray, margin: int = 1) -> tuple[slice, slice, slice]:
    """Find the smallest box that holds a mask.

    Parameters
    ----------
    mask : bool (D, H, W)
        Nowhere True gives the whole volume.
    margin : int
        Voxels around it, where the grid has them.

    Returns
    -------
    tuple of slice
    """
    box = []
    for axis, length in enumerate(mask.shape):
        inside = np.flatnonzero(mask.any(tuple(other for other in range(3) if other != axis)))
        ends = (inside[0] - margin, inside[-1] + 1 + margin) if inside.size else (0, length)
        box.append(slice(max(int(ends[0]), 0), min(int(ends[1]), length)))
    return tuple(box)


def crop_plane(picture: np.ndarray, plane: Plane, box: tuple[slice, slice, slice]) -> np.ndarray:
    """Keep the part of a plane that lies in a box.

    Parameters
    ----------
    picture : (rows, columns) or (rows, columns, C)
        From `cut_plane`.
    plane : Plane
    box : tuple of slice
        From `crop_to`.

    Returns
    -------
    (rows, columns) or (rows, columns, C)
    """
    across, up = [other for other in range(3) if other != plane.axis]
    return picture[box[up], box[across]]


def aspect_of(plane: Plane, box: tuple[slice, slice, slice]) -> float:
    """Return the height of a cropped plane over its width."""
    across, up = [box[other] for other in range(3) if other != plane.axis]
    return (up.stop - up.start) / (across.stop - across.start)


def show_plane(panel: Axes, picture: np.ndarray, plane: Plane, **looks: Any) -> AxesImage:
    """Show a plane without axes, its sides marked.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
    picture : (rows, columns) or (rows, columns, 4)
        From `cut_plane`, cropped or not.
    plane : Plane
        Which sides it has.
    **looks
        For `imshow`.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    image = panel.imshow(picture, **{"cmap": "gray", "origin": "lower"} | looks)
    panel.set_xticks([], [])
    panel.set_yticks([], [])
    panel.spines[:].set_visible(False)
    mark_sides(panel, plane)
    return image


def mark_sides(panel: Axes, plane: Plane) -> None:
    """Write the names of the sides beside the left and the right edge of a picture, to be read on any ground.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
    plane : Plane
    """
    looks = {"color": "white", "fontsize": 7, "va": "bottom", "transform": panel.transAxes}
    for side, place, edge in zip(SIDES[plane.axis], (0.02, 0.98), ("left", "right"), strict=True):
        panel.text(place, 0.03, side, ha=edge, path_effects=[withStroke(linewidth=2, foreground="black")], **looks)


def outline(panel: Axes, mask: np.ndarray, **looks: Any) -> None:
    """Draw the border of a mask along the edges of its voxels.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
        Where `show_plane` showed a plane of the same size.
    mask : bool (rows, columns)
    **looks
        For `LineCollection`.
    """
    padded = np.pad(mask, 1)
    row, column = np.nonzero(padded[1:] != padded[:-1])  # a border below voxel (row, column - 1)
    level = np.stack([column - 1.5, row - 0.5, column - 0.5, row - 0.5], 1)
    row, column = np.nonzero(padded[:, 1:] != padded[:, :-1])
    upright = np.stack([column - 0.5, row - 1.5, column - 0.5, row - 0.5], 1)
    lines = np.concatenate([level, upright]).reshape(-1, 2, 2)
    panel.add_collection(LineCollection(lines, **{"colors": "white", "linewidths": 0.6} | looks), autolim=False)


def colour_regions(atlas: np.ndarray) -> np.ndarray:
    """Give each region a colour that no region beside it has, as long as the colours go round.

    Parameters
    ----------
    atlas : integer (D, H, W)
        Region of each voxel, 1 to K; 0 is background.

    Returns
    -------
    float (K + 1, 4)
        Red, green, blue and opacity [0..1] of each region; background is transparent.
    """
    number = int(atlas.max()) + 1
    beside = np.zeros((number, number), bool)
    for axis in range(3):
        one, other = np.moveaxis(atlas, axis, 0)[:-1], np.moveaxis(atlas, axis, 0)[1:]
        beside[one, other] = beside[other, one] = True
    worn, turns = np.full(number, -1), len(REGION_COLOURS)
    for region in range(1, number):
        # Background wears none. Of the colours that fewest neighbours wear, the one whose turn it is.
        clashes = np.bincount(worn[beside[region] & (worn >= 0)], minlength=turns)
        worn[region] = min(range(turns), key=lambda colour, at=region: (clashes[colour], (colour - at) % turns))
    table = np.array([to_rgba(REGION_COLOURS[colour]) for colour in worn])
    table[0] = 0
    return table
