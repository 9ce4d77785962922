"""Which scans are anchors and donors in each step, and how much is replaced."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """One step of pre-training.

    Attributes
    ----------
    anchor, donor : int64 (N,)
        Rows of the training scans.
    ratio : float32 (N,)
        Part of the brain that shall be replaced [0..1].
    """

    anchor: np.ndarray
    donor: np.ndarray
    ratio: np.ndarray


def plan_batches(
    subjects: np.ndarray, *, batch: int, beta: tuple[float, float], donor: str, seeds: tuple[int, ...]
) -> list[Batch]:
    """Plan one epoch: every training scan is an anchor once.

    Parameters
    ----------
    subjects : (n,)
        Subject of each training scan.
    batch : int
        Anchors in one step. A last batch with a single anchor is left out, since nothing could be contrasted in it.
    beta : tuple of float
        Shape of the Beta distribution of the ratio.
    donor : {"other_subject", "any_scan"}
        Who may give regions; the anchor itself never does.
    seeds : tuple of int
        What the plan follows from; the epoch is one of them.

    Returns
    -------
    list of Batch

    Raises
    ------
    ValueError
        If a scan has no possible donor.
    """
    subjects = np.unique(np.asarray(subjects), return_inverse=True)[1]
    groups = subjects if donor == "other_subject" else np.arange(len(subjects))
    if len(np.unique(groups)) < 2:
        raise ValueError("Mixing needs training scans of at least two subjects.")
    random = np.random.default_rng(seeds)
    anchors = random.permutation(len(subjects))
    donors = _draw_donors(groups, anchors, random)
    ratios = random.beta(*beta, size=len(anchors)).astype(np.float32)
    starts = range(0, len(anchors) - 1, batch)
    return [Batch(anchors[i : i + batch], donors[i : i + batch], ratios[i : i + batch]) for i in starts]


def _draw_donors(groups: np.ndarray, anchors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    donors = random.integers(len(groups), size=len(anchors))
    while (refused := groups[donors] == groups[anchors]).any():
        donors[refused] = random.integers(len(groups), size=int(refused.sum()))
    return donors
