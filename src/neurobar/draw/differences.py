"""The differences between the rows of a table, with their intervals."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurobar.figures.notices import figure_of_words
from neurobar.figures.style import COLOURS, PAGE_MM, new_figure
from neurobar.figures.words import name_of, p_cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ABREAST = 3  # panels beside each other
LINE_MM, WORDS_MM = 3.1, 22.0
LONGEST = 38  # letters in a line of the name of a pair
#: What a figure without differences says.
NONE_ROW = "The table has one row, so there is no difference to draw."
NONE_PAIRED = (
    "No two compared rows of this table were tested on the same scans and labels, so there is no paired difference."
)


def paired_differences(differences: pd.DataFrame, names: dict[str, str], reference: str | None) -> pd.DataFrame:
    """Choose the differences that are drawn, and name them.

    Parameters
    ----------
    differences : pandas.DataFrame
        As `compare_tasks` wrote them.
    names : dict of str to str
        For each task its name for readers.
    reference : str or None
        The task that all others are compared with, where there is one: pairs then need not name it.

    Returns
    -------
    pandas.DataFrame
        By scan, of paired tasks, the pairs of every score in one order: score, pair (its name for readers), difference,
        low and high [percentage points], and the two p values after Holm.
    """
    rows = differences[(differences["level"] == "scan") & differences["paired"].astype(bool)]
    pairs = [
        names[task] + (f" − {names[other]}" if reference is None else "")
        for task, other in zip(rows["task"], rows["reference"], strict=True)
    ]
    chosen = rows[["score", "difference", "low", "high", "p_bootstrap_holm", "p_ttest_holm"]].copy()
    chosen[["difference", "low", "high"]] = 100 * chosen[["difference", "low", "high"]].astype(float)
    chosen.insert(1, "pair", pairs)
    return chosen.reset_index(drop=True)


def draw_differences(rows: pd.DataFrame, reference: str | None, otherwise: str) -> Figure:
    """Draw each difference as a point with its interval, one panel for each score.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `paired_differences`.
    reference : str or None
        Name of the row that all others are compared with, where there is one.
    otherwise : str
        What the figure says where there is nothing to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if rows.empty:
        return figure_of_words(otherwise)
    scores = list(dict.fromkeys(rows["score"]))
    floors, abreast = math.ceil(len(scores) / ABREAST), min(len(scores), ABREAST)
    rows = rows.assign(pair=rows["pair"].map(lambda pair: fill(pair, LONGEST)))
    row_mm = LINE_MM * max(rows["pair"].str.count("\n").max() + 1, 2) + 1  # two p values need two lines
    height_mm = row_mm * len(rows) / len(scores) + WORDS_MM
    figure = new_figure(width_mm=PAGE_MM if abreast > 1 else 110, height_mm=floors * height_mm)
    panels = figure.subplots(floors, abreast, squeeze=False, sharey=True).ravel()
    for panel, score in zip(panels, scores, strict=False):
        _draw_panel(panel, rows[rows["score"] == score])
        panel.set_title(name_of(score))
    for panel in panels[len(scores) :]:
        panel.set_visible(False)
    words = f"difference from {reference}" if reference else "difference"
    figure.supxlabel(f"{words} [percentage points]", fontsize=8)
    return figure


def _draw_panel(panel: Axes, rows: pd.DataFrame) -> None:
    at, middle = np.arange(len(rows)), rows["difference"].to_numpy()
    panel.axvline(0, color="0.6", linewidth=0.8)
    panel.hlines(at, rows["low"], rows["high"], color=COLOURS[0], linewidth=1.3)
    panel.plot(middle, at, "o", color=COLOURS[0], markersize=4)
    for place, row in enumerate(rows.to_dict("records")):
        if np.isnan(row["difference"]):
            panel.text(0, place, "undefined", ha="center", va="center", fontsize=7, backgroundcolor="white")
        written = f"{p_cell(row['p_bootstrap_holm'])}\n{p_cell(row['p_ttest_holm'])}"
        panel.text(1.03, place, written, va="center", fontsize=7, transform=panel.get_yaxis_transform())
    panel.text(1.03, -0.75, "p draws\np t-test", va="bottom", fontsize=7, transform=panel.get_yaxis_transform())
    panel.set_yticks(at, rows["pair"])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.margins(x=0.08)
