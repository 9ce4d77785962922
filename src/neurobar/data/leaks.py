"""Find subjects and scans where they must not be."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from neurobar.data.cohorts import part_of_fold


def subjects_in_two_parts(folds: pd.DataFrame) -> list[str]:
    """List the subjects whose scans are in more than one part of the split.

    Parameters
    ----------
    folds : pandas.DataFrame
        Columns subject and part.

    Returns
    -------
    list of str
    """
    parts = folds.groupby("subject")["part"].nunique()
    return sorted(parts.index[parts > 1])


def scans_outside(seen: Iterable[str], folds: pd.DataFrame, fold: int, part: str, *, by: str = "subject") -> list[str]:
    """List the scans that were seen although they, or another scan of their subject, play another part.

    Parameters
    ----------
    seen : iterable of str
        Scans that were read.
    folds : pandas.DataFrame
        Columns scan, subject and part.
    fold : int
        The fold that selects.
    part : {"train", "select", "test"}
        The part that was allowed.
    by : {"subject", "scan"}
        What the split keeps together; with `scan` another scan of the same subject may play another part.

    Returns
    -------
    list of str
    """
    allowed = part_of_fold(folds, fold, part)
    elsewhere = folds.loc[~folds["scan"].isin(allowed["scan"]), by]
    clean = set(allowed.loc[~allowed[by].isin(elsewhere), "scan"])
    return sorted(set(seen) - clean)
