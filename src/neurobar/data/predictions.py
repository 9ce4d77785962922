"""Tables of predictions: which task, fold and seed made them, and what they say of each subject."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

PLACE = re.compile(r"([^/]+)/fold-(\d+)/seed-(\d+)/[^/]+$")
LEVELS = ("scan", "subject")


def place_of(path: str) -> tuple[str, int, int]:
    """Read from the path of a table which job made it.

    Parameters
    ----------
    path : str
        Ends in `{task}/fold-{fold}/seed-{seed}/` and a name.

    Returns
    -------
    task : str
    fold, seed : int

    Raises
    ------
    ValueError
        If the path tells no task, fold and seed.
    """
    place = PLACE.search(path)
    if place is None:
        raise ValueError(f"{path}: predictions lie in {{task}}/fold-{{fold}}/seed-{{seed}}/.")
    return place[1], int(place[2]), int(place[3])


def read_predictions(paths: Iterable[str]) -> pd.DataFrame:
    """Read the predictions of some tasks.

    Parameters
    ----------
    paths : iterable of str
        Tables with the columns scan, subject, part, label, probability; their places as in `place_of`.

    Returns
    -------
    pandas.DataFrame
        Columns task, seed, fold, part, subject, scan, label and probability (of the positive class), sorted by
        these in this order.
    """
    tables = []
    for path in paths:
        task, fold, seed = place_of(path)
        table = pd.read_csv(path, sep="\t", dtype={"scan": str, "subject": str})
        tables.append(table.assign(task=task, fold=fold, seed=seed))
    order = ["task", "seed", "fold", "part", "subject", "scan"]
    return pd.concat(tables).sort_values(order, ignore_index=True)[[*order, "label", "probability"]]


def average_subjects(predictions: pd.DataFrame) -> pd.DataFrame:
    """Turn predictions of scans into predictions of subjects.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `read_predictions`.

    Returns
    -------
    pandas.DataFrame
        One row for each task, seed, fold, part and subject: the mean probability of its scans, their number `scans`,
        and the label of most of them, of the positive class where they are even, as the split counts subjects.
    """
    groups = predictions.groupby(["task", "seed", "fold", "part", "subject"], as_index=False)
    subjects = groups.agg(label=("label", "mean"), probability=("probability", "mean"), scans=("scan", "count"))
    # Rounded, so that means that are equal on paper are ties and reach a threshold alike.
    return subjects.assign(label=(subjects["label"] >= 0.5).astype(int), probability=subjects["probability"].round(9))


def predictions_by_level(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Lay the predictions of scans and of subjects side by side.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `read_predictions`.

    Returns
    -------
    dict of str to pandas.DataFrame
        For each of `LEVELS`, one row for each case; `scans` is the number of scans it stands for.
    """
    return dict(zip(LEVELS, (predictions.assign(scans=1), average_subjects(predictions)), strict=True))
