"""The class tokens of a classifier, projected to two dimensions and drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from sklearn.decomposition import PCA

from neurobar.figures.style import COLOURS, NEGATIVE, POSITIVE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Marker of a scan, by whether it is of the test set.
MARKERS = {False: "o", True: "^"}
PARTS = {False: "train or select", True: "test"}
MOST_SITES = len(COLOURS) - 1  # beyond, the smaller ones share a colour
UNKNOWN, OTHERS = "unknown", "others"
LONGEST = 18  # letters of the name of a site
GREY = "0.75"


def project_tokens(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project tokens onto the two directions along which they differ most.

    Parameters
    ----------
    tokens : float (n, E)

    Returns
    -------
    places : float (n, 2)
    explained : float (2,)
        Part of the variance along each direction [0..1]; 0 where all tokens are equal.
    """
    if not np.ptp(tokens, axis=0).any():
        return np.zeros((len(tokens), 2)), np.zeros(2)
    analysis = PCA(n_components=2, svd_solver="full")
    return analysis.fit_transform(tokens.astype(np.float64)), analysis.explained_variance_ratio_


def group_sites(sites: pd.Series) -> pd.Series:
    """Give each scan the site that it is coloured by.

    Parameters
    ----------
    sites : pandas.Series of str
        Missing where unknown.

    Returns
    -------
    pandas.Series of str
        The largest sites by their names; the smaller ones are `OTHERS` where there are more than colours, and a missing
        one is `UNKNOWN`.
    """
    largest = sites.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    if len(largest) > MOST_SITES:
        sites = sites.where(sites.isna() | sites.isin(largest.index[: MOST_SITES - 1]), OTHERS)
    return sites.fillna(UNKNOWN)


def draw_tokens(table: pd.DataFrame, explained: np.ndarray, classes: tuple[str, str]) -> Figure:
    """Draw the projected tokens three times, coloured by label, age and site.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns pc_1 and pc_2 (place), part, label (0 or 1), age [years] and site, missing where unknown.
    explained : float (2,)
        Part of the variance along each direction [0..1].
    classes : (negative, positive)
        Names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(height_mm=84)
    panels, keys = figure.subplots(2, 3, sharex="row", sharey="row", height_ratios=[3.2, 1])
    _draw_labels(panels[0], keys[0], table, classes)
    _draw_ages(panels[1], keys[1], table)
    _draw_sites(panels[2], keys[2], table)
    for panel, key in zip(panels, keys, strict=True):
        panel.set_xlabel(f"component 1 ({100 * explained[0]:.0f} % of variance)")
        panel.set_box_aspect(1)
        key.set_axis_off()
    panels[0].set_ylabel(f"component 2 ({100 * explained[1]:.0f} % of variance)")
    return figure


def _draw_labels(panel: Axes, key: Axes, table: pd.DataFrame, classes: tuple[str, str]) -> None:
    # The positive class is filled and the negative one hollow, for those who do not see the colours.
    looks = {0: {"facecolor": "none", "edgecolor": NEGATIVE}, 1: {"facecolor": POSITIVE, "edgecolor": POSITIVE}}
    for is_test, label in ((is_test, label) for is_test in MARKERS for label in looks):
        _scatter(panel, table[table["label"] == label], is_test, **looks[label], linewidth=0.8)
    handles = [
        _key(MARKERS[is_test], f"{name}, {PARTS[is_test]}", looks[label]["facecolor"], looks[label]["edgecolor"])
        for label, name in enumerate(classes)
        for is_test in MARKERS
    ]
    panel.set_title("label")
    _add_legend(key, handles)


def _draw_ages(panel: Axes, key: Axes, table: pd.DataFrame) -> None:
    ages = table["age"].astype(float)
    limits = {"vmin": ages.min(), "vmax": ages.max()}
    known, unknown = table[ages.notna()], table[ages.isna()]
    missing = "" if unknown.empty else " (grey: unknown)" if len(known) else " (the sheet has none)"
    panel.set_title(f"age{missing}")
    for is_test in MARKERS:
        _scatter(panel, unknown, is_test, color=GREY, linewidth=0)
        if len(known):
            shown = known[(known["part"] == "test") == is_test]
            drawn = panel.scatter(
                shown["pc_1"], shown["pc_2"], c=shown["age"], **limits, cmap="cividis", s=14, marker=MARKERS[is_test],
                linewidth=0,
            )  # fmt: skip
    if len(known):
        bar = key.inset_axes((0, 0.75, 1, 0.13))
        panel.figure.colorbar(drawn, cax=bar, orientation="horizontal", label="age [years]")


def _draw_sites(panel: Axes, key: Axes, table: pd.DataFrame) -> None:
    sites = group_sites(table["site"])
    names = sorted({*sites} - {OTHERS, UNKNOWN}) + [name for name in (OTHERS, UNKNOWN) if (sites == name).any()]
    colours = dict(zip(names, COLOURS, strict=False)) | {UNKNOWN: GREY}
    for is_test in MARKERS:
        _scatter(panel, table, is_test, color=sites.map(colours), linewidth=0)
    if table["site"].isna().all():
        panel.set_title("site (the sheet has none)")
    else:
        panel.set_title("site")
        _add_legend(key, [_key("o", _shorten(name), colours[name], "none") for name in names])


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _scatter(panel: Axes, table: pd.DataFrame, is_test: bool, **looks: object) -> None:
    chosen = (table["part"] == "test") == is_test
    looks = {name: look[chosen] if isinstance(look, pd.Series) else look for name, look in looks.items()}
    panel.scatter(table.loc[chosen, "pc_1"], table.loc[chosen, "pc_2"], s=14, marker=MARKERS[is_test], **looks)


def _key(marker: str, words: str, face: str, edge: str) -> Line2D:
    return Line2D([], [], linestyle="none", marker=marker, label=words, mfc=face, mec=edge, markersize=4)


def _add_legend(key: Axes, handles: list[Line2D]) -> None:
    key.legend(handles=handles, loc="upper center", ncols=2, handletextpad=0.1, borderaxespad=0, columnspacing=1)
