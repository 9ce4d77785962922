"""The training loop: flat, and ignorant of models and studies."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neurobar.training.devices import Device, seed_everything
from neurobar.training.progress import Progress
from neurobar.training.schedule import rate_at

Losses = dict[str, Tensor]


def train(
    model: nn.Module,
    *,
    plan_epoch: Callable[[int], Sequence[Any]],
    losses_of: Callable[[nn.Module, Any, torch.Generator], Losses],
    after_epoch: Callable[[int], dict[str, float]],
    settings: dict[str, Any],
    seeds: tuple[int, ...],
    device: Device,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a model with Adam and print one line for each epoch.

    Parameters
    ----------
    model : torch.nn.Module
        On the device; its parameters that require a gradient learn.
    plan_epoch : callable
        Takes the epoch and returns its batches, whatever they are; every epoch has equally many.
    losses_of : callable
        Takes the model as `Device.prepare` returns it, a batch and a generator, and returns named losses; the one
        named `loss` is minimised.
    after_epoch : callable
        Takes the epoch and returns further named figures for the history.
    settings : dict
        `epochs`, `rate`, `schedule` and `warmup`.
    seeds : tuple of int
        What the random numbers follow from, beside the epoch.
    device : Device
    progress : Progress or None
        Where the job is taken up, and written after each epoch.

    Returns
    -------
    list of dict
        For each epoch its number, the means of the losses, the last rate and the figures of `after_epoch`.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    """
    optimiser = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=settings["rate"])
    history = progress.restore(model, optimiser) if progress else []
    device.wait()
    called, epochs, started, done = device.prepare(model), settings["epochs"], time.monotonic(), len(history)
    for epoch in range(done, epochs):
        generator = seed_everything(*seeds, epoch, device=device.place, rank=device.rank)
        batches = plan_epoch(epoch)
        model.train()
        sums: Losses = {}
        for step, batch in enumerate(batches, start=epoch * len(batches)):
            rate = _set_rate(optimiser, step, epochs * len(batches), settings)
            losses = losses_of(called, batch, generator)
            optimiser.zero_grad(set_to_none=True)
            device.backward(losses["loss"])
            optimiser.step()
            sums = {name: sums.get(name, 0.0) + value.detach() for name, value in losses.items()}
        means = _finite_means(sums, len(batches), epoch)
        model.eval()
        history.append({"epoch": epoch + 1, **means, "rate": rate, **after_epoch(epoch)})
        if progress:
            progress.save(model, optimiser, history)
        if device.rank == 0:
            _print_progress(history[-1], epochs, (time.monotonic() - started) / (epoch + 1 - done))
    return history


def _set_rate(optimiser: torch.optim.Optimizer, step: int, steps: int, settings: dict[str, Any]) -> float:
    rate = rate_at(step, steps=steps, rate=settings["rate"], schedule=settings["schedule"], warmup=settings["warmup"])
    for group in optimiser.param_groups:
        group["lr"] = rate
    return rate


def _finite_means(sums: Losses, batches: int, epoch: int) -> dict[str, float]:
    means = {name: float(total) / batches for name, total in sums.items()}
    if not math.isfinite(means["loss"]):
        raise FloatingPointError(f"The loss is {means['loss']} in epoch {epoch + 1}; try a smaller rate.")
    return means


def _print_progress(row: dict[str, float], epochs: int, epoch_s: float) -> None:
    left_s = epoch_s * (epochs - row["epoch"])
    figures = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
    print(f"epoch {row['epoch']}/{epochs}  {figures}  {left_s:.0f} s left", flush=True)
