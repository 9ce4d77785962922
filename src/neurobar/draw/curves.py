"""ROC and precision-recall curves of the rows of a table."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from neurobar.draw.grids import TITLE_POINTS, lay_out, title_of
from neurobar.draw.measured_tasks import RATES, RECALLS, MeasuredTask, spread
from neurobar.figures.style import COLOURS, PAGE_MM, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

#: Rows of a table from which their means are drawn together as well.
TOGETHER = 5
LINES = ("-", "--", "-.", ":")
CHANCE = {"color": "0.6", "linewidth": 0.8, "linestyle": (0, (1, 1))}
ROC = ("false positive rate", "true positive rate")
PRECISION_RECALL = ("recall", "precision")
AVERAGE = "average_precision"
WORDS = {"fontsize": 7, "bbox": {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 1}}
TOGETHER_MM, PAIR_MM = 62.0, 90.0  # heights of the panels of all rows, and of those of one
NARROW_MM = 58.0  # width of a pair where there are few
LINE_MM = 3.0  # height of a line of the legend
ABREAST, LONGEST = 3, 34  # columns of the legend, and letters in a line of one


def draw_curves(tasks: list[MeasuredTask]) -> Figure:
    """Draw the mean curves of each task with their spread; of many tasks, all means in one pair of panels above.

    Parameters
    ----------
    tasks : list of MeasuredTask
        In the order of the table.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns, blocks = lay_out(len(tasks))
    below = PAIR_MM * blocks
    if len(tasks) < TOGETHER:
        figure = new_figure(width_mm=min(PAGE_MM, NARROW_MM * columns + 6), height_mm=below)
        _draw_each(figure, tasks, columns, blocks)
        return figure
    legend = [_legend_of(task) for task in tasks]
    lines = math.ceil(len(tasks) / ABREAST) * max(text.count("\n") + 1.5 for text in legend)
    above = TOGETHER_MM + LINE_MM * lines
    figure = new_figure(height_mm=above + below)
    together, each = figure.subfigures(2, 1, height_ratios=[above, below])
    _draw_together(together, tasks, legend)
    _draw_each(each, tasks, columns, blocks)
    return figure


def look_of(place: int) -> dict[str, Any]:
    """Return how the line of a row looks: no two of 32 rows look alike, and neighbours differ by more than colour.

    Parameters
    ----------
    place : int
        Place of the row in its table.

    Returns
    -------
    dict
        For `plot`.
    """
    turn = place // len(COLOURS)
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": LINES[(place + turn) % len(LINES)], "linewidth": 1.3}


def _draw_together(figure: SubFigure, tasks: list[MeasuredTask], legend: list[str]) -> None:
    left, right = figure.subplots(1, 2)
    for place, task in enumerate(tasks):
        left.plot(*_mean_curve(RATES, task.hits), **look_of(place), label=legend[place])
        right.plot(*_mean_curve(RECALLS, task.precisions), **look_of(place))
    left.plot([0, 1], [0, 1], **CHANCE)
    for share in {task.share for task in tasks}:
        right.axhline(share, **CHANCE)
    _frame(left, *ROC)
    _frame(right, *PRECISION_RECALL)
    figure.legend(loc="outside lower center", ncols=ABREAST, handlelength=2.6)


def _draw_each(figure: Figure | SubFigure, tasks: list[MeasuredTask], columns: int, blocks: int) -> None:
    panels = figure.subplots(2 * blocks, columns, squeeze=False)
    figure.get_layout_engine().set(h_pad=0.06)  # inches, so that a title is nearer to its panel than to that above
    for place, task in enumerate(tasks):
        block, column = divmod(place, columns)
        above, below = panels[2 * block : 2 * block + 2, column]
        above.set_title(title_of(task.name, min(PAGE_MM / columns, NARROW_MM)), fontsize=TITLE_POINTS)
        above.plot([0, 1], [0, 1], **CHANCE)
        below.axhline(task.share, **CHANCE)
        _draw_band(above, RATES, task.hits, look_of(place)["color"])
        _draw_band(below, RECALLS, task.precisions, look_of(place)["color"])
        for panel, axes, word, score in ((above, ROC, "AUC", "roc_auc"), (below, PRECISION_RECALL, "AP", AVERAGE)):
            _frame(panel, axes[0], axes[1] if column == 0 else "")
            written = f"{word} {spread(task.jobs[score])}".replace(" (", "\n(")
            panel.text(0.97, 0.04, written, ha="right", va="bottom", **WORDS, transform=panel.transAxes)
    for panel in panels.flat[2 * columns * (blocks - 1) :]:
        panel.set_visible(panel.has_data())


def _legend_of(task: MeasuredTask) -> str:
    scores = f"AUC {spread(task.jobs['roc_auc'])}, AP {spread(task.jobs['average_precision'])}"
    return f"{fill(task.name, LONGEST)}\n{fill(scores, LONGEST)}"


def _draw_band(panel: Axes, at: np.ndarray, curves: np.ndarray, colour: str) -> None:
    panel.plot(*_mean_curve(at, curves), color=colour, linewidth=1.3)
    if len(curves) > 1:
        mean, sd = curves.mean(axis=0), curves.std(axis=0, ddof=1)
        panel.fill_between(at, (mean - sd).clip(0), (mean + sd).clip(None, 1), color=colour, alpha=0.25, linewidth=0)


def _mean_curve(at: np.ndarray, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(curves):
        return np.empty(0), np.empty(0)
    # A ROC curve starts at no hits and no alarms, wherever it goes from there.
    start = [0.0] if at[0] == 0 else []
    return np.append(start, at), np.append(start, curves.mean(axis=0))


def _frame(panel: Axes, across: str, up: str) -> None:
    panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], xlabel=across, ylabel=up)
    panel.set_box_aspect(1)
