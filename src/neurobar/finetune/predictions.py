"""Predict probabilities for scans on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from neurobar.training.devices import Device


@torch.inference_mode()
def predict_logits(model: nn.Module, volumes: Tensor, *, batch: int, device: Device) -> Tensor:
    """Predict the logit of the positive class for each scan.

    Parameters
    ----------
    model : torch.nn.Module
        Maps ``(N, 1, D, H, W)`` to ``(N,)``, in evaluation mode.
    volumes : float16 (n, 1, D, H, W)
        Standardised intensities [-].
    batch : int
        Scans at once.
    device : Device

    Returns
    -------
    float32 (n,)
    """
    with device.autocast():
        return torch.cat([model(chunk.float()) for chunk in volumes.split(batch)]).float()


def probabilities(logits: Tensor) -> np.ndarray:
    """Turn logits into probabilities.

    Parameters
    ----------
    logits : float32 (n,)

    Returns
    -------
    float64 (n,)
    """
    return torch.sigmoid(logits.double()).cpu().numpy()
