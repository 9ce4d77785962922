"""What the jobs of a study cost, by rule, from the file that Snakemake wrote of each."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any


def measure_rules(folder: Path) -> dict[str, dict[str, Any]]:
    """Add up what the jobs of each rule cost when they ran.

    A file stays until its job runs again, so jobs of an earlier day count with what they took then.

    Parameters
    ----------
    folder : pathlib.Path
        `results/benchmarks`: {rule}.tsv or {rule}/ with any tree of files.

    Returns
    -------
    dict of str to dict
        For each rule jobs, seconds_median and seconds_sum (wall time), largest_rss_mb (memory; None where a job was too
        short to be measured), first_started and last_ended (UTC, to the second).
    """
    jobs: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        if job := read_job(path):
            jobs.setdefault(rule, []).append(job)
    return {rule: _add_up(measured) for rule, measured in jobs.items()}


def read_job(path: Path) -> dict[str, Any] | None:
    """Read what one job cost.

    Parameters
    ----------
    path : pathlib.Path
        A benchmark of Snakemake, TSV; of several lines the last counts.

    Returns
    -------
    dict or None
        seconds, rss_mb (None where it is missing), started and ended [s since 1970]; None where the file was not
        written to its end.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    seconds = _number(rows[-1].get("s")) if rows else None
    if seconds is None:
        return None
    ended = path.stat().st_mtime
    return {"seconds": seconds, "rss_mb": _number(rows[-1].get("max_rss")), "started": ended - seconds, "ended": ended}


def _number(cell: str | None) -> float | None:
    """Read a cell; Snakemake writes - or NA for what it could not measure."""
    try:
        value = float(cell or "")
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None  # NaN is neither


def _add_up(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [job["seconds"] for job in jobs]
    return {
        "jobs": len(jobs),
        "seconds_median": round(median(seconds), 2),
        "seconds_sum": round(sum(seconds), 2),
        "largest_rss_mb": max((job["rss_mb"] for job in jobs if job["rss_mb"] is not None), default=None),
        "first_started": _write_time(min(job["started"] for job in jobs)),
        "last_ended": _write_time(max(job["ended"] for job in jobs)),
    }


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
