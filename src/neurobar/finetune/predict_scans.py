"""Predict the class of the scans of the selection fold and of the test set."""

from __future__ import annotations

import argparse

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.training.classifiers import load_classifier
from neurobar.training.command import cohort_parser, open_fold, run_command
from neurobar.training.predictions import predict_part


def run_job(args: argparse.Namespace) -> None:
    """Predict and write one table."""
    fold = open_fold(args, alone=True)
    model = load_classifier(args.classifier).to(fold.device.place)
    batch = args.settings["finetune"]["batch"]
    table = pd.concat([predict_part(fold, model, part, batch) for part in ("select", "test")])
    with written_whole(args.predictions) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6f")


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--classifier", required=True, help="weights, safetensors")
    parser.add_argument("--predictions", required=True, help="probability of each scan, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
