"""Where and in which precision a training job computes, and its random numbers."""

from __future__ import annotations

import math
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neurobar.data.gpu_locks import release_gpus, take_gpus


@dataclass(frozen=True)
class Device:
    """Where a job computes, in which precision, and with which others it shares each batch.

    Attributes
    ----------
    place : torch.device
    is_mixed : bool
        True where matrix products are computed in bfloat16.
    is_compiled : bool
        True where models go through `torch.compile`.
    fabric : lightning_fabric.Fabric or None
        Joins the processes of several devices; None where one works alone.
    """

    place: torch.device
    is_mixed: bool = False
    is_compiled: bool = False
    fabric: Any = None

    @property
    def rank(self) -> int:
        """Place of this device among those that share the job; the first one writes files."""
        return 0 if self.fabric is None else self.fabric.global_rank

    def autocast(self) -> AbstractContextManager:
        """Return the context in which a model computes."""
        return torch.autocast(self.place.type, torch.bfloat16, enabled=self.is_mixed)

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return what is called in place of a model, so that gradients are averaged over devices."""
        called = torch.compile(model) if self.is_compiled else model
        return called if self.fabric is None else self.fabric.setup_module(called)

    def own_part(self, number: int) -> slice | Tensor:
        """Choose which of a batch's scans this device computes.

        Parameters
        ----------
        number : int
            Scans N in the batch. Each device takes equally many, some twice where N does not divide evenly.

        Returns
        -------
        slice or int64 Tensor
        """
        if self.fabric is None:
            return slice(None)
        each = math.ceil(number / self.fabric.world_size)
        return torch.arange(self.rank * each, (self.rank + 1) * each, device=self.place) % number

    def gather(self, part: Tensor, number: int) -> Tensor:
        """Put together what all devices computed for their part of a batch.

        Every device then computes the same loss of the whole batch. Gradients flow back to the device that a row
        came from, summed over devices, and `prepare` averages them over devices, so they equal those of one device.

        Parameters
        ----------
        part : (n, ...)
        number : int
            Scans N in the batch.

        Returns
        -------
        (N, ...)
        """
        return part if self.fabric is None else self.fabric.all_gather(part, sync_grads=True).flatten(0, 1)[:number]

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of a loss."""
        loss.backward() if self.fabric is None else self.fabric.backward(loss)

    def wait(self) -> None:
        """Wait until all devices that share the job are here."""
        if self.fabric is not None:
            self.fabric.barrier()


def choose_device(
    *,
    device: str,
    threads: int,
    precision: str,
    devices: int = 1,
    strategy: str = "ddp",
    is_compiled: bool = False,
) -> Device:
    """Choose the device and make its results repeatable.

    Parameters
    ----------
    device : str
        `auto`, `cpu`, `cuda` or `cuda:1`; `auto` takes a GPU where there is one. It waits until one is free.
    threads : int
        CPU threads.
    precision : {"auto", "float32", "bfloat16"}
        `auto` takes bfloat16 on a GPU that has it and float32 elsewhere.
    devices : int
        Devices that share the job. Lightning Fabric starts this command anew for each further one.
    strategy : str
        How they work together, in the words of Lightning Fabric.
    is_compiled : bool

    Returns
    -------
    Device

    Raises
    ------
    ValueError
        If a GPU is asked for and there is none.
    """
    if devices > 1 and ":" in device:
        raise ValueError(f"training.device {device} is one device, but training.devices asks for {devices}; say cuda.")
    if torch.backends.cuda.is_built():
        device = take_gpus(device, devices)  # before CUDA starts, so before it is asked for anything
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"training.device is {device}, but there is no CUDA device; say auto or cpu.")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cpu":  # the driver lists GPUs that PyTorch cannot use
            release_gpus()
    torch.set_num_threads(threads)
    if device.startswith("cuda"):
        _make_cuda_repeatable()
    has_bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    is_mixed = precision == "bfloat16" or (precision == "auto" and has_bfloat16)
    fabric = _join_devices(device, devices, strategy) if devices > 1 else None
    return Device(fabric.device if fabric else torch.device(device), is_mixed, is_compiled, fabric)


def _join_devices(device: str, devices: int, strategy: str) -> Any:
    from lightning_fabric import Fabric  # 1.2 s, for those who share a job alone
    from lightning_fabric.plugins.environments import LightningEnvironment

    # Under Slurm a job is one task, so the other processes are for Fabric to start there too.
    fabric = Fabric(accelerator=device, devices=devices, strategy=strategy, plugins=[LightningEnvironment()])
    fabric.launch()
    return fabric


def _make_cuda_repeatable() -> None:
    """Choose repeatable kernels. On the CPU ours all are, and this call would cost a second of imports."""
    # cuBLAS reads this when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Every tensor is written before it is read, so there is no need to pay for filling it first.
    torch.utils.deterministic.fill_uninitialized_memory = False


def seed_everything(*numbers: int, device: torch.device, rank: int = 0) -> torch.Generator:
    """Seed PyTorch from some numbers, such as seed, fold and epoch.

    Seeding anew at each epoch makes what an epoch draws independent of how earlier ones were run.

    Parameters
    ----------
    *numbers : int
        Together they determine every random number of what follows.
    device : torch.device
    rank : int
        Of the devices that share a job, so that each drops out other activations.

    Returns
    -------
    torch.Generator
        On `device`, for the code that takes a generator; the same on every rank. PyTorch's global generators, from
        which dropout draws, are seeded too.
    """
    # Their count goes in too, because (0, 1) and (0, 1, 0) would give one sequence.
    first, second = (int(word) for word in np.random.SeedSequence((len(numbers), *numbers)).generate_state(2))
    torch.manual_seed(first + rank)
    return torch.Generator(device).manual_seed(second)


def describe(device: Device) -> dict[str, Any]:
    """Name the device for the log.

    Parameters
    ----------
    device : Device

    Returns
    -------
    dict
        `device`, `devices`, `threads` and `precision`.
    """
    name = torch.cuda.get_device_name(device.place) if device.place.type == "cuda" else "cpu"
    return {
        "device": name,
        "devices": 1 if device.fabric is None else device.fabric.world_size,
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if device.is_mixed else "float32",
    }
