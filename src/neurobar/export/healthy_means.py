"""The mean healthy scan of a fold: what regions of a new scan are replaced by, without any person's scan leaving."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neurobar.data.cohorts import Cohort, part_of_fold
from neurobar.export.cohort_counts import FEWEST
from neurobar.training.scans import CHUNK, Scans


def check_folds(folds: pd.DataFrame) -> None:
    """Refuse folds so small that the means of several, taken from one another, would show few people.

    Each fold's mean is of all other folds, so that the sum over the subjects of a fold follows from the means of all.

    Parameters
    ----------
    folds : pandas.DataFrame
        From `read_folds`.

    Raises
    ------
    ValueError
        If a fold holds scans of class 0 of fewer than `FEWEST` subjects; none at all do no harm.
    """
    healthy = folds[(folds["part"] != "test") & (folds["label"] == 0)]
    for fold, subjects in healthy.groupby("part")["subject"].nunique().items():
        if subjects < FEWEST:
            raise ValueError(
                f"Fold {fold} holds class 0 of {subjects} subjects: the mean of fewer than {FEWEST} would follow from "
                "the means of all folds, and show too much of each to be handed on."
            )


def average_healthy(
    cohort: Cohort, folds: pd.DataFrame, fold: int, landmarks: Tensor, coarsen: int
) -> tuple[Tensor, dict[str, int]]:
    """Average the standardised training scans of class 0 of one fold, first within each subject.

    Subjects have equal weights, however many scans there are of each: the mean would otherwise be little but the one of
    whom there are most.

    Parameters
    ----------
    cohort : Cohort
    folds : pandas.DataFrame
        From `read_folds`.
    fold : int
        The fold that selects, and so does not train.
    landmarks : float (P,)
        Of the fold.
    coarsen : int
        Voxels of the cohort along the edge of one that the network sees.

    Returns
    -------
    mean : float16 (1, 1, D, H, W)
        Standardised intensities [-] on the grid that the network sees.
    counts : dict of str to int
        `subjects` that it is the mean of, and their `scans`.

    Raises
    ------
    ValueError
        If it would be the mean of fewer than `FEWEST` subjects.
    """
    training = part_of_fold(folds, fold, "train")
    healthy = training[training["label"] == 0]
    counts = {"scans": len(healthy), "subjects": healthy["subject"].nunique()}
    if counts["subjects"] < FEWEST:
        raise ValueError(
            f"Fold {fold} trains on {counts['scans']} scans of {counts['subjects']} subjects of class 0: the mean of "
            f"fewer than {FEWEST} subjects would show too much of each to be handed on."
        )
    rows, place = cohort.rows_of(healthy["scan"]), torch.device("cpu")
    scans = Scans(cohort, rows, landmarks, coarsen=coarsen, place=place, how="streamed")
    chunks = np.array_split(np.arange(len(scans)), range(CHUNK, len(scans), CHUNK))
    shares = torch.from_numpy(1 / healthy.groupby("subject")["scan"].transform("size").to_numpy(float))
    total = sum(torch.einsum("n,ncdhw->cdhw", shares[chunk], scans.take(chunk).double()) for chunk in chunks)
    return (total / counts["subjects"]).unsqueeze(0).half(), counts
