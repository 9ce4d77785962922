"""Scans of one fold on the device."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neurobar.data.cohorts import Cohort
from neurobar.transforms.grids import coarsen_volumes
from neurobar.transforms.landmarks import standardise

CHUNK = 16  # scans that are held in float32 at once


def read_landmarks(path: str | Path) -> Tensor:
    """Read the standard landmarks of a fold.

    Parameters
    ----------
    path : path
        The file of `fit_landmarks`.

    Returns
    -------
    float (P,)
    """
    return torch.tensor(json.loads(Path(path).read_text())["landmarks"])


def load_scans(cohort: Cohort, scans: pd.Series, landmarks: Tensor, *, coarsen: int, device: torch.device) -> Tensor:
    """Bring some scans onto the device and standardise their intensities there.

    Parameters
    ----------
    cohort : Cohort
    scans : pandas.Series of str
        Names, in the order of the result. No other scan is read.
    landmarks : float (P,)
        The standard landmarks of the fold.
    coarsen : int
        Voxels of the cohort along the edge of one that is returned.
    device : torch.device

    Returns
    -------
    float16 (n, 1, D, H, W)
        Standardised intensities [-]; half precision keeps a whole cohort on one GPU.
    """
    rows = cohort.rows_of(scans)
    landmarks = landmarks.to(device)
    chunks = []
    for chosen in np.array_split(rows, range(CHUNK, len(rows), CHUNK)):
        volumes = torch.from_numpy(cohort.volumes[chosen]).to(device).unsqueeze(1)
        percentiles = torch.from_numpy(cohort.percentiles[chosen]).to(device)
        chunks.append(coarsen_volumes(standardise(volumes, percentiles, landmarks), coarsen).half())
    return torch.cat(chunks)
