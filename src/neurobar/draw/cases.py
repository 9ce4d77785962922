"""How test scans of the rows of a table were classified, and how far their probabilities can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurobar.draw.grids import TITLE_POINTS, lay_out, title_of
from neurobar.draw.measured_tasks import MeasuredTask, spread
from neurobar.figures.style import COLOURS, PAGE_MM, new_figure
from neurobar.metrics.classification import BINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_MM, WORDS_MM = 34.0, 17.0
TITLE_MM = 3.4  # height of a further line of a title
NARROW_MM = 50.0  # width of a picture where there are few
LARGEST_POINT = 60.0  # area of the point that holds all predictions [square points]
SMALLEST_POINT = 4.0


def draw_confusion(tasks: list[MeasuredTask], classes: list[tuple[str, str]]) -> Figure:
    """Draw how many scans of each class were taken for which.

    Parameters
    ----------
    tasks : list of MeasuredTask
        In the order of the table.
    classes : list of (negative, positive)
        Names of the classes for each task.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = _small_pictures(tasks)
    for panel, task, names in zip(panels, tasks, classes, strict=True):
        totals = task.confusion.sum(axis=1, keepdims=True)
        shares = np.divide(task.confusion, totals, out=np.zeros((2, 2)), where=totals > 0)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (true, predicted), count in np.ndenumerate(task.confusion):
            percent = f"\n{100 * shares[true, predicted]:.0f} %" if totals[true] else ""
            colour = "white" if shares[true, predicted] > 0.55 else "black"
            written = f"{count:.{min(1, len(task.jobs) - 1)}f}{percent}"
            panel.text(predicted, true, written, ha="center", va="center", color=colour)
        panel.set_xticks([0, 1], names)
        panel.set_yticks([0, 1], names, rotation=90, va="center")
        panel.tick_params(length=0)
        panel.set(xlabel="predicted", ylabel="true" if panel.get_subplotspec().is_first_col() else "")
        panel.spines[:].set_visible(False)
    return figure


def draw_calibration(tasks: list[MeasuredTask]) -> Figure:
    """Draw the observed share of positive scans against the predicted probability.

    Parameters
    ----------
    tasks : list of MeasuredTask
        In the order of the table.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = _small_pictures(tasks)
    for panel, task in zip(panels, tasks, strict=True):
        bins, share = task.bins, task.bins["count"] / task.bins["count"].sum()
        panel.bar((bins["bin"] + 0.5) / BINS, share, width=1 / BINS, color="0.85", edgecolor="white")
        panel.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=(0, (1, 1)))
        panel.plot(bins["predicted"], bins["observed"], color=COLOURS[0], linewidth=0.8)
        panel.scatter(
            bins["predicted"], bins["observed"], s=SMALLEST_POINT + LARGEST_POINT * share, color=COLOURS[0], zorder=3
        )
        written = f"ECE {spread(task.jobs['ece'])}\nBrier {spread(task.jobs['brier'])}"
        panel.text(0.03, 0.98, written, va="top", fontsize=7, transform=panel.transAxes)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.5), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        panel.spines["left"].set_bounds(-0.02, 1.02)
        panel.set(
            xlabel="predicted probability", ylabel="observed share" if panel.get_subplotspec().is_first_col() else ""
        )
    return figure


def _small_pictures(tasks: list[MeasuredTask]) -> tuple[Figure, list[Axes]]:
    columns, rows = lay_out(len(tasks))
    width_mm = min(PAGE_MM, NARROW_MM * columns + 8)
    titles = [title_of(task.name, width_mm / columns) for task in tasks]
    height_mm = PANEL_MM + WORDS_MM + TITLE_MM * max(title.count("\n") for title in titles)
    figure = new_figure(width_mm=width_mm, height_mm=rows * height_mm)
    figure.get_layout_engine().set(h_pad=0.08)  # inches, so that a title is nearer to its picture than to that above
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(tasks) :]:
        panel.set_visible(False)
    for panel, title in zip(panels, titles, strict=False):
        panel.set_title(title, fontsize=TITLE_POINTS)
        panel.set_box_aspect(1)
    return figure, list(panels[: len(tasks)])
