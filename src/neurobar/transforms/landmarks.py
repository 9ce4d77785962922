"""Histogram standardisation by intensity landmarks (Nyul and Udupa)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def fit_landmarks(percentiles: np.ndarray) -> np.ndarray:
    """Average the landmarks of some scans on a common scale.

    Parameters
    ----------
    percentiles : float (n, P)
        Intensities of each scan at P rising percentiles inside the brain.

    Returns
    -------
    float64 (P,)
        Landmarks of the standard scale [-]; the first is 0 and the last 1.

    Raises
    ------
    ValueError
        If there is no scan, or one whose first and last landmark are equal.

    Notes
    -----
    Source: Nyul, Udupa and Zhang, IEEE Transactions on Medical Imaging 19 (2000), 143-150.
    """
    percentiles = np.asarray(percentiles, np.float64)
    if percentiles.ndim != 2 or not len(percentiles):
        raise ValueError("Landmarks need the percentiles of at least one scan.")
    span = percentiles[:, -1:] - percentiles[:, :1]
    if not (span > 0).all():
        raise ValueError("A scan has the same intensity at its first and its last landmark.")
    return ((percentiles - percentiles[:, :1]) / span).mean(0)


def standardise(volumes: Tensor, percentiles: Tensor, landmarks: Tensor) -> Tensor:
    """Map each scan's own landmarks onto the standard ones, linearly in between.

    Outside its first and last landmark a scan goes on with the slope of the nearest piece, so the map is monotone
    everywhere. Background, which is exactly 0, stays 0.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
        Intensities [-]; 0 outside the brain.
    percentiles : float (N, P)
        The scans' own landmarks.
    landmarks : float (P,)
        The standard landmarks.

    Returns
    -------
    float (N, 1, D, H, W)
        A new tensor; the input stands unchanged.
    """
    own = percentiles.float().cummax(1).values
    step = own.diff(dim=1).clamp_min(torch.finfo(torch.float32).eps)  # (N, P - 1)
    slope = landmarks.float().diff() / step
    offset = landmarks.float()[:-1] - slope * own[:, :-1]
    values = volumes.flatten(1)  # (N, V)
    if values.dtype != torch.float16:
        return _map_pieces(values.float(), own, slope, offset).view_as(volumes)
    # Half precision knows fewer values than a scan has voxels, so each is mapped once and then looked up.
    known = torch.arange(-(2**15), 2**15, dtype=torch.int16, device=values.device).view(torch.float16)
    table = _map_pieces(known.float().repeat(len(values), 1), own, slope, offset)  # (N, 2 ** 16)
    return table.gather(1, values.view(torch.int16).long() + 2**15).view_as(volumes)


def _map_pieces(values: Tensor, own: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Map values (N, V) by the line of the piece (N, P - 1) that each lies in."""
    piece = torch.searchsorted(own[:, 1:-1].contiguous(), values)  # (N, V), 0 to P - 2
    mapped = slope.gather(1, piece) * values + offset.gather(1, piece)
    return torch.where(values == 0, 0.0, mapped)
