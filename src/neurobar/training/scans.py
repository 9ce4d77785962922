"""Scans of one fold, standardised on the device: all held there, or read batch by batch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurobar.data.cohorts import Cohort
from neurobar.transforms.grids import coarsen_volumes
from neurobar.transforms.landmarks import standardise

CHUNK = 16  # scans that are held in float32 at once
LARGEST_SHARE = 0.5  # of the free memory that scans may fill; the rest is for the model


def read_landmarks(path: str | Path) -> Tensor:
    """Read the standard landmarks of a fold.

    Parameters
    ----------
    path : path
        The file of `fit_landmarks`.

    Returns
    -------
    float (P,)
    """
    return torch.tensor(json.loads(Path(path).read_text())["landmarks"])


def is_held(how: str, *, size: int, place: torch.device) -> bool:
    """Decide whether scans are held on the device.

    Parameters
    ----------
    how : {"auto", "held", "streamed"}
        The config's `training.cohort`.
    size : int
        Of the scans on the device [bytes].
    place : torch.device

    Returns
    -------
    bool
        With `auto`, whether they leave enough of the free memory.
    """
    if how != "auto":
        return how == "held"
    if place.type == "cuda":
        free = torch.cuda.mem_get_info(place)[0]
    else:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return size <= LARGEST_SHARE * free


class Scans:
    """Some scans of a cohort, standardised on the device as they are taken.

    Parameters
    ----------
    cohort : Cohort
    rows : int64 (n,)
        Rows of the cohort. No other scan is read.
    landmarks : float (P,)
        The standard landmarks of the fold.
    coarsen : int
        Voxels of the cohort along the edge of one that is returned.
    place : torch.device
    how : {"auto", "held", "streamed"}
        See `is_held`.
    """

    def __init__(
        self, cohort: Cohort, rows: np.ndarray, landmarks: Tensor, *, coarsen: int, place: torch.device, how: str
    ) -> None:
        self.cohort, self.rows, self.landmarks = cohort, rows, landmarks.to(place)
        self.coarsen, self.place = coarsen, place
        shape = (len(rows), 1, *(length // coarsen for length in cohort.volumes.shape[1:]))
        self.held: Tensor | None = None
        if is_held(how, size=2 * math.prod(shape), place=place):
            self.held = torch.empty(shape, dtype=torch.float16, device=place)
            for start in range(0, len(rows), CHUNK):
                self.held[start : start + CHUNK] = self._read(np.arange(len(rows))[start : start + CHUNK])

    def __len__(self) -> int:
        """Count the scans."""
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> Tensor:
        """Return some of the scans.

        Parameters
        ----------
        chosen : int64 (N,)
            Their places among the scans.

        Returns
        -------
        float16 (N, 1, D, H, W)
            Standardised intensities [-]; half precision keeps a whole cohort on one GPU.
        """
        if self.held is None:
            return self._read(chosen)
        return self.held[torch.from_numpy(chosen).to(self.place)]

    def _read(self, chosen: np.ndarray) -> Tensor:
        rows = self.rows[chosen]
        volumes = torch.from_numpy(self.cohort.volumes[rows]).unsqueeze(1)
        if self.place.type == "cuda":
            # From pinned memory the copy runs beside the work that the device has in hand.
            volumes = volumes.pin_memory()
        percentiles = torch.from_numpy(self.cohort.percentiles[rows]).to(self.place)
        standard = standardise(volumes.to(self.place, non_blocking=True), percentiles, self.landmarks)
        return coarsen_volumes(standard, self.coarsen).half()


class Ahead(Sequence):
    """Batches, each with its scans; those of the next are fetched while the device works on this one.

    Parameters
    ----------
    batches : sequence
        Whatever they are.
    fetch : callable
        Takes a batch and returns its scans, a tuple of tensors.
    scans : Scans
        Where all are held, there is nothing to fetch ahead.
    """

    def __init__(self, batches: Sequence[Any], fetch: Callable[[Any], tuple[Tensor, ...]], scans: Scans) -> None:
        self.batches, self.fetch, self.scans = batches, fetch, scans

    def __len__(self) -> int:
        """Count the batches."""
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[Any, tuple[Tensor, ...]]:
        """Return one batch with its scans."""
        return self.batches[number], self.fetch(self.batches[number])

    def __iter__(self) -> Iterator[tuple[Any, tuple[Tensor, ...]]]:
        """Yield each batch with its scans."""
        if self.scans.held is not None or not len(self):
            yield from map(self.__getitem__, range(len(self)))
            return
        stream = torch.cuda.Stream(self.scans.place) if self.scans.place.type == "cuda" else None
        with ThreadPoolExecutor(1) as reader:
            waiting = reader.submit(self._fetch_beside, 0, stream)
            for number in range(len(self)):
                batch, fetched = waiting.result()
                if stream is not None:
                    _hand_over(fetched, stream)
                if number + 1 < len(self):
                    waiting = reader.submit(self._fetch_beside, number + 1, stream)
                yield batch, fetched

    def _fetch_beside(self, number: int, stream: Any) -> tuple[Any, tuple[Tensor, ...]]:
        with torch.cuda.stream(stream):
            return self[number]


def _hand_over(fetched: tuple[Tensor, ...], stream: Any) -> None:
    """Let the device wait for a copy, and keep its memory until the device is done with it."""
    current = torch.cuda.current_stream(stream.device)
    current.wait_stream(stream)
    for tensor in fetched:
        tensor.record_stream(current)
