"""Picture of what each kind of mixing does to a scan."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from torch import Tensor

from neurobar.draw.scenes import SEED, Scene, best_plane
from neurobar.figures.notices import figure_of_words
from neurobar.figures.planes import Plane, aspect_of, colour_regions, outline, show_plane
from neurobar.figures.style import COLOURS, NEGATIVE, POSITIVE, new_figure
from neurobar.transforms.replacements import SHARES, soft_label
from neurobar.transforms.views import MixedView, mixed_view

#: Part of the brain that is asked for [0..1]: enough to be seen, and the anchor is still the larger part.
RATIO = 0.4
#: Names of mixings for readers; another module goes by its own.
MIXING_NAMES = {"boxes": "CutMix", "regions": "BAR"}
#: Width of a picture; four stand beside the names of the rows [mm].
PANEL_MM = 38.0
#: Opacity of the colours of regions, and of what is taken beside them.
OPACITY, OPACITY_BESIDE = 0.8, 0.4

Settings = dict[str, Any]


class MixedScan(NamedTuple):
    """A scan with parts of another in it.

    Attributes
    ----------
    volume : float (D, H, W)
    taken : bool (D, H, W)
        True where the donor replaced the anchor.
    share : float
        Part of the voxels of the atlas that came from the donor [0..1].
    label : float
        Soft label [0..1].
    """

    volume: np.ndarray
    taken: np.ndarray
    share: float
    label: float


def list_mixings(runs: dict[str, Settings]) -> list[Settings]:
    """Find the runs that mix, one of each kind.

    Parameters
    ----------
    runs : dict of str to dict
        Settings of each run.

    Returns
    -------
    list of dict
        Settings of the first run of each mixing and its settings, by the mixing's name.
    """
    kinds: dict[tuple[str, str], Settings] = {}
    for run in runs.values():
        if run["mixing"] != "none":
            kinds.setdefault((run["mixing"], json.dumps(run["mixing_settings"], sort_keys=True)), run)
    return [kinds[kind] for kind in sorted(kinds)]


def name_mixing(run: Settings) -> str:
    """Name the mixing of a run for readers, with settings that are not as they come."""
    name = MIXING_NAMES.get(run["mixing"], run["mixing"].replace("_", " ").capitalize())
    return "\n".join([name, *(f"{key} {value}" for key, value in run["mixing_settings"].items())])


def view_1_of(scene: Scene, run: Settings, pair: tuple[Tensor, Tensor] | None = None, **changes: Any) -> MixedView:
    """Make view 1 as pre-training does; equal settings draw equal voxels, whatever the scans.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of a run.
    pair : tuple of float (1, 1, D, H, W), optional
        Anchor and donor; those of the scene.
    **changes
        Laid over the settings.

    Returns
    -------
    MixedView
    """
    generator, ratio = torch.Generator().manual_seed(SEED), torch.tensor([RATIO])
    anchor, donor = pair or (scene.anchor, scene.donor)
    settings = run | {"cuts_on_view_1": False} | changes
    return mixed_view(anchor, donor, ratio, regions=scene.regions, settings=settings, generator=generator)


def mix_scans(scene: Scene, run: Settings) -> MixedScan:
    """Mix anchor and donor, and find what was taken.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of a run that mixes.

    Returns
    -------
    MixedScan
    """
    mixed = view_1_of(scene, run, noise_regions=0.0)
    # Zeros that receive from ones show what a donor gives.
    nothing, everything = torch.zeros_like(scene.anchor), torch.ones_like(scene.anchor)
    taken = view_1_of(scene, run, (nothing, everything), noise_regions=0.0).volumes > 0
    share = SHARES["voxels"](taken, scene.regions)
    label = soft_label(torch.zeros(1), torch.ones(1), mixed.share)
    return MixedScan(mixed.volumes[0, 0].numpy(), taken[0, 0].numpy(), float(share), float(label))


def draw_mixings(scene: Scene, runs: dict[str, Settings]) -> tuple[Figure, Plane | None]:
    """Draw for each kind of mixing the anchor, the donor, the mixed scan and what was taken.

    Parameters
    ----------
    scene : Scene
    runs : dict of str to dict
        Settings of each run.

    Returns
    -------
    figure : matplotlib.figure.Figure
    plane : Plane or None
        None where no run mixes, and the figure says so.
    """
    kinds = list_mixings(runs)
    if not kinds:
        return figure_of_words("No run of this study mixes scans."), None
    mixed = [mix_scans(scene, run) for run in kinds]
    taken = sum((each.taken & scene.brain).astype(int) for each in mixed)
    plane = best_plane(taken.sum((0, 2)), scene.landmark, axis=1)
    figure = new_figure(height_mm=10 + (10 + PANEL_MM * aspect_of(plane, scene.box)) * len(kinds))
    rows = figure.subplots(len(kinds), 4, squeeze=False)
    colours = colour_regions(scene.regions.atlas.numpy())
    for panels, run, each in zip(rows, kinds, mixed, strict=True):
        _draw_row(panels, scene, each, plane, colours)
        panels[0].set_ylabel(name_mixing(run), rotation=0, ha="right", va="center", fontweight="bold")
    negative, positive = scene.classes
    titles = (f"anchor ({negative})", f"donor ({positive})", "mixed scan", "what came from the donor")
    for panel, title, colour in zip(rows[0], titles, (NEGATIVE, POSITIVE, "black", "black"), strict=True):
        panel.set_title(title, color=colour)
    return figure, plane


def _draw_row(panels: np.ndarray, scene: Scene, mixed: MixedScan, plane: Plane, colours: np.ndarray) -> None:
    anchor, donor = scene.anchor[0, 0].numpy(), scene.donor[0, 0].numpy()
    for panel, volume in zip(panels, (anchor, donor, mixed.volume, anchor), strict=True):
        show_plane(panel, scene.shown(volume, plane), plane, vmin=0, vmax=1)
    is_head = (anchor != 0) | (donor != 0)
    for panel in panels[2:]:
        outline(panel, scene.shown(mixed.taken & is_head, plane), colors=POSITIVE)
    painted = paint(mixed.taken & is_head, scene.regions.atlas.numpy(), colours)
    panels[3].imshow(scene.shown(painted, plane), origin="lower")
    panels[3].set_xlabel(f"{100 * mixed.share:.0f} % of brain voxels")
    _draw_label(panels[2], mixed.label)


def paint(taken: np.ndarray, atlas: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Colour what was taken by its region; what lies in no region is white.

    Parameters
    ----------
    taken : bool (D, H, W)
    atlas : integer (D, H, W)
    colours : float (K + 1, 4)
        From `colour_regions`.

    Returns
    -------
    float (D, H, W, 4)
        To be laid over a scan; transparent where nothing was taken.
    """
    table = colours.copy()
    table[0], table[1:, 3] = to_rgba("white", OPACITY_BESIDE), OPACITY
    return table[atlas] * taken[..., None]


def _draw_label(panel: Axes, label: float) -> None:
    """Draw below a panel how much of each class the soft label holds."""
    bar = panel.inset_axes([0.0, -0.075, 1.0, 0.05])
    bar.barh(0, 1 - label, color=NEGATIVE)
    bar.barh(0, label, left=1 - label, color=POSITIVE)
    bar.set(xlim=(0, 1), xticks=[], yticks=[])
    bar.spines[:].set_visible(False)
    bar.set_xlabel(f"soft label {label:.2f}", color=COLOURS[6], labelpad=2)
