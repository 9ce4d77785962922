"""Draw the losses of every run and task, epoch by epoch and fold by fold."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from neurobar.data.cohorts import part_of_fold, read_folds
from neurobar.data.endings import call_command
from neurobar.draw.histories import draw_finetuning, draw_pretraining, read_histories
from neurobar.draw.sentences import count_jobs, count_scans, name_study
from neurobar.figures.notices import figure_of_words
from neurobar.figures.style import save_figures


def count_training(folds: pd.DataFrame, selecting: Iterable[int]) -> list[int]:
    """Count the training scans for each fold that selects."""
    return [len(part_of_fold(folds, fold, "train")) for fold in selecting]


def describe_lines(histories: pd.DataFrame, folds: pd.DataFrame, args: argparse.Namespace) -> str:
    """Say what a line is, and on whom the jobs were trained."""
    trained = count_scans(folds[folds["part"] != "test"])
    return (
        f"thick lines are the mean and thin ones each of {count_jobs(histories)}. Cohort: {name_study(args.cohort)}; "
        f"{trained} to train and select."
    )


def draw(args: argparse.Namespace) -> None:
    """Draw both figures."""
    pretrained, finetuned = read_histories(args.pretrained), read_histories(args.finetuned)
    folds, cohort = read_folds(args.folds), name_study(args.cohort)
    figures = {
        "pretraining": (
            figure_of_words("No encoder of this study is pre-trained."),
            f"No encoder of {cohort} is pre-trained.",
        ),
        "finetuning": (
            figure_of_words("No encoder of this study is fine-tuned."),
            f"No encoder of {cohort} is fine-tuned.",
        ),
    }
    if len(pretrained):
        caption = (
            f"Losses of each pre-training run by epoch, with their weights: {describe_lines(pretrained, folds, args)}"
        )
        # The folder of a split has its name.
        scans = {Path(args.folds).parent.name: count_training(folds, pretrained["fold"].unique())}
        figures["pretraining"] = (draw_pretraining(pretrained, args.runs, scans), caption)
    if len(finetuned):
        caption = (
            "Loss of each task by epoch, on the scans it trains on and on the fold that selects the epoch whose "
            f"weights are kept (circles): {describe_lines(finetuned, folds, args)}"
        )
        figures["finetuning"] = (draw_finetuning(finetuned, args.tasks), caption)
    save_figures(figures, args.figures, args.captions)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, of_what in {"pretrained": "pre-training", "finetuned": "fine-tuning"}.items():
        parser.add_argument(f"--{name}", nargs="*", default=[], help=f"histories of all {of_what} jobs, TSV")
    parser.add_argument("--folds", required=True, help="split of the scans, TSV")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the cohort and its classes, JSON")
    parser.add_argument("--runs", type=json.loads, required=True, help="settings of each run, JSON")
    parser.add_argument("--tasks", type=json.loads, required=True, help="settings of each task, JSON")
    parser.add_argument("--figures", required=True, help="folder of the figures (output)")
    parser.add_argument("--captions", required=True, help="their captions, TSV (output)")
    try:
        draw(parser.parse_args(argv))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    call_command(main)
