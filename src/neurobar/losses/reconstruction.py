"""Reconstruction loss of the decoder."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import l1_loss


def absolute_errors(*, restored: Tensor, anchor: Tensor) -> Tensor:
    """Mean absolute difference between each restored anchor and the true one.

    Parameters
    ----------
    restored, anchor : float (N, 1, D, H, W)
        Standardised intensities [-].

    Returns
    -------
    float (N,)

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, the L1 term beside the contrastive one.
    """
    if restored.shape != anchor.shape:
        raise ValueError(f"Shapes differ: {tuple(restored.shape)} and {tuple(anchor.shape)}.")
    return l1_loss(restored.float(), anchor.float(), reduction="none").flatten(1).mean(1)
