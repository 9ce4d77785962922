"""Large batches in little memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def in_pieces(model: nn.Module, volumes: Tensor, size: int | None) -> Tensor:
    """Apply a model to a batch piece by piece, holding the activations of one piece at a time.

    A contrastive loss needs all scans of a batch at once, so it cannot be summed over pieces as gradient accumulation
    does; but only the outputs are needed at once. Each piece is computed again when its gradient is due.

    Parameters
    ----------
    model : torch.nn.Module
        Treats every scan of a batch alone.
    volumes : (N, 1, D, H, W)
    size : int or None
        Scans in a piece; None takes the batch as it is.

    Returns
    -------
    (N, ...)
        The same as from the whole batch, apart from rounding and from what dropout draws.

    Notes
    -----
    Source: Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016; for contrastive losses, Gao et al.,
    RepL4NLP 2021.
    """
    if size is None or len(volumes) <= size or not torch.is_grad_enabled():
        return model(volumes)
    return torch.cat([checkpoint(model, piece, use_reentrant=False) for piece in volumes.split(size)])
