"""A plain loop of pre-training with MONAI's loaders, the peer of benchmarks/training.py.

With it, what both train on, and the clock that measures both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from per_sample import NUMPY, SampleViews, read_regions, read_settings
from torch import Tensor

from neurobar.data.cohorts import Cohort
from neurobar.losses.contrastive import weighted_contrastive
from neurobar.losses.reconstruction import absolute_errors
from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.pretrain.pretrain_encoder import contrast_weights
from neurobar.training.devices import Device
from neurobar.transforms.landmarks import fit_landmarks
from neurobar.transforms.regions import RegionMap
from neurobar.transforms.replacements import soft_label

PERCENTILES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99)


class Clock:
    """Measures spans of time on the device."""

    def __init__(self, place: torch.device) -> None:
        self.is_gpu = place.type == "cuda"
        self.spans: list[tuple[Any, Any]] = []

    def mark(self) -> Any:
        """Return this moment, on a GPU the one when its work so far is done, without waiting for that."""
        if not self.is_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def timed(self, function: Callable) -> Callable:
        """Return a function that does the same and leaves its span here."""

        def call(*args: Any, **kwargs: Any) -> Any:
            start = self.mark()
            result = function(*args, **kwargs)
            self.spans.append((start, self.mark()))
            return result

        return call

    def read_s(self) -> float:
        """Add up the spans since the last reading [s]."""
        if self.is_gpu:
            torch.cuda.synchronize()
            total = sum(start.elapsed_time(end) for start, end in self.spans) / 1e3
        else:
            total = sum(end - start for start, end in self.spans)
        self.spans.clear()
        return total


@dataclass(frozen=True)
class Study:
    """What both loops train, on what, and where: blocks of `steps` steps on random scans of as many subjects."""

    size: str
    batch: int
    steps: int
    device: Device
    run: dict[str, Any]
    encoder: dict[str, Any]
    atlas: Tensor
    regions: RegionMap
    cohort: Cohort
    landmarks: Tensor
    labels: Tensor

    @property
    def scans(self) -> int:
        """Count the scans."""
        return len(self.cohort.scans)

    def make_model(self) -> EncoderWithDecoder:
        """Make the model on the device, always the same."""
        torch.manual_seed(0)
        return EncoderWithDecoder(self.regions.shape, self.encoder).to(self.device.place)


def read_study(size: str, batch: int, steps: int, device: Device) -> Study:
    """Read the settings and make up a cohort."""
    (run, encoder), atlas = read_settings(size), read_regions(size)
    cohort = make_cohort(max(16, 2 * batch), atlas.numpy())
    labels = (torch.arange(len(cohort.scans)) % 2).float().to(device.place)
    landmarks = torch.from_numpy(fit_landmarks(cohort.percentiles)).float()
    regions = RegionMap.of(atlas.to(device.place))
    return Study(size, batch, steps, device, run, encoder, atlas, regions, cohort, landmarks, labels)


def make_cohort(scans: int, atlas: np.ndarray) -> Cohort:
    """Fill the brain with random intensities."""
    random, brain = np.random.default_rng(0), atlas > 0
    volumes = np.stack([(0.5 + random.random(atlas.shape, np.float32)) * brain for _ in range(scans)], dtype=np.float16)
    percentiles = [np.percentile(volume[brain].astype(np.float32), PERCENTILES) for volume in volumes]
    return Cohort(volumes, np.array(percentiles, np.float32), [f"scan-{number}" for number in range(scans)])


class Pairs:
    """Both views of an anchor, mixed with a random donor, from a cache of scans.

    Parameters
    ----------
    cache : sequence of float (1, D, H, W)
        Standardised scans.
    study : Study
    """

    def __init__(self, cache: Any, study: Study) -> None:
        self.cache, self.labels, self.beta = cache, study.labels.tolist(), study.run["beta"]
        self.number, self.views = study.batch * study.steps, SampleViews(study.atlas, study.run, NUMPY)

    def __len__(self) -> int:
        """Count the samples of a block."""
        return self.number

    def __getitem__(self, place: int) -> dict[str, Any]:
        """Make one sample."""
        first, scans = place % len(self.cache), len(self.cache)
        second = (first + np.random.randint(1, scans)) % scans
        anchor, donor = self.cache[first], self.cache[second]
        view_1, share = self.views.view_1(anchor, donor, np.random.beta(*self.beta))
        values = {"view_1": view_1, "view_2": self.views.view_2(anchor), "anchor": anchor}
        return values | {"share": share, "label": self.labels[first], "donor_label": self.labels[second]}


class PlainLoop:
    """The plain loop, with its own model.

    Parameters
    ----------
    study : Study
    workers : int
        Processes that make views; 0 makes them between the steps.
    """

    def __init__(self, study: Study, workers: int) -> None:
        from monai.data import CacheDataset, DataLoader
        from monai.transforms import Lambda

        def standardise(row: int) -> Tensor:
            own, standard = study.cohort.percentiles[row], study.landmarks.numpy()
            return torch.from_numpy(np.interp(study.cohort.volumes[row], own, standard).astype(np.float32))[None]

        self.study, self.model = study, study.make_model()
        self.called = study.device.prepare(self.model)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=study.run["rate"])
        cache = CacheDataset(list(range(study.scans)), Lambda(standardise), num_workers=0, progress=False)
        # Batches wait in shared memory, where few large ones have room.
        ahead = {"prefetch_factor": 2 if study.batch <= 16 else 1, "persistent_workers": True} if workers else {}
        pinned = study.device.place.type == "cuda"
        pairs = Pairs(cache, study)
        self.loader = DataLoader(
            pairs, batch_size=study.batch, shuffle=True, num_workers=workers, pin_memory=pinned, **ahead
        )

    def run_block(self) -> None:
        """Train for a block of steps."""
        self.model.train()
        for sample in self.loader:
            moved = {name: value.to(self.study.device.place, non_blocking=True) for name, value in sample.items()}
            loss = self.compute_loss(moved)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()

    def compute_loss(self, sample: dict[str, Tensor]) -> Tensor:
        """Compute the loss of our step from views that are made."""
        run = self.study.run
        with self.study.device.autocast():
            class_1, class_2, restored = self.called(sample["view_1"], sample["view_2"])
        mixed = soft_label(sample["label"], sample["donor_label"], sample["share"].float())
        weights = contrast_weights(sample["label"].float(), mixed, run)
        words = {"weights": weights, "temperature": run["temperature"]}
        contrast = weighted_contrastive(view_1=class_1, view_2=class_2, **words)
        errors = absolute_errors(restored=restored, anchor=sample["anchor"])
        return run["contrast_weight"] * contrast + run["reconstruction_weight"] * errors.mean()
