"""Make a folder of a trained task that `neurobar predict` loads anywhere: weights, settings, atlas, scores, model card.

What is missing of the study is run first. Every option that is not named here goes to Snakemake.

For example:
  neurobar export --task bar_recon --output model/
  neurobar export --task bar_recon --output model/ --configfile runs/mine/study.yaml --directory runs/mine
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from neurobar.commands.workflow import call_snakemake, computes
from neurobar.data.files import written_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--task", required=True, help="one of the tasks of the study")
    parser.add_argument("--output", type=Path, required=True, help="folder to write; it must not exist")
    parser.add_argument("--directory", type=Path, default=Path(), help="working folder of the study (here)")


def run(args: argparse.Namespace) -> None:
    """Export the task and copy it to its place.

    Raises
    ------
    ValueError
        If the place is taken, or the study could not be run so far.
    """
    if args.output.exists():
        raise ValueError(f"{args.output} exists already; name another folder or remove it.")
    if not computes(args.further):
        raise ValueError("an export runs what is missing of the study; leave out options that only plan or describe.")
    exported = f"results/export/{args.task}"
    call_snakemake([exported, "--directory", str(args.directory), *args.further])
    with written_whole(args.output) as partial:
        shutil.copytree(args.directory / exported, partial, ignore=shutil.ignore_patterns(".snakemake_timestamp"))
    print(f"{args.output}: {args.task}. Its README.md says what it is, and what it must not be used for.")
