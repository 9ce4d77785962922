"""Histograms of the intensities inside the brain, before and after standardisation by landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from neurobar.figures.style import NEGATIVE, POSITIVE, new_figure
from neurobar.transforms.landmarks import standardise

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurobar.data.cohorts import Cohort

MOST = 100  # scans that are drawn
BINS = 90
MARGIN = 0.15  # beyond the outermost landmarks, as a part of what lies between them
#: Colour and line of class 0 and class 1.
LOOKS = ((NEGATIVE, "-"), (POSITIVE, "--"))


def measure_histograms(cohort: Cohort, rows: np.ndarray, landmarks: torch.Tensor) -> dict[str, tuple]:
    """Count the intensities of some scans, before and after their landmarks are moved.

    Parameters
    ----------
    cohort : Cohort
    rows : int64 (N,)
        Rows of the cohort; of each scan the voxels that are not 0.
    landmarks : float (P,)
        The standard landmarks of a fold.

    Returns
    -------
    dict of str to (float (B + 1,), float (N, B))
        Of `before` and `after`, the edges of the bins and the density of each scan; densities count voxels beyond the
        edges, which are not shown, among all.
    """
    own = cohort.percentiles[rows]
    ends = {"before": (own[:, 0].min(), own[:, -1].max()), "after": (float(landmarks[0]), float(landmarks[-1]))}
    margins = {name: MARGIN * (high - low) for name, (low, high) in ends.items()}
    edges = {
        name: np.linspace(low - margins[name], high + margins[name], BINS + 1) for name, (low, high) in ends.items()
    }
    counted = {name: [] for name in ends}
    for row in rows:
        volume = torch.from_numpy(np.array(cohort.volumes[row]))[None, None]  # (1, 1, D, H, W)
        moved = standardise(volume, torch.from_numpy(cohort.percentiles[[row]]), landmarks)
        inside = volume != 0
        for name, values in (("before", volume), ("after", moved)):
            counts, _ = np.histogram(values[inside].float().numpy(), edges[name])
            counted[name].append(counts / max(1, int(inside.sum())) / np.diff(edges[name]))
    return {name: (edges[name], np.stack(counted[name])) for name in ends}


def draw_histograms(measured: dict[str, tuple], labels: np.ndarray, classes: tuple[str, str]) -> Figure:
    """Draw a thin line for each scan, and the mean of each class.

    Parameters
    ----------
    measured : dict
        From `measure_histograms`.
    labels : int (N,)
        Class of each scan.
    classes : (str, str)
        Names of class 0 and class 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(height_mm=72)
    panels = figure.subplots(1, 2)
    words = {"before": "intensity over the brain's median", "after": "standardised intensity"}
    for panel, (name, (edges, densities)) in zip(panels, measured.items(), strict=True):
        _draw_panel(panel, edges, densities, labels)
        panel.set(xlabel=words[name], xlim=(edges[0], edges[-1]), ylim=(0, None))
        panel.set_title(name, loc="left")
    panels[0].set_ylabel("density of voxels inside the brain")
    lines = [panels[0].plot([], [], color=colour, linestyle=style, linewidth=1.6)[0] for colour, style in LOOKS]
    counts = [int((labels == label).sum()) for label in (0, 1)]
    named = [f"{name}, {count} scan{'s' * (count != 1)}" for name, count in zip(classes, counts, strict=True)]
    figure.legend(lines, named, loc="outside upper right", ncols=2, handlelength=3)
    return figure


def _draw_panel(panel: Axes, edges: np.ndarray, densities: np.ndarray, labels: np.ndarray) -> None:
    middles = (edges[1:] + edges[:-1]) / 2
    for density, label in zip(densities, labels, strict=True):
        colour, style = LOOKS[label]
        panel.plot(middles, density, color=colour, linestyle=style, linewidth=0.5, alpha=0.35)
    for label, (colour, style) in enumerate(LOOKS):
        if (labels == label).any():
            mean = densities[labels == label].mean(0)
            panel.plot(middles, mean, color=colour, linestyle=style, linewidth=1.6)
