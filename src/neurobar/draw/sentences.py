"""Words that captions share: who was studied, how many they are, over what a figure was averaged."""

from __future__ import annotations

from typing import Any

import pandas as pd


def name_study(cohort: dict[str, Any]) -> str:
    """Name the cohort, and say where its subjects are simulated.

    Parameters
    ----------
    cohort : dict
        The config's cohort, with `study` and `simulated`.

    Returns
    -------
    str
    """
    return cohort["study"] + (" (these subjects are simulated)" if cohort["simulated"] else "")


def count_scans(rows: pd.DataFrame) -> str:
    """Count scans and subjects.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns scan and subject.

    Returns
    -------
    str
    """
    return f"{_several(rows['scan'].nunique(), 'scan')} of {_several(rows['subject'].nunique(), 'subject')}"


def count_jobs(jobs: pd.DataFrame) -> str:
    """Count folds, and seeds where there are several.

    Parameters
    ----------
    jobs : pandas.DataFrame
        Columns fold and seed.

    Returns
    -------
    str
    """
    folds, seeds = jobs["fold"].nunique(), jobs["seed"].nunique()
    return _several(folds, "fold") + (f" and {seeds} seeds" if seeds > 1 else "")


def _several(number: int, word: str) -> str:
    return f"{number} {word}" + ("s" if number != 1 else "")
