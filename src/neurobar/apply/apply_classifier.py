"""Predict the class of the scans of an external cohort by a classifier that is left as it is."""

from __future__ import annotations

import argparse

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.training.classifiers import load_classifier
from neurobar.training.command import cohort_parser, open_fold, run_command
from neurobar.training.predictions import predict_part


def run_job(args: argparse.Namespace) -> None:
    """Predict and write one table, and the scans that were seen."""
    fold = open_fold(args, alone=True)
    model = load_classifier(args.classifier).to(fold.device.place)
    tested = predict_part(fold, model, "test", args.settings["finetune"]["batch"])
    own = pd.read_csv(args.selecting, sep="\t", dtype={"scan": str, "subject": str})
    with written_whole(args.predictions) as partial:
        table = pd.concat([own[own["part"] == "select"], tested])
        table.to_csv(partial, sep="\t", index=False, float_format="%.6f")
    fold.write_seen(args.seen)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--classifier", required=True, help="weights, safetensors")
    parser.add_argument(
        "--selecting", required=True, help="what it predicted at home, for the threshold of a fold, TSV"
    )
    parser.add_argument("--predictions", required=True, help="probability of each scan, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
