"""Compare what batched mixing, masking, cuts and shuffles cost with the same scan by scan, and write a page.

Ours are the functions of neurobar.transforms; the peers are loops over regions and MONAI's transforms
(benchmarks/per_sample.py). They take turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from per_sample import JOINED, LOOPS, NUMPY, TORCH, SampleViews, read_regions, read_settings
from preprocess import read_field, run_git, write_table
from torch import Tensor

from neurobar.training.devices import choose_device
from neurobar.transforms.landmarks import standardise
from neurobar.transforms.mixings import boxes, regions
from neurobar.transforms.regions import RegionMap, choose_hidden, fill_with_noise
from neurobar.transforms.replacements import replace_voxels, share_of_voxels
from neurobar.transforms.views import cut, draw_noise, hidden_view, mixed_view, shuffled

OURS = "neurobar"
BAR, BAM, CUTMIX = "regions replaced (BAR)", "regions masked (BAM)", "boxes replaced (CutMix)"
CUTS, SHUFFLES, LANDMARKS, VIEWS = "inner or outer cuts", "voxels shuffled", "histogram standardised", "both views"
INTRODUCTION = """\
What the two views of pre-training cost, for each scan: `neurobar` makes them for a whole batch by a few operations on
tensors, on the device; the peers make them scan by scan on the CPU, as a data loader would. They are loops over the
regions of the atlas in three ways of writing them, and MONAI's transforms.
{size}

The three ways to write the loop over regions, for each chosen region: `volume[atlas == region] = ...` with PyTorch
tensors (what MONAI's transforms take and return) or with NumPy arrays, and `mask |= atlas == region` with one copy at
the end. MONAI's `CutMix` takes a batch as it comes and puts one box into each scan; ours puts eight that cover a given
part of the brain, and says which part they covered. The scans are noise inside the brain; no operation here takes
longer for one content than for another.
"""
SIZES = {
    "paper": "The size is the paper's: 96 x 96 x 96 voxels, AAL2 merged to 64 regions, the run `bar_recon` of\n"
    "`studies/bar_adni.yaml`.",
    "small": "The size is that of `config.yaml`: 48 x 48 x 48 voxels, AAL2 merged to 64 regions, the run `bar_recon`.",
}
ON_CPU = """\
No GPU was at hand, so nothing here was measured on one. The command for it, in which what the peers make is copied to
the device:

    benchmarks/mixing.py --device cuda --batch 4 64 --repeats 3 --output docs/results/mixing_gpu.md
"""


class Scene(NamedTuple):
    """A batch and what views are made of it with; `atlas` is on the CPU, like the scans in `held`."""

    anchor: Tensor
    donor: Tensor
    ratio: Tensor
    regions: RegionMap
    atlas: Tensor
    settings: dict[str, Any]
    generator: torch.Generator
    held: tuple[Tensor, Tensor, list[float]]


#: By what they do and by who does it.
Operations = dict[tuple[str, str], Callable[[], Any]]


def set_scene(batch: int, size: str, place: torch.device) -> Scene:
    """Make a batch."""
    settings, atlas = read_settings(size)[0], read_regions(size)
    random = torch.Generator().manual_seed(batch)
    held = torch.rand(2, batch, 1, *atlas.shape, generator=random) * (atlas > 0)
    # Evenly over the distribution, so that a small batch is as much work as a large one.
    draws = np.sort(np.random.default_rng(0).beta(*settings["beta"], size=100 * batch))
    ratio = draws[50::100].astype(np.float32)
    anchor, donor = held.to(place)
    generator, region_map = torch.Generator(place).manual_seed(0), RegionMap.of(atlas.to(place))
    on_cpu = (*held, ratio.tolist())
    return Scene(anchor, donor, torch.from_numpy(ratio).to(place), region_map, atlas, settings, generator, on_cpu)


def list_ours(scene: Scene, percentiles: Tensor) -> dict[str, Callable[[], Any]]:
    """List our operations, which take the batch at once."""
    anchor, donor, ratio, atlas, _, settings, generator, _ = scene
    words = {"regions": atlas, "settings": settings, "generator": generator}
    taken = regions.choose_voxels(ratio=ratio, regions=atlas, generator=generator)
    stored, fraction = anchor.half(), settings["noise_regions"]

    def replace(mixing: Any) -> tuple[Tensor, Tensor]:
        chosen = mixing.choose_voxels(ratio=ratio, regions=atlas, generator=generator)
        return replace_voxels(anchor, donor, chosen), share_of_voxels(chosen, atlas)

    def hide() -> Tensor:
        hidden = choose_hidden(taken, atlas, fraction=fraction, generator=generator)
        return fill_with_noise(anchor, hidden, draw_noise(anchor, settings["noise"], generator=generator))

    return {
        BAR: lambda: replace(regions),
        BAM: hide,
        CUTMIX: lambda: replace(boxes),
        CUTS: lambda: cut(anchor, settings=settings, generator=generator),
        SHUFFLES: lambda: shuffled(anchor, settings=settings, generator=generator),
        LANDMARKS: lambda: standardise(stored, percentiles, percentiles[0]),
        VIEWS: lambda: (mixed_view(anchor, donor, ratio, **words), hidden_view(anchor, **words)),
    }


def list_peers(scene: Scene, percentiles: np.ndarray, place: torch.device) -> Operations:
    """List the peers, by operation and by their own name; what they make ends on the device, as one batch."""
    from monai.transforms import CutMix

    anchors, donors, ratios = scene.held
    stored, mixer = anchors.half().numpy(), CutMix(batch_size=len(anchors), alpha=scene.settings["beta"][0])
    made = {loop: SampleViews(scene.atlas, scene.settings, loop) for loop in LOOPS}

    def each(make: Callable[..., tuple]) -> list[Tensor]:
        samples = [make(*sample) for sample in zip(anchors, donors, ratios, strict=True)]
        return [torch.stack(list(map(torch.as_tensor, parts))).to(place) for parts in zip(*samples, strict=True)]

    def standardise_each() -> Tensor:
        scans = [np.interp(scan, own, percentiles[0]) for scan, own in zip(stored, percentiles, strict=True)]
        return torch.from_numpy(np.stack(scans).astype(np.float32)).to(place)

    operations: Operations = {
        (CUTMIX, "MONAI CutMix, one box"): lambda: mixer(anchors).to(place),
        (CUTS, "MONAI RandCoarseDropout"): lambda: each(lambda a, d, r: (made[NUMPY].cut(a),)),
        (SHUFFLES, "MONAI RandCoarseShuffle"): lambda: each(lambda a, d, r: (made[NUMPY].shuffle(a.clone()),)),
        (LANDMARKS, "numpy.interp"): standardise_each,
    }
    for loop, views in made.items():
        operations[BAR, f"loop, {loop}"] = partial(each, lambda a, d, r, v=views: v.replace(a, d, r)[:2])
        operations[BAM, f"loop, {loop}"] = partial(each, lambda a, d, r, v=views: (v.hide(a, v.draw_rest(r)),))
        whole = partial(each, lambda a, d, r, v=views: (*v.view_1(a, d, r), v.view_2(a)))
        operations[VIEWS, f"loop, {loop}, and MONAI"] = whole
    del operations[BAM, f"loop, {JOINED}"]  # the same as without joining
    return operations | loop_on_device(scene, place)


def loop_on_device(scene: Scene, place: torch.device) -> Operations:
    """List the loop over regions with all tensors on the device, where that is not the CPU."""
    if place.type == "cpu":
        return {}
    views = SampleViews(scene.atlas.to(place), scene.settings, TORCH)
    samples = list(zip(scene.anchor, scene.donor, scene.held[2], strict=True))

    def replace_each() -> Tensor:
        torch.use_deterministic_algorithms(False)  # which would slow a mask's assignment down
        mixed = torch.stack([views.replace(*each)[0] for each in samples])
        torch.use_deterministic_algorithms(True)
        return mixed

    return {(BAR, f"loop, {TORCH}, on the device"): replace_each}


def measure(operation: Callable[[], Any], place: torch.device) -> float:
    """Return the wall time of an operation [s], until the device is done with it."""
    wait = torch.cuda.synchronize if place.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    operation()
    wait()
    return time.perf_counter() - start


def take_turns(batch: int, size: str, place: torch.device, repeats: int) -> Iterable[list[str]]:
    """Measure all operations and their peers on a batch, and yield the rows of the table."""
    scene = set_scene(batch, size, place)
    percentiles = torch.rand(batch, 11, generator=torch.Generator().manual_seed(0)).sort(1).values
    ours, peers = list_ours(scene, percentiles.to(place)), list_peers(scene, percentiles.numpy(), place)
    operations = {(name, OURS): operation for name, operation in ours.items()} | peers
    costs: dict[tuple[str, str], list[float]] = {key: [] for key in operations}
    for repeat in range(repeats + 1):
        for key, operation in operations.items():
            cost = 1e3 * measure(operation, place) / batch
            costs[key] += [cost] if repeat else []  # the first is for warming up
        print(f"batch of {batch}: {repeat}/{repeats}", file=sys.stderr)
    for name, peer in sorted(operations, key=lambda key: (list(ours).index(key[0]), key[1] != OURS)):
        found = costs[name, peer]
        ratio = median(found) / median(costs[name, OURS])
        spread = f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
        yield [name, str(batch), peer, spread, "1" if peer == OURS else f"{ratio:.1f}"]


def describe_run(threads: int, place: torch.device, command: list[str]) -> list[str]:
    """State the machine, the versions, the code, the day and the command."""
    cores = f"{read_field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores, {threads} threads"
    device = f"; {torch.cuda.get_device_name(place)}" if place.type == "cuda" else "; no GPU"
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "monai", "numpy"))
    code = ("src", "benchmarks", "config.yaml", "studies")
    changes = ", with uncommitted changes" if run_git("status", "--porcelain", "--", *code) else ""
    return [
        f"- Machine: {cores}{device}; load before the first run {os.getloadavg()[0]:.1f}",
        f"- Versions: Python {platform.python_version()}, {packages}",
        f"- Code: commit {run_git('rev-parse', '--short', 'HEAD')}{changes}; {datetime.date.today()}",
        f"- Command: `{shlex.join(command)}`",
        "",
    ]


def write_page(args: argparse.Namespace, place: torch.device) -> str:
    """Measure and write what was found as Markdown."""
    shown = args.output.name if args.output.is_absolute() else str(args.output)
    words = ["--size", args.size, "--batch", *map(str, args.batch), "--device", args.device]
    words += ["--threads", str(args.threads), "--repeats", str(args.repeats), "--output", shown]
    lines = ["# What mixing, masking, cuts and shuffles cost", "", INTRODUCTION.format(size=SIZES[args.size])]
    lines += describe_run(args.threads, place, ["benchmarks/mixing.py", *words])
    lines += [ON_CPU] if place.type == "cpu" else []
    lines += [f"Median (smallest to largest) of {args.repeats} runs of each, in turn, in ms for each scan.", ""]
    rows = [row for batch in args.batch for row in take_turns(batch, args.size, place, args.repeats)]
    lines += write_table(["operation", "batch", "made by", "time [ms a scan]", "over ours"], rows)
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="paper")
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 16], help="scans that are mixed at once")
    parser.add_argument("--device", default="cpu", help="of ours: cpu or cuda")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("docs/results/mixing.md"), help="Markdown")
    args = parser.parse_args(argv)
    if min(args.batch) < 2 or args.repeats < 1 or not args.output.parent.is_dir():
        parser.error("a batch has at least 2 scans, --repeats is at least 1, --output lies in a folder that exists")
    # MONAI 1.6 indexes by lists where PyTorch asks for tuples.
    warnings.filterwarnings("ignore", message="Using a non-tuple sequence")
    np.random.seed(0)
    device = choose_device(device=args.device, threads=args.threads, precision="auto")
    args.output.write_text(write_page(args, device.place))


if __name__ == "__main__":
    main()
