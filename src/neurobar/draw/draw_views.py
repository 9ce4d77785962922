"""Draw the method itself: mixed scans, the second views, and what decoders restore.

All of it is made by the functions that pre-training calls, on the grid that its encoder sees.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from neurobar.data.endings import call_command
from neurobar.draw.hidden_views import draw_hidden_views
from neurobar.draw.mixed_scans import RATIO, draw_mixings
from neurobar.draw.restored_scans import draw_restored
from neurobar.draw.scenes import Scene, open_scene
from neurobar.draw.sentences import count_scans, name_study
from neurobar.figures.planes import place_mm_of
from neurobar.figures.style import save_figures


def describe_scene(scene: Scene, args: argparse.Namespace) -> str:
    """Say whose scans are shown, and how finely."""
    who = f"fold 0 trains on {count_scans(scene.trained)}"
    return f"Cohort: {name_study(args.cohort)}; {who}, in voxels of {scene.voxel_mm:g} mm."


def caption_of_mixings(scene: Scene, place_mm: float, args: argparse.Namespace) -> str:
    """Write the caption of `mixings`.

    Parameters
    ----------
    scene : Scene
    place_mm : float
        Where the coronal plane lies.
    args : argparse.Namespace

    Returns
    -------
    str
    """
    negative, positive = scene.classes
    place = f"{place_mm:.0f} mm".replace("-", "−")
    return (
        f"Each mixing that a run uses, on the same anchor ({negative}) and donor ({positive}, another subject) at a "
        f"ratio of {RATIO:g}, cut at y = {place}: what came from the donor is outlined and coloured by atlas "
        "region (white: in no region, and not counted), and the bar is the soft label, with the part of each class. "
        f"{describe_scene(scene, args)}"
    )


def caption_of_views(scene: Scene, args: argparse.Namespace) -> str:
    """Write the caption of `second_views`.

    Parameters
    ----------
    scene : Scene
    args : argparse.Namespace

    Returns
    -------
    str
    """
    alike = any(run["cuts_on_view_1"] for run in args.runs.values())
    return (
        "How a view is made of its anchor, step by step, with the settings of the first run that has it; the third "
        "picture is what the encoder sees, and each row is an axial plane that shows what changed and what did not"
        + ("; where nothing is mixed, view 1 may be cut and shuffled like view 2" if alike else "")
        + f". {describe_scene(scene, args)}"
    )


def caption_of_restored(scene: Scene, args: argparse.Namespace) -> str:
    """Write the caption of `restored`.

    Parameters
    ----------
    scene : Scene
    args : argparse.Namespace

    Returns
    -------
    str
    """
    scan = "test scan" if scene.part_of_unseen == "test" else "scan of the selection fold"
    empty = scene.unseen[scene.unseen != 0].abs().mean()
    return (
        f"What decoders restore of a {scan}, from which no encoder learned, and the difference to it; below it the "
        "mean absolute difference over the voxels of the brain that view 2 hid or shuffled and over those that it "
        f"showed, which would be {empty:.2f} over all if nothing were restored. {describe_scene(scene, args)}"
    )


def draw(args: argparse.Namespace) -> None:
    """Draw the three figures."""
    scene, cohort = open_scene(args), name_study(args.cohort)
    mixings, plane = draw_mixings(scene, args.runs)
    # The folder of a split has its name.
    split = Path(args.folds).parent.name
    restored, drawn = draw_restored(scene, args.runs, args.encoders, args.decoders, split)
    captions = {
        "mixings": f"No run of {cohort} mixes scans.",
        "second_views": f"No encoder of {cohort} is pre-trained.",
        "restored": f"No run of {cohort} restores what is hidden from its encoder.",
    }
    if plane is not None:
        captions["mixings"] = caption_of_mixings(scene, place_mm_of(plane, scene.regions.shape), args)
    if args.runs:
        captions["second_views"] = caption_of_views(scene, args)
    if drawn:
        captions["restored"] = caption_of_restored(scene, args)
    figures = (mixings, draw_hidden_views(scene, args.runs), restored)
    told = {name: (figure, captions[name]) for name, figure in zip(captions, figures, strict=True)}
    save_figures(told, args.figures, args.captions)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, meaning in {
        "volumes": "packed cohort, NPY",
        "percentiles": "intensity percentiles of its scans, NPY",
        "table": "table of its scans, TSV",
        "folds": "split of the scans, in a folder of its name, TSV",
        "landmarks": "intensity landmarks of fold 0, JSON",
        "atlas": "regions on the grid, NIfTI",
        "regions": "names of the regions, TSV",
        "figures": "folder of the figures (output)",
        "captions": "their captions, TSV (output)",
    }.items():
        parser.add_argument(f"--{name}", required=True, help=meaning)
    parser.add_argument("--cohort", type=json.loads, required=True, help="the cohort and its classes, JSON")
    parser.add_argument("--runs", type=json.loads, required=True, help="settings of each run, JSON")
    parser.add_argument("--training", type=json.loads, required=True, help="what all training jobs are told, JSON")
    for name in ("encoders", "decoders"):
        parser.add_argument(f"--{name}", nargs="*", default=[], help="weights of fold 0, one for each run, safetensors")
    try:
        draw(parser.parse_args(argv))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    call_command(main)
