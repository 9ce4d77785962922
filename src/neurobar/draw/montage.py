"""Two planes of many scans on the grid, side by side, so that one that does not fit leaps to the eye."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from neurobar.figures.planes import aspect_of, crop_plane, crop_to, cut_plane, plane_at, show_plane
from neurobar.figures.style import COLOURS, PAGE_MM, new_figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

MOST = 40  # scans of a montage
ABREAST = 5
#: Axis and place [mm] of the planes: above the thalamus, where ventricles are seen; through the hippocampus.
CUTS = ((2, 10.0), (1, -18.0))
TITLE_MM, GAP_MM = 4.0, 1.0
LETTERS = 24  # of a name that fits over a scan
KEPT = COLOURS[1]


def choose_evenly(number: int, most: int) -> np.ndarray:
    """Choose some of a row, the first and the last among them.

    Parameters
    ----------
    number : int
        How many there are.
    most : int
        How many are chosen at most.

    Returns
    -------
    int64 (min(number, most),)
        Rising places in the row.
    """
    return np.unique(np.linspace(0, number - 1, min(number, most)).round().astype(np.int64))


def shorten_name(name: str, letters: int = LETTERS) -> str:
    """Leave out the middle of a long name: its ends tell it apart from others."""
    if len(name) <= letters:
        return name
    half = (letters - 1) // 2
    return f"{name[: letters - 1 - half]}…{name[len(name) - half :]}"


def draw_montage(volumes: Iterable[np.ndarray], names: list[str], kept: list[bool]) -> Figure:
    """Draw an axial and a coronal plane of each scan.

    Parameters
    ----------
    volumes : iterable of float (D, H, W)
        Brains on the grid, axes right-anterior-superior; 0 outside.
    names : list of str
    kept : list of bool
        True gets a frame and a word: the scan takes part although a check failed.

    Returns
    -------
    matplotlib.figure.Figure
    """
    volumes = [np.asarray(volume, np.float32) for volume in volumes]
    box = crop_to(np.any([volume > 0 for volume in volumes], axis=0))
    planes = [plane_at(axis, place, volumes[0].shape) for axis, place in CUTS]
    width = (PAGE_MM - GAP_MM) / ABREAST - GAP_MM
    half = (width - GAP_MM / 2) / 2
    height = half * max(aspect_of(plane, box) for plane in planes)
    rows, row_mm = math.ceil(len(names) / ABREAST), TITLE_MM + height + GAP_MM
    figure = new_figure(height_mm=rows * row_mm)
    figure.set_layout_engine("none")  # places are in millimetres already
    for number, (volume, name) in enumerate(zip(volumes, names, strict=True)):
        row, column = divmod(number, ABREAST)
        left, bottom = GAP_MM + column * (width + GAP_MM), (rows - 1 - row) * row_mm + GAP_MM
        looks = {"vmin": 0, "vmax": float(np.percentile(volume[volume > 0], 99.5)) if (volume > 0).any() else 1.0}
        for place, plane in enumerate(planes):
            corner = (left + place * (half + GAP_MM / 2), bottom)
            panel = figure.add_axes(_part_of_page(*corner, half, height, rows * row_mm))
            picture = crop_plane(cut_plane(volume, plane), plane, box)
            show_plane(panel, _pad_rows(picture, height / half), plane, **looks)
            if kept[number]:
                panel.spines[:].set(visible=True, color=KEPT, linewidth=2)
        said = f"kept: {shorten_name(name, LETTERS - 6)}" if kept[number] else shorten_name(name)
        above = (left / PAGE_MM, (bottom + height + 0.8) / (rows * row_mm))
        figure.text(*above, said, fontsize=7, fontweight="bold" if kept[number] else "normal")
    return figure


def _part_of_page(left: float, bottom: float, width: float, height: float, page: float) -> tuple[float, ...]:
    return left / PAGE_MM, bottom / page, width / PAGE_MM, height / page


def _pad_rows(picture: np.ndarray, aspect: float) -> np.ndarray:
    """Add black rows below and above until the height of a picture is so many times its width."""
    missing = max(0, round(aspect * picture.shape[1]) - picture.shape[0])
    return np.pad(picture, ((missing // 2, missing - missing // 2), (0, 0)))
