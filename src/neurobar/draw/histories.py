"""Losses by epoch: small multiples of many jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import log
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from neurobar.data.predictions import place_of
from neurobar.draw.grids import lay_out
from neurobar.figures.style import COLOURS, new_figure

#: Height of the panel of a run, and of a task [mm].
RUN_MM, TASK_MM = 52.0, 42.0
#: A line of a name: twenty letters at most, up to an underscore if there is one.
LINE = re.compile(r".{1,20}(?:(?<=_)|$)|.{20}")
GUESS = {"color": COLOURS[6], "linestyle": ":", "linewidth": 0.8}
CHOSEN = {"linestyle": "", "marker": "o", "markersize": 3.5, "markeredgewidth": 0.8}

Settings = dict[str, Any]


class Curve(NamedTuple):
    """How one column of a history is drawn.

    Attributes
    ----------
    column : str
    label : str
        For readers.
    colour, dashes : str
    """

    column: str
    label: str
    colour: str
    dashes: str

    def line(self, **looks: Any) -> Line2D:
        """Return the line that stands for it in a legend."""
        return Line2D([], [], color=self.colour, linestyle=self.dashes, label=self.label, **looks)


# Blue and vermilion are for the classes, in every figure.
CONTRAST = Curve("contrast", "contrast", COLOURS[2], "-")
RECONSTRUCTION = Curve("reconstruction", "reconstruction", COLOURS[3], "--")
TRAINING = Curve("loss", "training scans", COLOURS[2], "-")
SELECTION = Curve("select_loss", "fold that selects", COLOURS[3], "--")


def read_histories(paths: Iterable[str]) -> pd.DataFrame:
    """Read the histories of some jobs.

    Parameters
    ----------
    paths : iterable of str
        Their places as in `place_of`.

    Returns
    -------
    pandas.DataFrame
        An epoch of a job on a row, with the columns of the histories and name (of the run or task), fold and seed.
    """
    tables = []
    for path in paths:
        name, fold, seed = place_of(path)
        tables.append(pd.read_csv(path, sep="\t").assign(name=name, fold=fold, seed=seed))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["name", "fold", "seed", "epoch"])


def wrap_name(name: str) -> str:
    """Break a long name after an underscore, so that it keeps off its neighbour's.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return "\n".join(LINE.findall(name))


def draw_curve(panel: Axes, jobs: pd.DataFrame, curve: Curve) -> None:
    """Draw a loss by epoch: thin for each fold and seed, thick their mean.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
    jobs : pandas.DataFrame
        Rows of `read_histories` of one run or task.
    curve : Curve
    """
    table = jobs.pivot(index="epoch", columns=["fold", "seed"], values=curve.column)
    for job in table:
        panel.plot(table.index, table[job], linewidth=0.5, alpha=0.5, color=curve.colour)
    panel.plot(table.index, table.mean(axis=1), linewidth=1.6, color=curve.colour, linestyle=curve.dashes)


def contrast_of_alike(run: Settings, scans: Iterable[int]) -> float:
    """Compute the contrast loss of an encoder to which all scans are alike, whatever the weights of the pairs.

    Parameters
    ----------
    run : dict
        Settings of the run.
    scans : iterable of int
        Number of training scans in each fold.

    Returns
    -------
    float
        Mean over folds and batches of the logarithm of the batch size, times the weight of the loss; the last batch
        of an epoch may be smaller, and is left out where it holds a single scan.
    """
    batch = run["batch"]
    folds = [[log(min(batch, number - start)) for start in range(0, number - 1, batch)] for number in scans]
    return run["contrast_weight"] * float(np.mean([np.mean(logs) for logs in folds]))


def draw_pretraining(histories: pd.DataFrame, runs: dict[str, Settings], scans: dict[str, list[int]]) -> Figure:
    """Draw the losses of each run, contrast above reconstruction.

    Parameters
    ----------
    histories : pandas.DataFrame
        From `read_histories`, of at least one job.
    runs : dict of str to dict
        Settings of each run.
    scans : dict of str to list of int
        For a split the number of training scans in each fold; what an untaught encoder would have is drawn there.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(histories["name"]))
    columns, rows = lay_out(len(names))
    figure = new_figure(height_mm=12 + RUN_MM * rows)
    grid = figure.add_gridspec(rows, columns)
    for place, name in enumerate(names):
        above, below = grid[divmod(place, columns)].subgridspec(2, 1).subplots(sharex=True)
        above.set_title(wrap_name(name))
        jobs, losses = histories[histories["name"] == name], ((above, CONTRAST), (below, RECONSTRUCTION))
        for panel, curve in losses:
            _draw_run(panel, jobs, curve, ceiling=1.05 * histories.get(curve.column, pd.Series([1.0])).max())
            if place % columns == 0:
                panel.set_ylabel(curve.label)
        if runs[name]["contrast"] != "none" and runs[name]["split"] in scans:
            above.axhline(contrast_of_alike(runs[name], scans[runs[name]["split"]]), **GUESS)
        below.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.supxlabel("epoch", fontsize=8)
    guess = Line2D([], [], label="contrast of an encoder to which all scans are alike", **GUESS)
    figure.legend(handles=[CONTRAST.line(), RECONSTRUCTION.line(), guess], loc="outside upper center", ncols=3)
    return figure


def _draw_run(panel: Axes, jobs: pd.DataFrame, curve: Curve, *, ceiling: float) -> None:
    """Draw one loss of a run on the scale that all runs share, or say that it has none."""
    panel.set_ylim(0, ceiling if np.isfinite(ceiling) else 1)
    panel.yaxis.set_major_locator(MaxNLocator(3))
    if curve.column in jobs and jobs[curve.column].notna().any():
        draw_curve(panel, jobs, curve)
    else:
        panel.text(0.5, 0.5, f"no {curve.label}", ha="center", color="0.5", transform=panel.transAxes)


def draw_finetuning(histories: pd.DataFrame, tasks: dict[str, Settings]) -> Figure:
    """Draw the losses of each task, and the epochs that were chosen.

    Parameters
    ----------
    histories : pandas.DataFrame
        From `read_histories`, of at least one job.
    tasks : dict of str to dict
        Settings of each task.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(histories["name"]))
    columns, rows = lay_out(len(names))
    figure = new_figure(height_mm=12 + TASK_MM * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, (panel, name) in enumerate(zip(panels.flat, names, strict=False)):
        jobs = histories[histories["name"] == name]
        for curve in (TRAINING, SELECTION):
            draw_curve(panel, jobs, curve)
        chosen = choose_epochs(jobs, tasks[name]["select_by"])
        panel.plot(chosen["epoch"], chosen["select_loss"], color="black", markerfacecolor="white", zorder=3, **CHOSEN)
        panel.axhline(log(2), **GUESS)
        panel.set_title(wrap_name(name))
        panel.tick_params(labelbottom=True)
        if place % columns == 0:
            panel.set_ylabel("cross-entropy")
    _scale_losses(panels[0, 0])
    figure.supxlabel("epoch", fontsize=8)
    for panel in panels.flat[len(names) :]:
        panel.remove()
    guess = Line2D([], [], label="coin toss: log 2", **GUESS)
    chosen = Line2D([], [], label="chosen epoch of a fold", color="black", markerfacecolor="white", **CHOSEN)
    figure.legend(handles=[TRAINING.line(), SELECTION.line(), chosen, guess], loc="outside upper center", ncols=4)
    return figure


def _scale_losses(panel: Axes) -> None:
    """Let losses be told apart that differ by a hundred times."""
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(10, subs=(1, 3)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def choose_epochs(jobs: pd.DataFrame, select_by: str) -> pd.DataFrame:
    """Find the epoch of each job whose weights were kept; of equal ones, the first.

    Parameters
    ----------
    jobs : pandas.DataFrame
        Rows of `read_histories`.
    select_by : {"loss", "accuracy"}

    Returns
    -------
    pandas.DataFrame
        One row for each fold and seed.
    """
    score = -jobs["select_loss"] if select_by == "loss" else jobs["select_accuracy"]
    return jobs.loc[score.groupby([jobs["name"], jobs["fold"], jobs["seed"]]).idxmax()]
