"""Fit the landmarks of histogram standardisation on the training scans of one fold alone."""

from __future__ import annotations

import argparse
import json
import sys

from neurobar.data.cohorts import part_of_fold, read_cohort, read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.transforms.landmarks import fit_landmarks


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volumes", required=True, help="packed cohort, NPY")
    parser.add_argument("--percentiles", required=True, help="intensities of each scan at the percentiles, NPY")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--fold", type=int, required=True, help="the fold that selects the model")
    parser.add_argument(
        "--landmarks", required=True, help="standard landmarks and the scans they were fitted on (output)"
    )
    args = parser.parse_args(argv)
    try:
        cohort = read_cohort(args.volumes, args.percentiles, args.table)
        scans = part_of_fold(read_folds(args.folds), args.fold, "train")["scan"]
        landmarks = fit_landmarks(cohort.percentiles[cohort.rows_of(scans)])
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.landmarks) as partial:
        partial.write_text(json.dumps({"landmarks": landmarks.tolist(), "scans": scans.tolist()}, indent=1) + "\n")


if __name__ == "__main__":
    call_command(main)
