"""Draw the regions that predictions owe most to, ranked and on the template."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pandas as pd

from neurobar.data.atlases import read_regions
from neurobar.data.endings import call_command
from neurobar.draw.region_planes import are_sides_one, draw_planes, paint_regions
from neurobar.draw.sentences import name_study
from neurobar.figures.style import COLOURS, new_figure, save_figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 20  # regions that are ranked
#: The measures of `explain_regions` in the words of an axis.
MEASURES = {"change": "change of probability", "integrated_gradient": "integrated gradient of the logit"}


def choose_group(regions: pd.DataFrame) -> pd.DataFrame:
    """Choose the scans of the positive class, or all where there is none of these.

    Parameters
    ----------
    regions : pandas.DataFrame
        As `summarise_regions` wrote them.

    Returns
    -------
    pandas.DataFrame
        Rows of one group, by rank.
    """
    group = "positive" if (regions["group"] == "positive").any() else "all"
    return regions[regions["group"] == group].sort_values("change_rank", ignore_index=True)


def values_of(chosen: pd.DataFrame, names: pd.DataFrame) -> np.ndarray:
    """Bring the mean changes into the order of the atlas.

    Parameters
    ----------
    chosen : pandas.DataFrame
        From `choose_group`.
    names : pandas.DataFrame
        Columns region (1, 2, ...) and name, of the atlas.

    Returns
    -------
    float (K,)

    Raises
    ------
    ValueError
        If a region of the atlas is not explained.
    """
    changes = chosen.set_index("region")["change"]
    unknown = sorted({*names["name"]} - {*changes.index})
    if unknown:
        raise ValueError(f"Nothing is said of the region {unknown[0]!r}; is the explanation of another atlas?")
    return changes.loc[names.sort_values("region")["name"]].to_numpy()


def draw_ranking(ranked: pd.DataFrame) -> Figure:
    """Draw the first regions of a ranking with their intervals, and beside them what gradients say.

    Parameters
    ----------
    ranked : pandas.DataFrame
        From `choose_group`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    first = ranked.head(MOST)
    figure = new_figure(height_mm=18 + 4.6 * len(first))
    panels = figure.subplots(1, 2, sharey=True)
    for panel, colour, (measure, words) in zip(panels, COLOURS[:2], MEASURES.items(), strict=True):
        _draw_bars(panel, first, measure, colour)
        panel.set_xlabel(words)
    panels[0].set_yticks(range(len(first)), first["region"].str.replace("_", " "))
    panels[0].set_ylim(len(first) - 0.4, -0.6)
    return figure


def _draw_bars(panel: Axes, first: pd.DataFrame, measure: str, colour: str) -> None:
    at, low, high = range(len(first)), first[f"{measure}_low"], first[f"{measure}_high"]
    panel.barh(at, first[measure], height=0.7, color=colour, alpha=0.6)
    panel.hlines(at, low, high, color="black", linewidth=1)
    panel.axvline(0, color="0.3", linewidth=0.8)
    panel.tick_params(axis="y", length=0)


def write_captions(args: argparse.Namespace, chosen: pd.DataFrame, *, sides_are_one: bool) -> dict[str, str]:
    """Write the captions of the two figures.

    Parameters
    ----------
    args : argparse.Namespace
        Of this command.
    chosen : pandas.DataFrame
        From `choose_group`.
    sides_are_one : bool
        From `are_sides_one`.

    Returns
    -------
    dict of str to str
    """
    first = chosen.iloc[0]
    positive = args.cohort["positive"]
    whose = f"{positive} test scans" if first["group"] == "positive" else "test scans"
    counted = f"{first['scans']} {whose} of {first['subjects']} subjects, {name_study(args.cohort)}"
    change = (
        f"{args.task}: change of probability, the mean by which that of {positive} falls when a region is replaced by "
        f"that of {args.cohort['negative']} scans"
    )
    ranked = (
        f"the {min(MOST, len(chosen))} regions with the highest, 95 % intervals from draws of the subjects, and their "
        "integrated gradients"
    )
    planes = "on the template, through the largest changes and fainter where smaller"
    planes += ", sagittal planes to the right" if sides_are_one else ""
    sides = " Left and right of a region are one." if sides_are_one else ""
    return {
        figure: f"{change}, {words}; {counted}.{sides}"
        for figure, words in {"regions": ranked, "planes": planes}.items()
    }


def draw(args: argparse.Namespace) -> None:
    """Read, draw and write."""
    chosen = choose_group(pd.read_csv(args.regions, sep="\t"))
    values = values_of(chosen, pd.read_csv(args.names, sep="\t"))
    painted = nib.Nifti1Image(paint_regions(read_regions(args.atlas), values), nib.load(args.atlas).affine)
    figures = {
        "regions": draw_ranking(chosen),
        "planes": draw_planes(painted, args.template, MEASURES["change"]),
    }
    captions = write_captions(args, chosen, sides_are_one=are_sides_one(painted))
    save_figures({name: (figure, captions[name]) for name, figure in figures.items()}, args.figures, args.captions)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", required=True, help="what the cohort owes to each region, TSV")
    parser.add_argument("--names", required=True, help="names of the regions, TSV")
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI")
    parser.add_argument("--template", required=True, help="what planes are drawn on, NIfTI")
    parser.add_argument("--task", type=json.loads, required=True, help="name of the task for readers, JSON")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort and study, JSON")
    parser.add_argument("--figures", required=True, help="folder of the figures (output)")
    parser.add_argument("--captions", required=True, help="their captions, TSV (output)")
    try:
        draw(parser.parse_args(argv))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    call_command(main)
