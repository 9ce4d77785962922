"""Explanations of scans averaged over a cohort, as they are and for many draws of its subjects."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from neurobar.metrics.inference import draw_counts

#: What `explain_regions` says of each region.
MEASURES = ("change", "integrated_gradient")


def read_explanations(paths: Iterable[str]) -> pd.DataFrame:
    """Read the explanations of one task and average them over its folds and seeds.

    Parameters
    ----------
    paths : iterable of str
        Tables of `explain_regions`.

    Returns
    -------
    pandas.DataFrame
        One row for each scan and region, in the order of the tables: subject, scan, label, region and the mean of each
        of `MEASURES`. Models are averaged before scans, so that a scan counts once however many explain it.
    """
    tables = [pd.read_csv(path, sep="\t", dtype={"scan": str, "subject": str}) for path in paths]
    groups = pd.concat(tables).groupby(["subject", "scan", "label", "region"], sort=False, as_index=False)
    return groups[list(MEASURES)].mean()


def resample_means(explanations: pd.DataFrame, measure: str, *, replicates: int, seed: int) -> pd.DataFrame:
    """Average one measure over scans, for the cohort itself and for draws of its subjects with replacement.

    Parameters
    ----------
    explanations : pandas.DataFrame
        From `read_explanations`, at least one scan.
    measure : str
        One of `MEASURES`.
    replicates : int
        Draws R; all scans of a subject come and go together.
    seed : int
        Of the draws; equal ones for equal subjects.

    Returns
    -------
    pandas.DataFrame
        Row 0 holds the mean of the cohort itself, rows 1 to R those of the draws; one column for each region, in the
        order of the table.
    """
    names = explanations["region"].unique()
    scans = explanations.pivot(index=["subject", "scan"], columns="region", values=measure)[names]
    subjects = scans.groupby(level="subject")
    sums, sizes = subjects.sum().to_numpy(), subjects.size().to_numpy()  # (S, K), (S,)
    draws = draw_counts(subjects=len(sizes), replicates=replicates, seed=seed)
    weights = np.vstack([np.ones_like(sizes), draws])  # (R + 1, S)
    return pd.DataFrame(weights @ sums / (weights @ sizes)[:, None], columns=names)
