"""How far a training job came, so that one that was killed goes on from its last epoch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from neurobar.data.files import remove_left_overs, written_whole
from neurobar.training.checkpoints import read_weights


class Keepsake(Protocol):
    """Whatever a job remembers beside model and optimiser."""

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and JSON values."""

    def restore(self, weights: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Take back what `state` returned."""


def fingerprint(words: Iterable[str], files: Iterable[str | Path]) -> str:
    """Hash what a job follows from, so that progress made under anything else is not taken for its own.

    Parameters
    ----------
    words : iterable of str
        Settings and code.
    files : iterable of path
        Inputs.

    Returns
    -------
    str
    """
    digest = hashlib.sha256("\0".join(words).encode())
    for path in files:
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()


class Progress:
    """The file that a job goes on from: weights, optimiser, history, and what it has to remember.

    Epochs seed their random numbers anew, so no state of a generator is part of it.

    Parameters
    ----------
    path : path
        Safetensors file, which is removed when the job is done.
    made_from : str
        Of `fingerprint`.
    keepsakes : dict of str to Keepsake
    is_writer : bool
        False on all but the first of several devices, which read alone.
    """

    def __init__(
        self, path: str | Path, made_from: str, keepsakes: dict[str, Keepsake], *, is_writer: bool = True
    ) -> None:
        self.path, self.made_from, self.keepsakes, self.is_writer = Path(path), made_from, keepsakes, is_writer

    def save(self, model: nn.Module, optimiser: torch.optim.Optimizer, history: list[dict[str, float]]) -> None:
        """Write how far the job came, in one step, so that a kill leaves the last epoch whole."""
        if not self.is_writer:
            return
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        tensors |= {f"optimiser.{name}": tensor for name, tensor in _moments(optimiser).items()}
        values = {"made_from": self.made_from, "history": history}
        for name, keepsake in self.keepsakes.items():
            weights, values[name] = keepsake.state()
            tensors |= {f"{name}.{key}": tensor for key, tensor in weights.items()}
        with written_whole(self.path) as partial:
            kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
            save_file(kept, partial, metadata={"settings": json.dumps(values)})

    def restore(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Take up where the job was killed.

        Parameters
        ----------
        model : torch.nn.Module
        optimiser : torch.optim.Optimizer

        Returns
        -------
        list of dict
            History of the epochs that are done; empty where the job begins anew.
        """
        try:
            tensors, values = read_weights(self.path)
        except (FileNotFoundError, ValueError):
            return []
        if values["made_from"] != self.made_from:
            print("The progress left here was made under other settings, inputs or code; beginning anew.", flush=True)
            return []
        model.load_state_dict(_under("model", tensors))
        _set_moments(optimiser, _under("optimiser", tensors))
        for name, keepsake in self.keepsakes.items():
            keepsake.restore(_under(name, tensors), values[name])
        print(f"Going on after epoch {len(values['history'])}.", flush=True)
        return values["history"]

    def remove(self) -> None:
        """Remove the file, and what a kill in the middle of writing left of it."""
        if self.is_writer:
            self.path.unlink(missing_ok=True)
            remove_left_overs(self.path)


def _under(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}


def _learning(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _moments(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name the moments of Adam by the place of their parameter; safetensors knows no nested values."""
    return {
        f"{place}.{name}": moment
        for place, parameter in enumerate(_learning(optimiser))
        for name, moment in optimiser.state[parameter].items()
    }


def _set_moments(optimiser: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    for place, parameter in enumerate(_learning(optimiser)):
        own = _under(str(place), moments)
        # Adam counts its steps on the CPU, whatever the device of the parameter.
        optimiser.state[parameter] = {
            name: moment if name == "step" else moment.to(parameter.device) for name, moment in own.items()
        }
