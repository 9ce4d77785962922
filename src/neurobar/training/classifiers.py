"""Classifiers: built from settings, read from checkpoints, asked for probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurobar.models.classifier import Classifier
from neurobar.models.encoder import VisionTransformer
from neurobar.training.checkpoints import read_weights
from neurobar.training.devices import Device
from neurobar.training.scans import Scans


def head_of(task: dict[str, Any]) -> dict[str, Any]:
    """Choose from the settings of a task those that build its classifier; earlier checkpoints lack batch_norm."""
    return {"hidden": task["hidden"], "frozen": task["frozen"], "batch_norm": task.get("batch_norm", False)}


def build_classifier(
    *, shape: tuple[int, int, int], encoder: dict[str, Any], hidden: list[int], frozen: bool, batch_norm: bool
) -> Classifier:
    """Build a classifier with fresh weights.

    Parameters
    ----------
    shape : tuple of int
        Size D, H, W of the grid [voxels].
    encoder : dict
        The config's `encoder`.
    hidden : list of int
        Units of the MLP.
    frozen : bool
        True where the MLP alone learns.
    batch_norm : bool
        True where class tokens are normalised before the MLP.

    Returns
    -------
    Classifier
    """
    network = VisionTransformer(shape=tuple(shape), **encoder)
    return Classifier(encoder=network, width=encoder["width"], hidden=hidden, frozen=frozen, batch_norm=batch_norm)


def load_encoder(model: Classifier, path: str | Path, encoder: dict[str, Any]) -> None:
    """Put pre-trained weights into the encoder of a classifier.

    Parameters
    ----------
    model : Classifier
    path : path
        The file of `pretrain_encoder`.
    encoder : dict
        The config's `encoder`, with which the checkpoint has to agree.

    Raises
    ------
    ValueError
        If the checkpoint has another architecture.
    """
    weights, settings = read_weights(path)
    # Earlier checkpoints know no patch_norm.
    if {"patch_norm": False, **settings["encoder"]} != {"patch_norm": False, **encoder}:
        raise ValueError(f"{path} holds another encoder ({settings['encoder']}) than the config's ({encoder}).")
    model.encoder.load_state_dict(weights)


def load_classifier(path: str | Path) -> Classifier:
    """Rebuild a fine-tuned classifier.

    Parameters
    ----------
    path : path
        The file of `finetune_classifier`.

    Returns
    -------
    Classifier
        On the CPU, ready to predict.

    Raises
    ------
    ValueError
        If it is no file of such a job, or its settings are not those of its weights.
    """
    weights, settings = read_weights(path)
    try:
        told = {"shape": settings["shape"], "encoder": settings["encoder"], **head_of(settings["finetune"])}
        # Settings may claim a network of any size: it is built without memory first.
        with torch.device("meta"):
            claimed = {name: tensor.shape for name, tensor in build_classifier(**told).state_dict().items()}
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is no classifier of this project ({' '.join(str(error).split())[:200]}).") from None
    if claimed != {name: tensor.shape for name, tensor in weights.items()}:
        raise ValueError(f"{path}: its settings are not those of its weights.")
    model = build_classifier(**told)
    model.load_state_dict(weights)
    return model.eval()


@torch.inference_mode()
def predict_logits(model: nn.Module, scans: Scans, *, batch: int, device: Device) -> Tensor:
    """Predict the logit of the positive class for each scan.

    Parameters
    ----------
    model : torch.nn.Module
        Maps ``(N, 1, D, H, W)`` to ``(N,)``, in evaluation mode.
    scans : Scans
        n of them.
    batch : int
        Scans at once.
    device : Device

    Returns
    -------
    float32 (n,)
    """
    chunks = np.array_split(np.arange(len(scans)), range(batch, len(scans), batch))
    with device.autocast():
        return torch.cat([model(scans.take(chunk).float()) for chunk in chunks]).float()


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
