"""Age and sex of the subjects in each part of a split, as one sees at a glance whether parts are alike."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from neurobar.draw.cohort_groups import ALL, DEVELOPMENT, describe_subjects, parts_of
from neurobar.figures.style import NEGATIVE, POSITIVE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colour, marker and place beside the tick of class 0 and class 1.
LOOKS = ((NEGATIVE, "o", -0.19), (POSITIVE, "^", 0.19))
FEWEST_IN_BOX = 5  # subjects of a group whose quartiles mean something
MOST_POINTS = 60  # subjects of a group that are drawn one by one
GOLDEN = 0.618034  # its multiples scatter points evenly


def draw_balance(scans: pd.DataFrame, classes: tuple[str, str]) -> Figure:
    """Draw age by part and class, and the share of women by part.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns subject, label, age [years], sex, site, part.
    classes : (str, str)
        Names of class 0 and class 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    parts = {name: inside for name, inside in parts_of(scans).items() if name not in (ALL, DEVELOPMENT)}
    figure = new_figure(height_mm=110)
    above, below = figure.subplots(2, 1, height_ratios=[3, 2], sharex=True)
    for place, inside in enumerate(parts.values()):
        for label in (0, 1):
            _draw_ages(above, scans[inside & (scans["label"] == label).to_numpy()], place, label)
    handles = [above.plot([], [], marker, color=colour, markersize=4)[0] for colour, marker, _ in LOOKS]
    above.set_ylabel("age [years]")
    if scans["age"].notna().any():
        above.legend(
            handles,
            [shorten(name, 40, placeholder="…") for name in classes],
            loc="lower left",
            ncols=2,
            bbox_to_anchor=(0, 1),
        )
    else:
        _say_absent(above, "The sheet names no age.")
    _draw_shares(below, [describe_subjects(scans[inside])["female"] for inside in parts.values()])
    counts = [scans.loc[inside, "subject"].nunique() for inside in parts.values()]
    ticks = [f"{name}\nn = {count}" for name, count in zip(parts, counts, strict=True)]
    below.set_xticks(range(len(parts)), ticks)
    below.set_xlim(-0.5, len(parts) - 0.5)
    return figure


def _draw_ages(axes: Axes, scans: pd.DataFrame, place: int, label: int) -> None:
    colour, marker, beside = LOOKS[label]
    ages = np.sort(describe_subjects(scans)["age"].dropna().to_numpy())
    if not len(ages):
        return
    _draw_box(axes, ages, place + beside, label)
    if len(ages) <= MOST_POINTS:
        aside = place + beside + 0.2 * ((GOLDEN * np.arange(len(ages))) % 1 - 0.5)
        axes.plot(aside, ages, marker, color=colour, markersize=3.5, alpha=0.7, markeredgewidth=0, zorder=3)


def _draw_box(axes: Axes, ages: np.ndarray, place: float, label: int) -> None:
    colour, marker, _ = LOOKS[label]
    if len(ages) < FEWEST_IN_BOX:
        axes.hlines(np.median(ages), place - 0.15, place + 0.15, color=colour, linewidth=2)
        return
    line = {"color": colour, "linewidth": 1}
    axes.boxplot(
        ages,
        positions=[place],
        widths=0.3,
        showfliers=len(ages) > MOST_POINTS,
        manage_ticks=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops=line | {"linewidth": 2},
        flierprops={"marker": marker, "markersize": 2.5, "markeredgecolor": colour},
    )


def _draw_shares(axes: Axes, parts: list[pd.Series]) -> None:
    axes.set(ylabel="female [%]", ylim=(0, 100))
    known = [female.dropna() for female in parts]
    if not sum(map(len, known)):
        _say_absent(axes, "The sheet names no sex.")
        return
    axes.axhline(100 * pd.concat(known).mean(), color="0.6", linewidth=0.8, linestyle="--")
    for place, female in enumerate(known):
        if not len(female):
            continue
        interval = stats.binomtest(int(female.sum()), len(female)).proportion_ci(method="wilson")
        axes.plot([place, place], [100 * interval.low, 100 * interval.high], color="black", linewidth=1)
        axes.plot(place, 100 * female.mean(), "D", color="black", markersize=4, clip_on=False)


def _say_absent(axes: Axes, sentence: str) -> None:
    axes.set_yticks([])
    axes.text(0.5, 0.5, sentence, ha="center", va="center", color="#444444", transform=axes.transAxes)
