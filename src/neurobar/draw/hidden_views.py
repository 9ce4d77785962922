"""Picture of what is hidden from the encoder: each view step by step, beside its anchor."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from neurobar.draw.mixed_scans import PANEL_MM
from neurobar.draw.scenes import Scene, best_plane
from neurobar.draw.view_steps import CHANGES, Steps, list_steps
from neurobar.figures.notices import figure_of_words
from neurobar.figures.planes import Plane, aspect_of, show_plane
from neurobar.figures.style import COLOURS, POSITIVE, new_figure

#: Colour of what became of a voxel.
CHANGE_COLOURS = dict(zip(CHANGES, (POSITIVE, COLOURS[4], COLOURS[5]), strict=True))
OPACITY = 0.8

Settings = dict[str, Any]


def draw_hidden_views(scene: Scene, runs: dict[str, Settings]) -> Figure:
    """Draw each kind of view step by step.

    Parameters
    ----------
    scene : Scene
    runs : dict of str to dict
        Settings of each run.

    Returns
    -------
    matplotlib.figure.Figure
        One that says so where no run is pre-trained.
    """
    if not runs:
        return figure_of_words("No encoder of this study is pre-trained, so there are no views.")
    steps = list_steps(scene, runs)
    anchor = scene.anchor[0, 0].numpy()
    planes = [clearest_plane(each.volumes[1] != anchor, anchor != 0) for each in steps]
    figure = new_figure(height_mm=10 + (6 + PANEL_MM * aspect_of(planes[0], scene.box)) * len(steps))
    rows = figure.subplots(len(steps), 4, squeeze=False)
    for panels, each, plane in zip(rows, steps, planes, strict=True):
        for panel, volume in zip(panels, (anchor, *each.volumes, anchor), strict=True):
            show_plane(panel, scene.shown(volume, plane), plane, vmin=0, vmax=1)
        panels[3].imshow(scene.shown(paint_changes(anchor, each), plane), origin="lower")
        for panel, title in zip(panels, ("anchor", *each.titles, "what changed"), strict=True):
            panel.set_title(title)
        panels[0].set_ylabel(each.name, rotation=0, ha="right", va="center", fontweight="bold")
    patches = [Patch(color=colour, label=change) for change, colour in CHANGE_COLOURS.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return figure


def clearest_plane(changed: np.ndarray, brain: np.ndarray) -> Plane:
    """Find the axial plane that shows both what changed of the brain and what did not.

    Parameters
    ----------
    changed, brain : bool (D, H, W)

    Returns
    -------
    Plane
    """
    parts = [(brain & part).sum((0, 1)) for part in (changed, ~changed)]
    return best_plane(np.minimum(*parts), brain, axis=2)


def paint_changes(anchor: np.ndarray, steps: Steps) -> np.ndarray:
    """Colour each voxel by the last step that changed it.

    Parameters
    ----------
    anchor : float (D, H, W)
    steps : Steps

    Returns
    -------
    float (D, H, W, 4)
        To be laid over the anchor; transparent where nothing changed.
    """
    painted, before = np.zeros((*anchor.shape, 4)), anchor
    for volume, change in zip(steps.volumes, steps.changes, strict=True):
        painted[volume != before] = to_rgba(CHANGE_COLOURS[change], OPACITY)
        before = volume
    return painted
