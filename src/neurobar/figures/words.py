"""Scores and p values in the words of readers, the same in tables and figures."""

from __future__ import annotations

import pandas as pd

#: Names of scores that are more than their word with a capital.
NAMES = {"roc_auc": "ROC AUC", "f1": "F1", "mcc": "MCC", "brier": "Brier score", "ece": "Calibration error"}


def name_of(score: str) -> str:
    """Name a score for readers.

    Parameters
    ----------
    score : str
        Its name in tables of scores.

    Returns
    -------
    str
    """
    return NAMES.get(score, score.replace("_", " ").capitalize())


def unbroken(cell: str) -> str:
    """Let a narrow column break a cell before its interval, and nowhere inside an interval or a spread.

    Parameters
    ----------
    cell : str
        A mean, its spread and its interval.

    Returns
    -------
    str
        With no-break spaces.
    """
    return cell.replace(", ", ",\N{NO-BREAK SPACE}").replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")


def p_cell(p: float) -> str:
    """Write a p value.

    Parameters
    ----------
    p : float

    Returns
    -------
    str
    """
    if pd.isna(p):
        return "undefined"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
