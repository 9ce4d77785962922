"""Audit what was trained: no anchor, donor or selecting scan came from outside its part of the fold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.leaks import scans_outside
from neurobar.data.predictions import place_of

PART_OF_ROLE = {"anchor": "train", "donor": "train", "train": "train", "select": "select", "test": "test"}


def audit(
    seen: dict[str, pd.DataFrame], folds: pd.DataFrame, *, by: str = "subject", external: pd.DataFrame | None = None
) -> list[str]:
    """Look for leaks in the training jobs.

    Parameters
    ----------
    seen : dict of str to pandas.DataFrame
        For each job, by the path of its file, the scans it used in each role (columns role and scan). The path tells
        the fold.
    folds : pandas.DataFrame
        The split.
    by : {"subject", "scan"}
        What the split keeps together.
    external : pandas.DataFrame or None
        Scans of the external cohort that the task is applied to. Only these may be tested then, and no subject of them
        may have another role, whatever its scans are called.

    Returns
    -------
    list of str
        One sentence for each leak; empty where there is none.
    """
    leaks = []
    for path, rows in seen.items():
        _, fold, _ = place_of(path)
        if rows.empty:
            leaks.append(f"{path} says nothing of what was seen.")
        for role, scans in rows.groupby("role")["scan"]:
            allowed = folds if external is None or role != "test" else external
            outside = scans_outside(scans, allowed, fold, PART_OF_ROLE[role], by=by)
            leaks += [f"{path}: scan {scan} was {role} outside its part of fold {fold}." for scan in outside]
            if external is not None and role != "test":
                leaks += [
                    f"{path}: scan {scan} was {role}, of subject {subject} in the external cohort."
                    for scan, subject in scans_of_tested(scans, folds, external).items()
                ]
    return leaks


def scans_of_tested(scans: pd.Series, folds: pd.DataFrame, external: pd.DataFrame) -> dict[str, str]:
    """Find among scans that were learned from those of subjects in an external cohort.

    Parameters
    ----------
    scans : pandas.Series of str
    folds, external : pandas.DataFrame
        Columns scan and subject: of the study, and of the external cohort.

    Returns
    -------
    dict of str to str
        For each such scan its subject.
    """
    known = pd.concat([folds, external])[["scan", "subject"]]
    found = known[known["scan"].isin(scans) & known["subject"].isin(external["subject"])]
    return dict(sorted(found.itertuples(index=False)))


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--external", nargs="?", help="scans of the external cohort that the task is applied to, TSV")
    parser.add_argument("--seen", nargs="+", required=True, help="scans by role of each training job, TSV")
    parser.add_argument("--by", choices=["subject", "scan"], default="subject", help="what the split keeps together")
    parser.add_argument("--audit", required=True, help="what was audited, JSON (output)")
    args = parser.parse_args(argv)
    seen = {path: pd.read_csv(path, sep="\t", dtype=str) for path in args.seen}
    external = read_folds(args.external) if args.external else None
    leaks = audit(seen, read_folds(args.folds), by=args.by, external=external)
    if leaks:
        sys.exit("\n".join(leaks))
    uses = sum(len(rows) for rows in seen.values())
    with written_whole(Path(args.audit)) as partial:
        partial.write_text(json.dumps({"leaks": leaks, "jobs": len(seen), "uses": uses}, indent=1) + "\n")
    print(f"No leak among {uses} uses of a scan in {len(seen)} training jobs.")


if __name__ == "__main__":
    call_command(main)
