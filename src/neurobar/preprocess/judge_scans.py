"""Decide which scans take part, and list all of them with the unusual ones first.

READS the names of the scans from their sheet, and for each `check.json` below the folder of the stage.
WRITES the table of checks for people, and the table of who takes part for later stages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.scan_names import read_names

#: How far a scan is that lies beyond a limit where most of the cohort does.
FAR = 99.0


def find_reasons(measured: Mapping[str, Any], limits: Mapping[str, list[float | None]]) -> list[str]:
    """List in sentences what lies outside the limits.

    Parameters
    ----------
    measured : mapping
        The check of a scan; None where there is nothing to measure.
    limits : mapping
        For each measure, [smallest, largest]; None where there is none.

    Returns
    -------
    list of str
        Empty for a scan that passes.
    """
    reasons = []
    if not measured["credible"]:
        said = "It is said to be registered, but does not lie on the template."
        tried = f"No credible registration was found in {measured['starts']} attempts."
        reasons.append(said if "registered" in measured["prepared"] else tried)
    for name, (smallest, largest) in limits.items():
        value = measured[name]
        if value is None:
            continue
        # Turned round, so that a value that is not a number passes no limit.
        if smallest is not None and not value >= smallest:
            reasons.append(f"{name} is {value}, below {smallest}.")
        if largest is not None and not value <= largest:
            reasons.append(f"{name} is {value}, above {largest}.")
    return reasons


def judge(
    checks: Iterable[Mapping[str, Any]],
    limits: Mapping[str, list[float | None]],
    *,
    keep: list[str],
    exclude: list[str],
) -> pd.DataFrame:
    """Decide which scans take part, by their checks and by what a person said.

    Parameters
    ----------
    checks : iterable of mapping
        The check of each scan that is not excluded.
    limits : mapping
        See `find_reasons`.
    keep, exclude : list of str
        Scans that take part whatever their check says, and scans that do not; of these there need be no check.

    Returns
    -------
    pandas.DataFrame
        Sorted by scan: scan, used (bool), reason (why a scan is left out, or why it is kept although a check
        failed), and its measures.

    Raises
    ------
    ValueError
        If a scan is both kept and excluded, or none is left.
    """
    if both := sorted({*keep} & {*exclude}):
        raise ValueError(f"Config: preprocess.keep and preprocess.exclude both name {both[0]!r}.")
    rows = [{"scan": scan, "used": False, "reason": "Excluded in the config."} for scan in exclude]
    for check in checks:
        reason = " ".join(find_reasons(check, limits))
        kept = check["scan"] in keep
        text = f"Kept in the config: {reason}" if kept and reason else reason
        rows.append({"scan": check["scan"], "used": kept or not reason, "reason": text, **check})
    table = pd.DataFrame(rows).sort_values("scan", kind="stable", ignore_index=True)
    if not table["used"].any():
        first = table.iloc[0]
        raise ValueError(f"No scan passed its checks. The first of {len(table)}, {first['scan']}: {first['reason']}")
    return table


def approach(values: pd.Series, limit: float, side: int) -> pd.Series:
    """Measure how far scans went from the median of the cohort towards a limit.

    Parameters
    ----------
    values : pandas.Series of float
        A measure of each scan.
    limit : float
    side : {-1, 1}
        1 where the limit is the largest value, -1 where it is the smallest.

    Returns
    -------
    pandas.Series of float
        0 at the median and on its other side, 1 at the limit; at most 99, as for scans beyond a limit that the median
        itself has reached.
    """
    way = side * (limit - values.median())
    if not way > 0:
        return (side * (values - limit) > 0) * FAR
    return (side * (values - values.median()) / way).clip(0, FAR)


def rank_outliers(table: pd.DataFrame, limits: Mapping[str, list[float | None]]) -> pd.DataFrame:
    """Sort scans so that a person looks at the right ones first.

    Parameters
    ----------
    table : pandas.DataFrame
        From `judge`.
    limits : mapping
        See `find_reasons`.

    Returns
    -------
    pandas.DataFrame
        Scans with a reason first, then by `approach`, the part of the way from the median of the cohort to the
        nearest limit; `towards` names the measure.
    """
    distances = pd.DataFrame(0.0, index=table.index, columns=list(limits))
    for name, pair in limits.items():
        for limit, side in zip(pair, (-1, 1), strict=True):
            if limit is not None:
                way = approach(table[name].astype(float), limit, side).fillna(0)
                distances[name] = np.maximum(distances[name], way)
    ranked = table.assign(approach=distances.max(axis=1).round(2), towards=distances.idxmax(axis=1))
    order = ranked.assign(fine=ranked["reason"] == "").sort_values(
        ["fine", "approach", "scan"], ascending=[True, False, True], kind="stable"
    )
    first = ["scan", "used", "reason", "approach", "towards"]
    return order[first + [column for column in table.columns if column not in first]]


def main(argv: list[str] | None = None) -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of the stage, with a folder for each scan")
    parser.add_argument("--sheet", required=True, help="sheet of the scans")
    parser.add_argument("--ignored", type=json.loads, default={}, help="values of a column to leave out, JSON")
    parser.add_argument("--scans", required=True, help="digest of the scans' names, as they were planned")
    parser.add_argument("--limits", type=json.loads, required=True, help="smallest and largest of each measure, JSON")
    parser.add_argument("--keep", type=json.loads, default=[], help="scans to keep whatever their check says, JSON")
    parser.add_argument("--exclude", type=json.loads, default=[], help="scans to leave out, JSON")
    parser.add_argument("--checks", required=True, help="all scans, outliers first, TSV (output)")
    parser.add_argument("--table", required=True, help="who takes part, TSV (output)")
    args = parser.parse_args(argv)
    try:
        names = read_names(args.sheet, ignored=args.ignored, digest=args.scans)
        read = (args.folder / scan / "check.json" for scan in names if scan not in args.exclude)
        checks = [json.loads(path.read_text(encoding="utf-8")) for path in read]
        table = judge(checks, args.limits, keep=args.keep, exclude=args.exclude)
    except ValueError as error:
        sys.exit(str(error))
    ranked = rank_outliers(table, args.limits)
    with written_whole(args.checks) as partial:
        ranked.to_csv(partial, sep="\t", index=False, na_rep="n/a")
    with written_whole(args.table) as partial:
        table[["scan", "used", "reason"]].to_csv(partial, sep="\t", index=False)
    print(f"{table['used'].sum()} of {len(table)} scans take part.")
    print(ranked.loc[~ranked["used"], ["scan", "reason"]].to_string(index=False))


if __name__ == "__main__":
    call_command(main)
