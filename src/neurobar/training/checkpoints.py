"""Weights with the settings that rebuild their model; nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from neurobar.data.files import written_whole


def save_weights(path: str | Path, model: nn.Module, settings: dict[str, Any]) -> None:
    """Write the weights of a model and its settings to one safetensors file.

    Parameters
    ----------
    path : path
    model : torch.nn.Module
    settings : dict
        What rebuilds the model, and whatever describes its training; JSON values only.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with written_whole(path) as partial:
        # One metadata entry, because safetensors writes several in no fixed order.
        save_file(weights, partial, metadata={"settings": json.dumps(settings, sort_keys=True)})


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_weights` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    weights : dict of str to Tensor
        On the CPU.
    settings : dict

    Raises
    ------
    ValueError
        If the file is no safetensors file or carries no settings.
    """
    try:
        with safe_open(str(path), framework="pt") as opened:
            metadata = opened.metadata() or {}
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is no file of weights ({error}).") from None
    if "settings" not in metadata:
        raise ValueError(f"{path} carries no settings, so it was not written by this project.")
    return weights, json.loads(metadata["settings"])
