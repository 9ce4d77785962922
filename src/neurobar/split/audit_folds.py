"""Audit the split before anything is trained on it: no subject in two parts, no landmark from outside its fold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.leaks import scans_outside, subjects_in_two_parts


def audit(folds: pd.DataFrame, landmarks: dict[int, list[str]], *, by: str = "subject") -> list[str]:
    """Look for leaks.

    Parameters
    ----------
    folds : pandas.DataFrame
        The split.
    landmarks : dict of int to list of str
        For each fold, the scans its landmarks were fitted on.
    by : {"subject", "scan"}
        What the split keeps together.

    Returns
    -------
    list of str
        One sentence for each leak; empty where there is none.
    """
    torn = subjects_in_two_parts(folds) if by == "subject" else []
    leaks = [f"Subject {subject} is in two parts of the split." for subject in torn]
    leaks += [f"Scan {scan} stands twice in the split." for scan in folds.loc[folds["scan"].duplicated(), "scan"]]
    for fold, scans in landmarks.items():
        leaks += [
            f"Scan {scan} is in the landmarks of fold {fold} without training there."
            for scan in scans_outside(scans, folds, fold, "train", by=by)
        ]
    return leaks


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--landmarks", nargs="+", type=Path, required=True, help="landmarks of fold 0, 1, ... in order")
    parser.add_argument("--by", choices=["subject", "scan"], default="subject", help="what the split keeps together")
    parser.add_argument("--audit", required=True, help="what was audited, JSON (output)")
    args = parser.parse_args(argv)
    folds = read_folds(args.folds)
    landmarks = {fold: json.loads(path.read_text())["scans"] for fold, path in enumerate(args.landmarks)}
    leaks = audit(folds, landmarks, by=args.by)
    if leaks:
        sys.exit("\n".join(leaks))
    counts = folds.groupby("part").agg(subjects=("subject", "nunique"), scans=("scan", "nunique"))
    # A split by scans is audited as one: what it tears apart is on purpose, and stands here for everyone to see.
    torn = subjects_in_two_parts(folds)
    audited = {"leaks": leaks, "by": args.by, "subjects_in_two_parts": torn, "parts": counts.to_dict("index")}
    with written_whole(args.audit) as partial:
        partial.write_text(json.dumps(audited, indent=1) + "\n")
    print(f"No leak among {folds['subject'].nunique()} subjects and {len(landmarks)} sets of landmarks.")


if __name__ == "__main__":
    call_command(main)
