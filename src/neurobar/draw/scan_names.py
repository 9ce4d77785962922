"""What pages and figures call a scan: by its name, or by its place in a table that is not part of the report."""

from __future__ import annotations

import re

import pandas as pd

NAMED_BY_ROW = (
    "Scans are called by their row in results/preprocess/checks.tsv below its heads, which is not part of the report."
)
#: What `judge_scans` may say of a scan. Anything else, as what a job said that failed, may hold a name or a path.
JUDGED = re.compile(
    r"Excluded in the config\.|Kept in the config:|It is said to be registered, but does not lie on the template\.|"
    r"No credible registration was found in \d+ attempts\.|[a-z_]+ is [-+.\deainf]+, (?:below|above) [-+.\de]*\d\."
)
FAILED = "It could not be preprocessed."


def name_scans(checks: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Decide what each scan is called.

    Rows are numbered from the most unusual scan to the most usual one, so a number says nothing of a name.

    Parameters
    ----------
    checks : pandas.DataFrame
        All scans in the order of `judge_scans`; column scan.
    by : {"scan", "row"}

    Returns
    -------
    pandas.DataFrame
        With the column named.
    """
    rows = [f"row {number}" for number in range(1, len(checks) + 1)]
    return checks.assign(named=checks["scan"] if by == "scan" else rows)


def cover_names(checks: pd.DataFrame) -> pd.DataFrame:
    """Leave out what could tell who a scan is of.

    Parameters
    ----------
    checks : pandas.DataFrame
        From `name_scans`; column reason is empty where there is none.

    Returns
    -------
    pandas.DataFrame
        What each scan is called stands in the column scan, and of its reason only what `judge_scans` says.
    """
    return checks.assign(scan=checks["named"], reason=checks["reason"].map(_cover_reason))


def _cover_reason(reason: str) -> str:
    return " ".join(JUDGED.findall(reason)) or (FAILED if reason else "")
