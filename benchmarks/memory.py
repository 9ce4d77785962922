"""Measure how much memory the jobs that look at all scans need, for cohorts of several sizes, and write a page.

The cohorts are made up: brains are spheres of noise on the real grid, or zeros that take no disk; networks are tiny,
so that what grows with the number of scans shows.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import yaml
from preprocess import ROOT, build_command, measure, write_table
from scale import describe_run, simulate_sheet, write_sheet

from neurobar.data.scan_names import digest_names
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE

AT = [1, 10, 25, 50, 75, 90, 99]
COHORT = "--volumes {folder}/cohort.npy --percentiles {folder}/percentiles.npy --table {folder}/cohort.tsv "
FOLD = (
    COHORT + "--folds {folder}/folds.tsv --landmarks {folder}/landmarks.json --fold 0 --seed 0 --settings {settings} "
)
TRAINING = FOLD + "--machine {machine} --seen seen.tsv --history history.tsv "
#: For each command whether it opens every volume (which takes minutes where there are many), and its options.
COMMANDS = {
    "preprocess.judge_scans": (
        False,
        "--folder {folder}/preprocess --sheet {folder}/scans.tsv --scans {digest} --limits {limits} "
        "--checks checks.tsv --table table.tsv",
    ),
    "split.make_folds": (
        False,
        "--sheet {folder}/scans.tsv --table {folder}/cohort.tsv --cohort {cohort} --settings {split} --folds folds.tsv",
    ),
    "split.fit_landmarks": (False, COHORT + "--folds {folder}/folds.tsv --fold 0 --landmarks landmarks.json"),
    "draw.draw_cohort": (
        False,
        "--sheet {folder}/scans.tsv --table {folder}/cohort.tsv --folds {folder}/folds.tsv --cohort {told} "
        "--figures figures --captions captions.tsv",
    ),
    "preprocess.pack_volumes": (
        True,
        "--folder {folder}/preprocess --table {folder}/cohort.tsv --at {at} --volumes packed.npy "
        "--percentiles percentiles.npy",
    ),
    "regress.measure_regions": (
        True,
        "--volumes {folder}/cohort.npy --table {folder}/cohort.tsv --atlas {atlas}/atlas.nii.gz "
        "--regions {atlas}/regions.tsv --measures volumes.tsv",
    ),
    "finetune.finetune_classifier": (True, TRAINING + "--encoder --classifier classifier.safetensors"),
    "finetune.predict_scans": (True, FOLD + "--machine {machine} --classifier {classifier} --predictions p.tsv"),
}
FETCH = "--image aal2 --labels --atlas atlas.nii.gz --regions regions.tsv"
ENCODER = {"patch": 16, "width": 12, "layers": 1, "heads": 2, "mlp_ratio": 2, "dropout": 0.0, "patch_norm": False}
INTRODUCTION = """\
Each command looks at all scans of a cohort. Cohorts are made up: spheres of noise on the real grid, and a network of
{parameters}, so that what grows with the number of scans is not hidden by what does not.
"""
EXPLANATION = """\
Largest memory of the process [MB]; 1 MB is 10^6 bytes. No figure is below that of the process that measures, some
160 MB. Commands that open every volume were measured with fewer scans than those that read lists alone.
The packed cohort of 33,060 scans, 58.5 GB, is read the same way: `tests/training/test_scans.py` streams from one.
"""


def write_brain(path: Path) -> np.ndarray:
    """Write a sphere of noise on the grid, and return it."""
    axes = np.meshgrid(*(np.linspace(-1, 1, length) for length in GRID_SHAPE), indexing="ij")
    noise = np.random.default_rng(0).uniform(0.3, 1.7, GRID_SHAPE)
    brain = np.where(sum(axis**2 for axis in axes) < 0.6, noise, 0).astype(np.float32)
    nib.save(nib.Nifti1Image(brain, GRID_AFFINE), path)
    return brain


def write_cohort(folder: Path, number: int, brain: Path, volume: np.ndarray, *, whole: bool) -> None:
    """Write what jobs read of a cohort of some scans, with its volumes or without."""
    table = simulate_sheet(number)
    write_sheet(table, folder)
    check = {
        "prepared": "",
        "credible": True,
        "starts": 1,
        "overlap": 0.95,
        "brain_ml": 1400.0,
        "spacing_mm": [1, 1, 1],
    }
    for place, scan in enumerate(table["scan"]):
        (folder / "preprocess" / scan).mkdir(parents=True)
        measured = check | {"scan": scan, "overlap": 0.93 + 0.03 * (place % 100) / 100}
        (folder / "preprocess" / scan / "check.json").write_text(json.dumps(measured))
        if whole:
            os.link(brain, folder / "preprocess" / scan / "volume.nii.gz")
    table[["scan"]].assign(used=True, reason="").to_csv(folder / "cohort.tsv", sep="\t", index=False)
    parts = np.array(["test", "0", "1", "2", "3", "4"])[pd.factorize(table["subject"])[0] % 6]
    folds = table.assign(label=(table["diagnosis"] == "AD").astype(int), part=parts)
    folds[["scan", "subject", "label", "age", "sex", "part"]].to_csv(folder / "folds.tsv", sep="\t", index=False)
    percentiles = np.percentile(volume[volume > 0], AT).astype(np.float32)
    np.save(folder / "percentiles.npy", np.tile(percentiles, (number, 1)))
    (folder / "landmarks.json").write_text(json.dumps({"landmarks": np.linspace(0, 1, len(AT)).tolist(), "scans": []}))
    with (folder / "cohort.npy").open("wb") as stream:
        shape = (number, *GRID_SHAPE)
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for _ in range(number if whole else 0):
            stream.write(volume.astype(np.float16).tobytes())
        stream.truncate(stream.tell() if whole else stream.tell() + 2 * int(np.prod(shape)))


def tell(folder: Path, fetched: Path) -> dict[str, object]:
    """Return what the commands are told of a cohort."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    finetune = config["finetune"] | {"epochs": 1, "hidden": [8], "batch": 12, "batch_norm": False}
    settings = {"encoder": ENCODER, "precision": "float32", "voxel_mm": 2, "finetune": finetune}
    split = config["split"] | {"labels": "own", "by": "subject"}
    told = {
        "cohort": config["cohort"],
        "told": config["cohort"] | {"study": "made up", "simulated": True},
        "limits": {"overlap": [0.88, None], "brain_ml": [850, 2100]},
        "at": AT,
        "split": split,
        "settings": settings,
        "machine": {"device": "cpu", "cohort": "streamed"},
    }
    names = pd.read_csv(folder / "scans.tsv", sep="\t")["scan"]
    texts = {name: json.dumps(value) for name, value in told.items()}
    return texts | {"digest": digest_names(names), "folder": folder, "atlas": fetched}


def measure_commands(number: int, fetched: Path, volume: np.ndarray, *, whole: bool) -> dict[str, float]:
    """Return the largest memory of each command that opens every volume, or of the others [MB]."""
    found = {}
    with tempfile.TemporaryDirectory(dir=fetched) as place:
        folder, work = Path(place, "cohort"), Path(place, "work")
        work.mkdir()
        write_cohort(folder, number, fetched / "brain.nii.gz", volume, whole=whole)
        values = tell(folder, fetched) | {"classifier": work / "classifier.safetensors"}
        for module, (opens, options) in COMMANDS.items():
            if opens == whole:
                cost = measure(build_command(module, options, values), work, "neurobar")
                found[module] = cost.memory_mb
                print(f"{number} scans, {module}: {cost.memory_mb:.0f} MB, {cost.core_s:.1f} core-s", file=sys.stderr)
    return found


def write_page(few: list[int], many: list[int], folder: Path | None) -> str:
    """Measure the commands and write the page as Markdown."""
    run, memory = describe_run(), {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        fetched = Path(place)
        measure(build_command("fetch.fetch_atlas", FETCH, {}), fetched, "neurobar")
        volume = write_brain(fetched / "brain.nii.gz")
        for number, whole in [*((number, True) for number in few), *((number, False) for number in many)]:
            for module, value in measure_commands(number, fetched, volume, whole=whole).items():
                memory[module, number] = value
    sizes = sorted({*few, *many})
    rows = [
        [f"`{module}`", *(f"{memory[module, size]:.0f}" if (module, size) in memory else "" for size in sizes)]
        for module in COMMANDS
    ]
    command = ["benchmarks/memory.py", "--opened", *map(str, few), "--listed", *map(str, many)]
    lines = ["# How memory grows with the number of scans", "", INTRODUCTION.format(parameters="one layer of width 12")]
    lines += [*run, f"- Command: `{shlex.join(command)}`", ""]
    lines += [*write_table(["command", *(f"{size} scans" for size in sizes)], rows), "", EXPLANATION]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opened", type=int, nargs="+", default=[200, 1000], help="scans, where each volume is opened")
    parser.add_argument("--listed", type=int, nargs="+", default=[500, 3306, 33060], help="scans, where none is")
    parser.add_argument("--folder", type=Path, help="where cohorts go, by default the system's temporary folder")
    parser.add_argument("--output", type=Path, default=Path("docs/results/memory.md"), help="Markdown")
    args = parser.parse_args(argv)
    if min(args.opened + args.listed) < 64 or not args.output.parent.is_dir():
        parser.error("a cohort has at least 64 scans, and --output lies in a folder that exists")
    args.output.write_text(write_page(args.opened, args.listed, args.folder), encoding="utf-8")


if __name__ == "__main__":
    main()
