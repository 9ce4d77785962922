"""Figures of one prediction: how far the models agree, and the regions that they go by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from neurobar.figures.planes import NAMES, Plane, crop_plane, crop_to, cut_plane, place_mm_of, show_plane
from neurobar.figures.style import NEGATIVE, POSITIVE, new_figure

FIRST = 15  # regions whose bars are drawn
#: From regions that speak for class 0 to those that speak for class 1.
SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#f2f2f2", POSITIVE])
MOST_OPAQUE = 0.85  # of a region on the brain, which is to be seen through it


def draw_spread(models: pd.DataFrame, config: dict[str, Any]) -> Figure:
    """Draw the answer of each model, their mean and the study's threshold on a scale from 0 to 1.

    Parameters
    ----------
    models : pandas.DataFrame
        Fold, seed and probability of each.
    config : dict
        Of the exported model.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, classes = new_figure(height_mm=34), config["classes"]
    panel = figure.subplots()
    rows = models["fold"].map({fold: row for row, fold in enumerate(config["folds"])})
    panel.axvspan(0, config["threshold"], color=NEGATIVE, alpha=0.08, linewidth=0)
    panel.axvspan(config["threshold"], 1, color=POSITIVE, alpha=0.08, linewidth=0)
    panel.axvline(config["threshold"], color="0.4", linestyle="--", linewidth=1, label="threshold of the study")
    panel.axvline(models["probability"].mean(), color="black", linewidth=1.8, label="mean of the models")
    panel.plot(
        models["probability"], rows, "o", color="black", markersize=5, markerfacecolor="white", label="one model"
    )
    panel.set(xlim=(-0.01, 1.01), ylim=(len(config["folds"]) - 0.4, -0.6), xticks=np.linspace(0, 1, 11))
    panel.set_yticks(range(len(config["folds"])), [f"fold {fold}" for fold in config["folds"]])
    panel.set_xlabel(f"Probability of {classes['positive']} (0: {classes['negative']}, 1: {classes['positive']})")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def draw_bars(regions: pd.DataFrame, config: dict[str, Any]) -> Figure:
    """Draw the regions that change the probability most, ranked.

    Parameters
    ----------
    regions : pandas.DataFrame
        From `rank_regions`.
    config : dict
        Of the exported model.

    Returns
    -------
    matplotlib.figure.Figure
        Bars to the right speak for class 1, those to the left for class 0; whiskers are standard deviations over
        models.
    """
    shown, classes = regions.head(FIRST), config["classes"]
    figure = new_figure(height_mm=14 + 5 * len(shown))
    panel = figure.subplots()
    colours = [POSITIVE if change > 0 else NEGATIVE for change in shown["change"]]
    spread = {"xerr": shown["change_sd"], "error_kw": {"linewidth": 0.8, "capsize": 2, "ecolor": "0.3"}}
    panel.barh(range(len(shown)), shown["change"], color=colours, height=0.7, **spread)
    panel.set_yticks(range(len(shown)), [name.replace("_", " ") for name in shown["name"]])
    panel.set_ylim(len(shown) - 0.4, -0.6)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.spines["left"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    sides = f"← speaks for {classes['negative']}          speaks for {classes['positive']} →"
    panel.set_xlabel(f"Change of the probability of {classes['positive']}\n{sides}")
    return figure


def choose_planes(strength: np.ndarray) -> list[Plane]:
    """Choose of each orientation the plane that shows most.

    Parameters
    ----------
    strength : float (D, H, W)
        0 or above.

    Returns
    -------
    list of three Plane
    """
    others = ((1, 2), (0, 2), (0, 1))
    return [Plane(axis, int(strength.sum(across).argmax())) for axis, across in enumerate(others)]


def draw_brain(volume: np.ndarray, atlas: np.ndarray, regions: pd.DataFrame, config: dict[str, Any]) -> Figure:
    """Draw the regions on the scan's own brain, each in the colour of its change.

    Parameters
    ----------
    volume : float (D, H, W)
        The brain on the grid.
    atlas : integer (D, H, W)
        Region of each voxel; 0 is background.
    regions : pandas.DataFrame
        From `rank_regions`.
    config : dict
        Of the exported model.

    Returns
    -------
    matplotlib.figure.Figure
        The stronger the change, the less of the brain is seen through its colour.
    """
    changes = np.zeros(int(atlas.max()) + 1)
    changes[regions["region"]] = regions["change"]
    largest = float(np.abs(changes).max()) or 1.0
    scale = Normalize(-largest, largest)
    colours = SIGNED(scale(changes))  # (K + 1, 4)
    colours[:, 3] = MOST_OPAQUE * np.abs(changes) / largest
    box, ceiling = crop_to(volume > 0, margin=3), float(np.percentile(volume[volume > 0], 99.5))
    width, depth, height = (side.stop - side.start for side in box)
    figure = new_figure(height_mm=72)
    # Pictures of one height.
    panels = figure.subplots(1, 3, width_ratios=[depth / height, width / height, width / depth])
    for panel, plane in zip(panels, choose_planes(np.abs(changes)[atlas]), strict=True):
        show_plane(panel, crop_plane(cut_plane(volume, plane), plane, box), plane, vmin=0, vmax=ceiling)
        panel.imshow(colours[crop_plane(cut_plane(atlas, plane), plane, box)], origin="lower")
        panel.set_title(f"{NAMES[plane.axis]}, {'xyz'[plane.axis]} = {place_mm_of(plane):.0f} mm".replace("-", "−"))
    _add_scale(figure, panels, ScalarMappable(scale, SIGNED), config)
    return figure


def _add_scale(figure: Figure, panels: np.ndarray[Axes], mapped: ScalarMappable, config: dict[str, Any]) -> None:
    bar = figure.colorbar(mapped, ax=panels, location="bottom", shrink=0.5, aspect=40)
    bar.set_label(f"Change of the probability of {config['classes']['positive']} owed to the region")
