"""What every command that works on the packed cohort is given."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from neurobar.data.cohorts import Cohort, part_of_fold, read_cohort, read_folds
from neurobar.data.files import written_whole
from neurobar.data.volumes import GRID_SPACING_MM
from neurobar.training.devices import Device, choose_device, describe
from neurobar.training.progress import Keepsake, Progress, fingerprint
from neurobar.training.scans import Scans, read_landmarks

#: Where and how a job computes, in the words of the config's `training`: nothing that changes what it computes.
MACHINE = {
    "device": "auto",
    "devices": 1,
    "strategy": "ddp",
    "cohort": "auto",
    "microbatch": None,
    "compile": False,
}


def machine_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return where and how a job computes; what it was not told is as in `MACHINE`."""
    return MACHINE | args.machine


def cohort_parser(description: str | None) -> argparse.ArgumentParser:
    """Start the command line of a training or prediction job.

    Parameters
    ----------
    description : str or None
        First lines of its help.

    Returns
    -------
    argparse.ArgumentParser
        With the arguments that name the cohort, its fold, seed, settings and device.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, meaning in {
        "volumes": "packed cohort, NPY",
        "percentiles": "intensity percentiles of its scans, NPY",
        "table": "table of its scans, TSV",
        "folds": "split of the scans, TSV",
        "landmarks": "intensity landmarks of the fold, JSON",
    }.items():
        parser.add_argument(f"--{name}", required=True, help=meaning)
    parser.add_argument("--fold", type=int, required=True, help="the fold that selects the model")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--machine", type=json.loads, default={}, help="device and others of `MACHINE`, JSON")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the job, JSON")
    parser.add_argument("--code", default="", help="hash of the code; progress made by other code is not gone on from")
    return parser


class FoldOfCohort:
    """The scans of one fold, standardised on the device as they are asked for.

    Parameters
    ----------
    args : argparse.Namespace
        From `cohort_parser`.
    device : Device

    Attributes
    ----------
    coarsen : int
        Voxels of the cohort along the edge of one that the network sees.
    seen : dict of str to list of str
        For each role, the scans that were used in it; the leak audit reads them.
    """

    def __init__(self, args: argparse.Namespace, device: Device) -> None:
        self.cohort: Cohort = read_cohort(args.volumes, args.percentiles, args.table)
        self.folds = read_folds(args.folds)
        self.fold = args.fold
        self.landmarks = read_landmarks(args.landmarks)
        self.coarsen = round(args.settings["voxel_mm"] / GRID_SPACING_MM)
        self.device = device
        self.holds = machine_of(args)["cohort"]
        self.seen: dict[str, list[str]] = {}

    def rows(self, part: str) -> pd.DataFrame:
        """Return the rows of the split that play one part; see `part_of_fold`."""
        return part_of_fold(self.folds, self.fold, part)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size D, H, W of the grid that the network sees."""
        return tuple(length // self.coarsen for length in self.cohort.volumes.shape[1:])

    def scans(self, part: str) -> Scans:
        """Return the scans of one part, in the order of `rows`."""
        return self.scans_of(self.rows(part)["scan"], part)

    def scans_of(self, names: pd.Series, role: str) -> Scans:
        """Return scans by their names, and remember in what role they were opened."""
        self.seen[role] = names.tolist()
        rows = self.cohort.rows_of(names)
        place, how = self.device.place, self.holds
        return Scans(self.cohort, rows, self.landmarks, coarsen=self.coarsen, place=place, how=how)

    def labels(self, part: str) -> Tensor:
        """Return the labels of one part on the device, float (n,), in the order of `rows`."""
        return torch.tensor(self.rows(part)["label"].to_numpy(), device=self.device.place).float()

    def state(self) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
        """Return what a job that is taken up has to remember: who was seen."""
        return {}, {role: sorted(set(scans)) for role, scans in self.seen.items()}

    def restore(self, _weights: dict[str, Tensor], seen: dict[str, list[str]]) -> None:
        """Remember who was seen before the job was killed."""
        self.seen = {role: list(scans) for role, scans in seen.items()}

    def write_seen(self, path: str | Path) -> None:
        """Write which scan was used in which role.

        Parameters
        ----------
        path : path
            TSV with the columns role and scan.
        """
        pairs = [(role, scan) for role, scans in self.seen.items() for scan in sorted(set(scans))]
        with written_whole(path) as partial:
            pd.DataFrame(pairs, columns=["role", "scan"]).to_csv(partial, sep="\t", index=False)


def open_fold(args: argparse.Namespace, *, alone: bool = False) -> FoldOfCohort:
    """Choose the device, print the settings and open the cohort.

    Parameters
    ----------
    args : argparse.Namespace
        From `cohort_parser`.
    alone : bool
        True for a job that one device does, however many train.

    Returns
    -------
    FoldOfCohort
    """
    machine = machine_of(args)
    device = choose_device(
        device=machine["device"],
        threads=args.threads,
        precision=args.settings["precision"],
        devices=1 if alone else machine["devices"],
        strategy=machine["strategy"],
        is_compiled=machine["compile"],
    )
    if device.rank == 0:
        print(json.dumps({"fold": args.fold, "seed": args.seed, **args.settings, **describe(device)}), flush=True)
    return FoldOfCohort(args, device)


def open_progress(
    args: argparse.Namespace, fold: FoldOfCohort, *, beside: str, inputs: Iterable[str | None], **keepsakes: Keepsake
) -> Progress:
    """Open the file that a training job goes on from when it was killed, beside its output.

    Parameters
    ----------
    args : argparse.Namespace
        From `cohort_parser`.
    fold : FoldOfCohort
    beside : path
        What the job writes in the end.
    inputs : iterable of path
        What it reads beside the cohort.
    **keepsakes
        What else it has to remember.

    Returns
    -------
    Progress
    """
    # The kind of device draws other random numbers; the volumes are too large to hash, so size and time stand for them.
    volumes, kind = Path(args.volumes).stat(), (fold.device.place.type, fold.device.is_mixed)
    words = [json.dumps(args.settings, sort_keys=True), str(args.fold), str(args.seed), args.code]
    words += [str(kind), str((volumes.st_size, volumes.st_mtime_ns))]
    made_from = fingerprint(words, [args.percentiles, args.table, args.folds, args.landmarks, *filter(None, inputs)])
    path = Path(beside).with_name("progress.safetensors")
    return Progress(path, made_from, {"seen": fold, **keepsakes}, is_writer=fold.device.rank == 0)


def write_history(path: str | Path, history: list[dict[str, float]]) -> None:
    """Write the figures of each epoch.

    Parameters
    ----------
    path : path
    history : list of dict
    """
    with written_whole(path) as partial:
        pd.DataFrame(history).to_csv(partial, sep="\t", index=False)


def run_command(job: Callable[[argparse.Namespace], None], args: argparse.Namespace) -> None:
    """Run a job, and end with one sentence where input or settings are at fault; `call_command` knows the machine.

    Parameters
    ----------
    job : callable
    args : argparse.Namespace
    """
    try:
        job(args)
    except (ValueError, FloatingPointError) as error:
        sys.exit(str(error))
