"""Compare pre-training steps of BAR + Recon with a plain loop that loads its scans by MONAI, and write a page.

Ours is `neurobar.training.loop.train` on scans that the device holds; the plain loop (benchmarks/plain_loop.py) has the
same model, losses and optimiser, and makes its views scan by scan. They take turns, block after block of steps.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import chain, count, islice
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from mixing import describe_run
from plain_loop import Clock, PlainLoop, Study, read_study
from preprocess import read_field, write_table
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from neurobar.pretrain import pretrain_encoder
from neurobar.pretrain.batches import Batch, plan_batches
from neurobar.training.devices import Device, choose_device, describe
from neurobar.training.loop import train
from neurobar.training.scans import Ahead, Scans

OURS, PEER = "neurobar", "plain loop"
STEPS = {"paper": 2, "small": 20}  # of a block, where the command does not say
INTRODUCTION = f"""\
Steps of pre-training with BAR + Recon. `{OURS}` is the training loop of every job on scans that the device holds, with
views made batch by batch. The {PEER} keeps its standardised scans in MONAI's `CacheDataset`, makes the views scan by
scan (loops over regions with NumPy masks, `RandCoarseDropout`, `RandCoarseShuffle`) and takes batches from MONAI's
`DataLoader`; of several numbers of workers the fastest is shown. Model, losses, optimiser and precision are the same.
Both take turns, block after block of steps, and a block counts from the first scan to the last update of the weights.

`paper` is the ViT of 74 million parameters on 96 x 96 x 96 voxels (`studies/bar_adni.yaml`), `small` the encoder of
`config.yaml` on 48 x 48 x 48 voxels. Augmentation is the time that both views take within our steps. Operations are
counted in the forward and backward pass of the model (a multiply-add is two), and compared with those of one large
matrix product (2048 x 2048 in float32 on a CPU, 8192 x 8192 in bfloat16 on a GPU) measured between the blocks. Memory
is the most that a process of one of the two alone held: resident on a CPU, allocated on the GPU.
"""
ON_CPU = """\
No GPU was at hand, so nothing here was measured on one. The command for it, once as it is and once with `--compile`:

    benchmarks/training.py --size paper --device cuda --batch 4 16 64 128 --workers 8 16 --steps 16 \\
        --output docs/results/training_gpu.md
"""
HEAD = ["size", "batch", f"{OURS} [scans/s]", f"{PEER} [scans/s]", "workers", "over the plain loop", "augmentation [%]"]
HEAD += ["memory [GB]", f"memory of the {PEER} [GB]", "operations [GFLOP/step]", "matrix rate [GFLOP/s]", "reached [%]"]


def train_ours(
    study: Study, *, epochs: int, at_start: Callable[[], Any], at_end: Callable[[int], Any], clock: Clock
) -> None:
    """Train by our loop; an epoch is a block of steps, whose views leave their time with the clock."""
    device, run = study.device, study.run
    scans = Scans(study.cohort, np.arange(study.scans), study.landmarks, coarsen=1, place=device.place, how="held")

    def fetch(batch: Batch) -> tuple[Tensor, Tensor]:
        return scans.take(batch.anchor), scans.take(batch.donor)

    def plan_epoch(epoch: int) -> Ahead:
        choices = {"batch": study.batch, "beta": run["beta"], "donor": run["donor"]}
        plans = (plan_batches(np.arange(study.scans), **choices, seeds=(epoch, number)) for number in count())
        batches = list(islice(chain.from_iterable(plans), study.steps))
        at_start()
        return Ahead(batches, fetch, scans)

    def losses_of(called: nn.Module, planned: Any, generator: torch.Generator) -> dict[str, Tensor]:
        return compute_losses(study, called, *planned, generator)

    def after_epoch(epoch: int) -> dict[str, float]:
        at_end(epoch)
        return {}

    steps = {"plan_epoch": plan_epoch, "losses_of": losses_of, "after_epoch": after_epoch}
    with contextlib.ExitStack() as stack:
        for name in ("hidden_view", "mixed_view"):
            plain = getattr(pretrain_encoder, name)
            stack.callback(setattr, pretrain_encoder, name, plain)
            setattr(pretrain_encoder, name, clock.timed(plain))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        train(study.make_model(), **steps, settings=run | {"epochs": epochs}, seeds=(0,), device=device)


def compute_losses(
    study: Study, called: nn.Module, batch: Batch, scans: tuple[Tensor, Tensor], generator: torch.Generator
) -> dict[str, Tensor]:
    """Compute what our step minimises."""
    anchor, donor, ratio = (torch.from_numpy(values).to(study.device.place) for values in batch)
    words = {"regions": study.regions, "settings": study.run, "device": study.device, "generator": generator}
    pairs = (study.labels[anchor], study.labels[donor])
    return pretrain_encoder.losses_of_batch(called, scans, pairs, ratio, **words)


def count_operations(study: Study) -> int:
    """Count the floating-point operations of one step."""
    anchor, donor, place = np.array([0, 1]), np.array([1, 0]), study.device.place
    scans = torch.rand(2, 2, 1, *study.regions.shape, device=place).half()
    batch = Batch(anchor, donor, np.array([0.5, 0.5], np.float32))
    # The counter does not know every fused kernel of attention; the plain one does the same work in known parts.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        losses = compute_losses(study, study.make_model().train(), batch, tuple(scans), torch.Generator(place))
        losses["loss"].backward()
    return counter.get_total_flops() * study.batch // 2


def measure_rate(place: torch.device) -> float:
    """Measure the device's matrix rate [FLOP/s]."""
    length, kind, repeats = (8192, torch.bfloat16, 20) if place.type == "cuda" else (2048, torch.float32, 2)
    left, right, product = torch.randn(3, length, length, device=place, dtype=kind)
    clock = Clock(place)
    multiply = clock.timed(lambda: torch.mm(left, right, out=product))
    multiply()
    clock.read_s()  # that was for warming up
    for _ in range(repeats):
        multiply()
    return 2 * length**3 * repeats / clock.read_s()


def write_number(value: float, digits: int = 3) -> str:
    """Write a number with some digits that count, and without an exponent."""
    return f"{float(f'{value:.{digits}g}'):.12g}"


def take_turns(study: Study, workers: list[int], repeats: int) -> list[str]:
    """Measure blocks of steps of both in turn, and return a row of the table without the memory."""
    place, clock, views = study.device.place, Clock(study.device.place), Clock(study.device.place)
    loops = {number: PlainLoop(study, number) for number in workers}
    operations, moments = count_operations(study), []
    found: dict[Any, list[float]] = {key: [] for key in (OURS, "views", "rate", *loops)}

    def take_turn(epoch: int) -> None:
        clock.spans.append((moments.pop(), clock.mark()))
        turn = {OURS: clock.read_s(), "views": views.read_s(), "rate": measure_rate(place)}
        for number, loop in loops.items():
            clock.timed(loop.run_block)()
            turn[number] = clock.read_s()
        print({key: write_number(value) for key, value in turn.items()}, file=sys.stderr)
        if epoch:  # the first is for warming up
            for key, value in turn.items():
                found[key].append(value)

    start = {"at_start": lambda: moments.append(clock.mark()), "at_end": take_turn}
    train_ours(study, epochs=repeats + 1, **start, clock=views)
    middle = {key: median(values) for key, values in found.items()}
    # Turn by turn, so that a machine that slows down slows both sides of a ratio.
    over = {key: median(map(truediv, values, found[OURS])) for key, values in found.items()}
    best = min(loops, key=over.get)
    reached = operations * study.steps / middle[OURS] / middle["rate"]
    rates = [write_number(study.steps * study.batch / middle[key]) for key in (OURS, best)]
    costs = [f"{over[best]:.2f}", f"{100 * over['views']:.2f}"]
    figures = [write_number(operations / 1e9), write_number(middle["rate"] / 1e9), f"{100 * reached:.0f}"]
    return [study.size, str(study.batch), *rates, str(best), *costs, *figures]


def measure_memory(study: Study, workers: int | None) -> float:
    """Run two steps of ours, or of the plain loop with some workers, and return what this process held at most [GB]."""
    if workers is None:
        train_ours(study, epochs=1, at_start=int, at_end=lambda epoch: None, clock=Clock(study.device.place))
    else:
        PlainLoop(study, workers).run_block()
    if study.device.place.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return int(read_field("/proc/self/status", "VmHWM").split()[0]) * 1024 / 1e9


def measure_row(args: argparse.Namespace, size: str, batch: int) -> list[str]:
    """Measure one line of the table."""
    device = start_device(args)
    try:
        row = take_turns(read_study(size, batch, args.steps or STEPS[size], device), args.workers, args.repeats)
    except torch.cuda.OutOfMemoryError:
        return [size, str(batch), "out of memory", *[""] * (len(HEAD) - 3)]
    gc.collect()
    torch.cuda.empty_cache()  # for the processes that measure memory
    command = [sys.executable, __file__, "--size", size, "--batch", str(batch), "--device", args.device]
    command += [
        "--threads",
        str(args.threads),
        *["--compile"] * args.compile,
        "--output",
        str(args.output),
        "--held-by",
    ]
    held = [
        subprocess.run([*command, who], stdout=subprocess.PIPE, text=True, check=True).stdout for who in (OURS, row[4])
    ]
    print(" | ".join(row), file=sys.stderr)
    return [*row[:7], *(f"{float(amount):.2f}" for amount in held), *row[7:]]


def write_page(args: argparse.Namespace) -> str:
    """Measure and write what was found as Markdown."""
    device = start_device(args)
    shown = args.output.name if args.output.is_absolute() else str(args.output)
    words = ["--size", *args.size, "--batch", *map(str, args.batch), "--device", args.device]
    words += ["--threads", str(args.threads), "--workers", *map(str, args.workers), "--repeats", str(args.repeats)]
    words += ["--steps", str(args.steps)] if args.steps else []
    words += ["--compile"] * args.compile + ["--output", shown]
    lines = ["# What a step of pre-training costs", "", INTRODUCTION]
    lines += describe_run(args.threads, device.place, ["benchmarks/training.py", *words])
    lines += [ON_CPU] if device.place.type == "cpu" else []
    steps = args.steps or " or ".join(f"{STEPS[size]} ({size})" for size in args.size)
    how = f"{steps} steps, those of ratios turn by turn; {describe(device)['precision']}"
    lines += [f"Medians of {args.repeats} blocks of {how}.", ""]
    lines += write_table(HEAD, [measure_row(args, size, batch) for size in args.size for batch in args.batch])
    return "\n".join(lines) + "\n"


def start_device(args: argparse.Namespace) -> Device:
    """Choose the device as a training job does."""
    return choose_device(device=args.device, threads=args.threads, precision="auto", is_compiled=args.compile)


def main(argv: list[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--batch", type=int, nargs="+", default=[4])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2], help=f"of the {PEER}; the fastest is shown")
    parser.add_argument("--repeats", type=int, default=3, help="blocks of each")
    parser.add_argument("--steps", type=int, help="of a block")
    parser.add_argument("--compile", action="store_true", help="the model of both by torch.compile")
    parser.add_argument("--output", type=Path, default=Path("docs/results/training.md"), help="Markdown")
    parser.add_argument("--held-by", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if min(args.batch) < 2 or args.repeats < 1 or not args.output.parent.is_dir():
        parser.error("a batch has at least 2 scans, --repeats is at least 1, --output lies in a folder that exists")
    if args.held_by:
        study = read_study(args.size[0], args.batch[0], 2, start_device(args))
        return print(measure_memory(study, None if args.held_by == OURS else int(args.held_by)))
    args.output.write_text(write_page(args))


if __name__ == "__main__":
    main()
