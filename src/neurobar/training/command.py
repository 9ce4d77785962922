"""What every command that works on the packed cohort is given."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from torch import Tensor

from neurobar.data.cohorts import Cohort, part_of_fold, read_cohort, read_folds
from neurobar.data.files import written_whole
from neurobar.data.volumes import GRID_SPACING_MM
from neurobar.training.devices import Device, choose_device, describe
from neurobar.training.scans import load_scans, read_landmarks


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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--settings", type=json.loads, required=True, help="settings of the job, JSON")
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
        self.seen: dict[str, list[str]] = {}

    def rows(self, part: str) -> pd.DataFrame:
        """Return the rows of the split that play one part; see `part_of_fold`."""
        return part_of_fold(self.folds, self.fold, part)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size D, H, W of the grid that the network sees."""
        return tuple(length // self.coarsen for length in self.cohort.volumes.shape[1:])

    def load(self, part: str) -> Tensor:
        """Load the volumes of one part, float16 (n, 1, D, H, W), in the order of `rows`."""
        scans = self.rows(part)["scan"]
        return load_scans(self.cohort, scans, self.landmarks, coarsen=self.coarsen, device=self.device.place)

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


def open_fold(args: argparse.Namespace) -> FoldOfCohort:
    """Choose the device, print the settings and open the cohort.

    Parameters
    ----------
    args : argparse.Namespace
        From `cohort_parser`.

    Returns
    -------
    FoldOfCohort
    """
    device = choose_device(device=args.device, threads=args.threads, precision=args.settings["precision"])
    print(json.dumps({"fold": args.fold, "seed": args.seed, **args.settings, **describe(device)}), flush=True)
    return FoldOfCohort(args, device)


def run_command(job: Callable[[argparse.Namespace], None], args: argparse.Namespace) -> None:
    """Run a job, and end with one sentence where its input or settings are at fault.

    Parameters
    ----------
    job : callable
    args : argparse.Namespace
    """
    try:
        job(args)
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(str(error))
