"""Figures as a reader sees them."""

from __future__ import annotations

import pandas as pd


def mean_cell(
    mean: float | None, sd: float | None, *, interval: tuple[float, float] | None = None, undefined: int = 0
) -> str:
    """Write a mean, its standard deviation and its interval; an undefined figure says so.

    Parameters
    ----------
    mean, sd : float or None
        In %.
    interval : (low, high) or None
        In %; None where none was estimated.
    undefined : int
        Folds and seeds in which the score has no value.

    Returns
    -------
    str
    """
    if mean is None or pd.isna(mean):
        return "undefined" if undefined else "–"
    spread = "" if sd is None or pd.isna(sd) else f" ± {sd:.1f}"
    bracket = "" if interval is None or undefined else f" {interval_cell(interval)}"
    return f"{signed(f'{mean:.1f}')}{spread}{bracket}" + (f" (undefined in {undefined})" if undefined else "")


def interval_cell(interval: tuple[float, float]) -> str:
    """Write an interval.

    Parameters
    ----------
    interval : (low, high)
        In %.

    Returns
    -------
    str
    """
    return "[undefined]" if pd.isna(interval[0]) else signed(f"[{interval[0]:.1f}, {interval[1]:.1f}]")


def difference_cell(difference: float, *, interval: tuple[float, float], undefined: int = 0) -> str:
    """Write a difference with its sign and interval.

    Parameters
    ----------
    difference : float
        In percentage points.
    interval : (low, high)
        In percentage points.
    undefined : int
        Folds and seeds in which the difference has no value.

    Returns
    -------
    str
    """
    if pd.isna(difference):
        return "undefined"
    bracket = "" if undefined else f" {interval_cell(interval)}"
    return signed(f"{difference:+.1f}") + bracket + (f" (undefined in {undefined})" if undefined else "")


def signed(text: str) -> str:
    """Write minus signs in the place of hyphens, and none before a zero.

    Parameters
    ----------
    text : str
        Figures.

    Returns
    -------
    str
    """
    return text.replace("+0.0", "0.0").replace("-0.0", "0.0").replace("-", "−")
