"""How each kind of view is made of an anchor, step by step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neurobar.draw.mixed_scans import MIXING_NAMES, view_1_of
from neurobar.draw.scenes import SEED, Scene
from neurobar.transforms.views import hidden_view

#: Views that are drawn at once, so that there is one of inner and one of outer cuts among them.
DRAWS = 16
#: What may become of a voxel.
CHANGES = ("from the donor", "hidden by noise", "shuffled")

Settings = dict[str, Any]


class Steps(NamedTuple):
    """How a view is made of an anchor, in two steps.

    Attributes
    ----------
    name : str
        Of the view.
    titles : tuple of str
        What was done in each step.
    volumes : tuple of float (D, H, W)
        After each step; the last is what the encoder sees.
    changes : tuple of str
        One of `CHANGES` for each step.
    """

    name: str
    titles: tuple[str, str]
    volumes: tuple[np.ndarray, np.ndarray]
    changes: tuple[str, str]


def view_2_of(scans: Tensor, scene: Scene, run: Settings, **changes: Any) -> Tensor:
    """Make view 2 as pre-training does; equal settings draw equal voxels, whatever the scans.

    Parameters
    ----------
    scans : float (N, 1, D, H, W)
    scene : Scene
    run : dict
        Settings of a run.
    **changes
        Laid over the settings.

    Returns
    -------
    float (N, 1, D, H, W)
    """
    generator = torch.Generator().manual_seed(SEED)
    return hidden_view(scans, regions=scene.regions, settings=run | changes, generator=generator)


def without(boxes: dict[str, int], part: str) -> dict[str, int]:
    """Return the settings of boxes of which there are none (`count`), or that hold nothing (`size`)."""
    return boxes | {part: 0}


def find_cuts(scans: Tensor, scene: Scene, run: Settings) -> dict[str, int]:
    """Find which of some views got inner, and which outer cuts.

    Parameters
    ----------
    scans : float (N, 1, D, H, W)
        Copies of the anchor.
    scene : Scene
    run : dict
        Settings of a run whose view 2 has cuts.

    Returns
    -------
    dict of str to int
        For inner and outer the first view of that kind.
    """
    # Boxes that hold nothing take as many draws: holes leave a scan of zeros as it is, windows leave nothing of it.
    empty = {f"{name}_cuts": without(run[f"{name}_cuts"], "size") for name in ("inner", "outer")}
    changes = {**empty, "shuffle": without(run["shuffle"], "count")}
    is_outer = view_2_of(torch.zeros_like(scans), scene, run, **changes).flatten(1).any(1)
    return {name: int((is_outer == outer).nonzero()[0]) for name, outer in (("inner", False), ("outer", True))}


def steps_of_cuts(scene: Scene, run: Settings) -> list[Steps]:
    """Make view 2 with inner and with outer cuts.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of a run whose view 2 has cuts.

    Returns
    -------
    list of Steps
    """
    scans = scene.anchor.expand(DRAWS, -1, -1, -1, -1)
    cut = view_2_of(scans, scene, run, shuffle=without(run["shuffle"], "count"))
    view, titles = view_2_of(scans, scene, run), {}
    for name, hides in (("inner", "{count} holes of {size}³ voxels"), ("outer", "all but {count} windows of {size}³")):
        titles[name] = (hides.format(**run[f"{name}_cuts"]), title_of_shuffle(run))
    return [
        Steps(f"View 2,\n{name} cuts", titles[name], (cut[at, 0].numpy(), view[at, 0].numpy()), CHANGES[1:])
        for name, at in find_cuts(scans, scene, run).items()
    ]


def title_of_shuffle(run: Settings) -> str:
    """Say how many boxes are shuffled in view 2."""
    return "{count} boxes of {size}³ shuffled".format(**run["shuffle"])


def steps_of_regions(scene: Scene, run: Settings) -> Steps:
    """Make view 2 with regions hidden in place of cuts.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of a run with `noise_regions_on_view_2`.

    Returns
    -------
    Steps
    """
    hidden = view_2_of(scene.anchor, scene, run, shuffle=without(run["shuffle"], "count"))[0, 0].numpy()
    titles = (f"{100 * run['noise_regions_on_view_2']:.0f} % of regions hidden", title_of_shuffle(run))
    volumes = (hidden, view_2_of(scene.anchor, scene, run)[0, 0].numpy())
    return Steps("View 2,\nregions\nmasked (BAM)", titles, volumes, CHANGES[1:])


def steps_of_view_1(scene: Scene, run: Settings) -> Steps:
    """Make view 1: mixed, then some of its other regions hidden.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of a run with `noise_regions`.

    Returns
    -------
    Steps
    """
    mixed = view_1_of(scene, run, noise_regions=0.0).volumes[0, 0].numpy()
    view = view_1_of(scene, run).volumes[0, 0].numpy()
    mixing = (
        "nothing mixed" if run["mixing"] == "none" else f"mixed by {MIXING_NAMES.get(run['mixing'], run['mixing'])}"
    )
    titles = (mixing, f"{100 * run['noise_regions']:.0f} % of the rest hidden")
    return Steps("View 1,\nregions\nmasked (BAM)", titles, (mixed, view), CHANGES[:2])


def list_steps(scene: Scene, runs: dict[str, Settings]) -> list[Steps]:
    """Make each kind of view that a study has, by the first run that has it.

    Parameters
    ----------
    scene : Scene
    runs : dict of str to dict
        Settings of each run.

    Returns
    -------
    list of Steps
    """
    # Masking of view 1 is shown together with the mixing that knows the regions too, where a run has both.
    by_regions = sorted(runs.values(), key=lambda run: run["mixing"] != "regions")
    masked = [run for run in by_regions if run["noise_regions"] > 0]
    cut = [run for run in runs.values() if run["noise_regions_on_view_2"] == 0]
    hidden = [run for run in runs.values() if run["noise_regions_on_view_2"] > 0]
    steps = [steps_of_view_1(scene, run) for run in masked[:1]]
    steps += [each for run in cut[:1] for each in steps_of_cuts(scene, run)]
    return steps + [steps_of_regions(scene, run) for run in hidden[:1]]
