"""Make of a trained task a folder that `neurobar predict` loads anywhere, laid out as model hubs want it.

It holds weights, settings, landmarks, the mean healthy scan of each fold, template and atlas, scores and a card; no
image and no name of a single person. `SHA256SUMS`, which is written last, tells whether it is whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import save

from neurobar import __version__
from neurobar.data.cohorts import read_cohort, read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.predictions import place_of, read_predictions
from neurobar.data.volumes import GRID_SPACING_MM
from neurobar.export.cohort_counts import count_cohort, count_named
from neurobar.export.healthy_means import average_healthy, check_folds
from neurobar.export.mean_scores import join_scores, score_mean
from neurobar.export.model_card import write_card
from neurobar.export.refusals import check_split, check_template
from neurobar.provenance import code_digest
from neurobar.training.scans import read_landmarks

#: Layout of the folder; another number is another layout.
FORMAT = 1
#: What happens to a new scan must be what happened to the scans of the study.
STEPS = ("register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan", "pack_volumes")
APPLIED = (*(f"neurobar.preprocess.{step}" for step in STEPS), "neurobar.training.classifiers")
#: Files of the stage `fetch` that are copied.
FETCHED = (
    "template.nii.gz",
    "template_mask.nii.gz",
    "template_head.nii.gz",
    "template_depth.nii.gz",
    "atlas.nii.gz",
    "regions.tsv",
)


def copy_classifiers(paths: list[str], folder: Path) -> dict[str, list[int]]:
    """Copy the weights of each fold and seed.

    Parameters
    ----------
    paths : list of str
        Their places as in `place_of`.
    folder : pathlib.Path

    Returns
    -------
    dict of str to list of int
        `folds` and `seeds`, each once and sorted.
    """
    places = {place_of(path)[1:]: path for path in paths}
    for (fold, seed), path in places.items():
        copied = folder / f"fold-{fold}_seed-{seed}" / "classifier.safetensors"
        copied.parent.mkdir(parents=True)
        shutil.copyfile(path, copied)
    folds, seeds = (sorted(set(numbers)) for numbers in zip(*places, strict=True))
    return {"folds": folds, "seeds": seeds}


def write_folds(args: argparse.Namespace) -> dict[str, dict[str, int]]:
    """Write the landmarks of each fold without the names of its scans, and its mean healthy scan.

    Parameters
    ----------
    args : argparse.Namespace
        Of the command.

    Returns
    -------
    dict of str to dict
        For each fold, of how many scans and subjects its healthy scan is the mean.

    Raises
    ------
    ValueError
        If too few people would be averaged; in a simulated cohort, differences of means show nobody.
    """
    cohort, folds = read_cohort(args.volumes, args.percentiles, args.table), read_folds(args.folds)
    if not args.settings["simulated"]:
        check_folds(folds)
    coarsen, counts = round(args.settings["voxel_mm"] / GRID_SPACING_MM), {}
    for path in args.landmarks:
        fold = int(path.parent.name.removeprefix("fold-"))
        landmarks, written = read_landmarks(path), args.output / f"fold-{fold}"
        mean, counts[str(fold)] = average_healthy(cohort, folds, fold, landmarks, coarsen)
        written.mkdir(parents=True)
        (written / "landmarks.json").write_text(json.dumps({"landmarks": landmarks.tolist()}, indent=1) + "\n")
        about = {"fold": fold, "voxel_mm": args.settings["voxel_mm"], **counts[str(fold)]}
        settings = {"settings": json.dumps(about, sort_keys=True)}
        (written / "healthy.safetensors").write_bytes(save({"mean": mean}, metadata=settings))
    return counts


def write_scores(args: argparse.Namespace, threshold: float) -> pd.DataFrame:
    """Write the scores of single models and of their mean.

    Parameters
    ----------
    args : argparse.Namespace
        Of the command.
    threshold : float

    Returns
    -------
    pandas.DataFrame
        From `join_scores`.
    """
    of_mean = score_mean(read_predictions(args.predictions), threshold=threshold, **args.bootstrap)
    scores = join_scores(pd.read_csv(args.summary, sep="\t"), of_mean)
    scores.to_csv(args.output / "scores.tsv", sep="\t", index=False, float_format="%.6f", na_rep="n/a")
    return scores


def choose_threshold(threshold: float | str, scores: pd.DataFrame) -> dict[str, Any]:
    """Settle on one threshold for the mean of all models.

    Parameters
    ----------
    threshold : float or str
        Of the study: a probability, or `selected`, where each fold chose its own.
    scores : pandas.DataFrame
        Of each level, fold and seed, with its threshold.

    Returns
    -------
    dict
        `threshold_rule`, fixed or selected, and `threshold`, the mean over folds and seeds where they chose.
    """
    if threshold != "selected":
        return {"threshold_rule": "fixed", "threshold": threshold}
    chosen = scores.loc[scores["level"] == "scan", "threshold"]
    return {"threshold_rule": "selected", "threshold": round(float(chosen.mean()), 6)}


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file of a folder, as `sha256sum` does.

    Parameters
    ----------
    folder : pathlib.Path
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")


def export(args: argparse.Namespace) -> None:
    """Write the folder.

    Raises
    ------
    ValueError
        If the task is a control, the template a head of the user's own, or too few healthy subjects could be averaged.
    """
    check_split(args.settings)
    check_template(args.settings)
    about = {"format": FORMAT, "neurobar": __version__, "code": code_digest(*APPLIED), **args.settings}
    about |= {"healthy": write_folds(args), **copy_classifiers(args.classifiers, args.output)}
    about["cohort"] = count_cohort(read_folds(args.folds), args.settings["classes"])
    about |= count_named(pd.read_csv(args.table, sep="\t"))
    about |= choose_threshold(args.settings["threshold"], pd.read_csv(args.scores, sep="\t"))
    (args.output / "fetch").mkdir()
    for name in FETCHED:
        shutil.copyfile(args.fetched / name, args.output / "fetch" / name)
    scores = write_scores(args, about["threshold"])
    (args.output / "config.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (args.output / "README.md").write_text(write_card(about, scores), encoding="utf-8")
    write_checksums(args.output)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, meaning in {
        "volumes": "packed cohort, NPY",
        "percentiles": "intensity percentiles of its scans, NPY",
        "table": "table of its scans, TSV",
        "folds": "split of the scans, TSV",
        "summary": "the task's scores over folds and seeds, TSV",
        "scores": "the task's scores of each fold and seed, TSV",
    }.items():
        parser.add_argument(f"--{name}", required=True, help=meaning)
    parser.add_argument(
        "--landmarks", nargs="+", type=Path, required=True, help="fold-{fold}/landmarks.json of each fold"
    )
    parser.add_argument("--classifiers", nargs="+", required=True, help="weights of each fold and seed, safetensors")
    parser.add_argument("--predictions", nargs="+", required=True, help="predictions of each fold and seed, TSV")
    parser.add_argument("--fetched", type=Path, required=True, help="folder of template and atlas")
    parser.add_argument("--settings", type=json.loads, required=True, help="what the model was told, JSON")
    parser.add_argument("--bootstrap", type=json.loads, required=True, help="the config's bootstrap, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the folder (output)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = parse_arguments(argv)
    try:
        if args.output.is_dir() and any(args.output.iterdir()):
            raise ValueError(f"{args.output} is not empty.")
        with written_whole(args.output) as partial:
            export(argparse.Namespace(**vars(args) | {"output": partial}))
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    call_command(main)
