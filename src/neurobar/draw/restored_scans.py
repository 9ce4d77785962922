"""Picture of what decoders restore of a scan from its view 2."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from neurobar.data.predictions import place_of
from neurobar.draw.mixed_scans import PANEL_MM
from neurobar.draw.scenes import Scene
from neurobar.draw.view_steps import DRAWS, find_cuts, view_2_of
from neurobar.figures.notices import figure_of_words
from neurobar.figures.planes import Plane, aspect_of, plane_at, show_plane
from neurobar.figures.style import COLOURS, new_figure
from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.training.checkpoints import read_weights

#: Runs that are drawn; more would repeat what these show.
MOST = 4
#: Through the ventricles and the basal ganglia [mm].
HEIGHT_MM = 8.0
#: Part of the differences in the brain that have less than the full colour [%].
NOT_FULL = 99
DIFFERENCES = LinearSegmentedColormap.from_list("differences", [COLOURS[5], "black", COLOURS[4]])

Settings = dict[str, Any]


class Restored(NamedTuple):
    """A scan, what an encoder saw of it, and what its decoder made of that.

    Attributes
    ----------
    run : str
    anchor, view, volume : float (D, H, W)
        Standardised intensities [-].
    """

    run: str
    anchor: np.ndarray
    view: np.ndarray
    volume: np.ndarray

    @property
    def errors(self) -> tuple[float, float]:
        """Mean absolute difference inside the brain, where the view was hidden or shuffled and where it was not."""
        brain, changed = self.anchor != 0, self.view != self.anchor
        error = np.abs(self.volume - self.anchor)
        return tuple(float(error[brain & part].mean()) if (brain & part).any() else 0.0 for part in (changed, ~changed))


def choose_runs(paths: list[str], runs: dict[str, Settings], split: str) -> list[int]:
    """Choose the runs whose decoders are drawn: first one of each kind, and of these one that only restores.

    Parameters
    ----------
    paths : list of str
        Their encoders.
    runs : dict of str to dict
        Settings of each run.
    split : str
        Runs on another split may have learned from any scan, so they are left out.

    Returns
    -------
    list of int
        Places of at most `MOST` of the paths, in their order.
    """
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for place, path in enumerate(paths):
        run = runs[place_of(path)[0]]
        if run["split"] == split:
            kind = (run["contrast"] != "none", run["noise_regions_on_view_2"] == 0, run["mixing"] != "regions")
            kind = (*kind, run["mixing"])
            kinds.setdefault(kind, []).append(place)
    first = [kinds[kind][0] for kind in sorted(kinds)]
    return sorted([*first, *(place for kind in kinds.values() for place in kind[1:])][:MOST])


def read_model(encoder: str, decoder: str) -> EncoderWithDecoder:
    """Rebuild what a run pre-trained.

    Parameters
    ----------
    encoder, decoder : str
        The two files of `pretrain_encoder`.

    Returns
    -------
    EncoderWithDecoder
        On the CPU, ready to restore.
    """
    weights, settings = read_weights(encoder)
    model = EncoderWithDecoder(tuple(settings["shape"]), settings["encoder"])
    model.encoder.load_state_dict(weights)
    model.decoder.load_state_dict(read_weights(decoder)[0])
    return model.eval()


@torch.inference_mode()
def restore_scan(scene: Scene, run: Settings, name: str, model: EncoderWithDecoder) -> Restored:
    """Let a decoder restore a scan that it did not learn from; of cuts, outer ones, which hide more.

    Parameters
    ----------
    scene : Scene
    run : dict
        Settings of the run.
    name : str
        Of the run.
    model : EncoderWithDecoder
        From `read_model`.

    Returns
    -------
    Restored
    """
    if run["noise_regions_on_view_2"] > 0:
        view = view_2_of(scene.unseen, scene, run)
    else:
        copies = scene.unseen.expand(DRAWS, -1, -1, -1, -1)
        view = view_2_of(copies, scene, run)[[find_cuts(copies, scene, run)["outer"]]]
    restored = model(None, view)[2]
    return Restored(name, *(volume[0, 0].numpy() for volume in (scene.unseen, view, restored)))


def draw_restored(
    scene: Scene, runs: dict[str, Settings], encoders: list[str], decoders: list[str], split: str
) -> tuple[Figure, int]:
    """Draw for some runs the anchor, its view 2, what the decoder restored, and the difference.

    Parameters
    ----------
    scene : Scene
    runs : dict of str to dict
        Settings of each run.
    encoders, decoders : list of str
        Weights of the runs that restore, in the same order.
    split : str
        The split of the scene.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One that says so where no run restores.
    drawn : int
        Number of runs.
    """
    restored = []
    for place in choose_runs(encoders, runs, split):
        name, model = place_of(encoders[place])[0], read_model(encoders[place], decoders[place])
        restored.append(restore_scan(scene, runs[name], name, model))
    if not restored:
        return figure_of_words("No run of this study restores what is hidden from its encoder."), 0
    plane = plane_at(2, HEIGHT_MM, scene.regions.shape)
    figure = new_figure(height_mm=14 + (9 + PANEL_MM * aspect_of(plane, scene.box)) * len(restored))
    rows = figure.subplots(len(restored), 4, squeeze=False)
    differences = [np.abs(each.volume - each.anchor)[each.anchor != 0] for each in restored]
    full = np.ceil(10 * np.percentile(np.concatenate(differences), NOT_FULL)) / 10
    for panels, each in zip(rows, restored, strict=True):
        image = _draw_row(panels, each, plane, scene, full)
    placed = {"location": "bottom", "anchor": (1, 0.5), "shrink": 0.24, "aspect": 20, "pad": 0.01}
    bar = figure.colorbar(image, ax=rows, extend="both", **placed)
    bar.set_label("restored less anchor [-]")
    return figure, len(restored)


def _draw_row(panels: np.ndarray, restored: Restored, plane: Plane, scene: Scene, full: float) -> AxesImage:
    """Draw one run and return the picture of the difference, which has its full colour from `full` on."""
    for panel, volume in zip(panels, restored[1:], strict=False):
        show_plane(panel, scene.shown(volume, plane), plane, vmin=0, vmax=1)
    difference = scene.shown(restored.volume - restored.anchor, plane)
    image = show_plane(panels[3], difference, plane, cmap=DIFFERENCES, vmin=-full, vmax=full)
    for panel, title in zip(panels, ("anchor", "view 2", "restored", "difference"), strict=True):
        panel.set_title(title)
    panels[3].set_xlabel("{:.2f} hidden, {:.2f} seen".format(*restored.errors))
    panels[0].set_ylabel(restored.run.replace("_", "_\n"), rotation=0, ha="right", va="center", fontweight="bold")
    return image
