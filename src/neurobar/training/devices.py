"""Where and in which precision a training job computes, and its random numbers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Device:
    """A device and the precision of matrix products on it.

    Attributes
    ----------
    place : torch.device
    is_mixed : bool
        True where matrix products are computed in bfloat16.
    """

    place: torch.device
    is_mixed: bool

    def autocast(self) -> AbstractContextManager:
        """Return the context in which a model computes."""
        return torch.autocast(self.place.type, torch.bfloat16, enabled=self.is_mixed)


def choose_device(*, device: str, threads: int, precision: str) -> Device:
    """Choose the device and make its results repeatable.

    Parameters
    ----------
    device : str
        `auto`, `cpu`, `cuda` or `cuda:1`; `auto` takes a GPU where there is one.
    threads : int
        CPU threads.
    precision : {"auto", "float32", "bfloat16"}
        `auto` takes bfloat16 on a GPU that has it and float32 elsewhere.

    Returns
    -------
    Device

    Raises
    ------
    ValueError
        If a GPU is asked for and there is none.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"training.device is {device}, but there is no CUDA device; say auto or cpu.")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(threads)
    if device.startswith("cuda"):
        _make_cuda_repeatable()
    has_bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    return Device(torch.device(device), precision == "bfloat16" or (precision == "auto" and has_bfloat16))


def _make_cuda_repeatable() -> None:
    """Choose repeatable kernels. On the CPU ours all are, and this call would cost a second of imports."""
    # cuBLAS reads this when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Every tensor is written before it is read, so there is no need to pay for filling it first.
    torch.utils.deterministic.fill_uninitialized_memory = False


def seed_everything(*numbers: int, device: torch.device) -> torch.Generator:
    """Seed PyTorch from some numbers, such as seed, fold and epoch.

    Seeding anew at each epoch makes what an epoch draws independent of how earlier ones were run.

    Parameters
    ----------
    *numbers : int
        Together they determine every random number of what follows.
    device : torch.device

    Returns
    -------
    torch.Generator
        On `device`, for the code that takes a generator. PyTorch's global generators are seeded too.
    """
    import numpy as np

    # Their count goes in too, because (0, 1) and (0, 1, 0) would give one sequence.
    first, second = (int(word) for word in np.random.SeedSequence((len(numbers), *numbers)).generate_state(2))
    torch.manual_seed(first)
    return torch.Generator(device).manual_seed(second)


def describe(device: Device) -> dict[str, Any]:
    """Name the device for the log.

    Parameters
    ----------
    device : Device

    Returns
    -------
    dict
        `device`, `threads` and `precision`.
    """
    name = torch.cuda.get_device_name(device.place) if device.place.type == "cuda" else "cpu"
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if device.is_mixed else "float32",
    }
