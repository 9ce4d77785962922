"""Check settings, sheet and scans before anything runs, and say how many jobs, core-hours and bytes the study takes.

A target such as preprocess, and every option that is not named here, goes to Snakemake. Settings of --config are not
counted: write them into a file.

For example:
  neurobar check
  neurobar check --configfile runs/mine/study.yaml --directory runs/mine
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from neurobar.commands.costs import estimate, kept_bytes, read_measured
from neurobar.commands.workflow import locate_workflow, plan_jobs
from neurobar.data import rosters
from neurobar.data.headers import check_header, read_header
from neurobar.data.studies import Study
from neurobar.data.volumes import refused
from neurobar.simulate.list_simulated_scans import planned_scans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="settings laid over config.yaml")
    parser.add_argument("--directory", type=Path, default=Path(), help="working folder of the study (here)")


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in the folder of a study, as its jobs do: paths of the config are relative to it."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def read_settings(files: list[Path]) -> dict[str, Any]:
    """Lay settings over those of the default study, as Snakemake does.

    Parameters
    ----------
    files : list of pathlib.Path
        In this order.

    Returns
    -------
    dict
    """
    from snakemake.utils import update_config

    config: dict[str, Any] = {}
    for path in [locate_workflow() / "config.yaml", *files]:
        update_config(config, yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return config


def list_scans(config: dict[str, Any]) -> pd.DataFrame:
    """List the scans of a study, and those of its external cohorts.

    Parameters
    ----------
    config : dict
        Checked already.

    Returns
    -------
    pandas.DataFrame
        scan, subject and path; a simulated cohort has no files yet.
    """
    simulated = config["cohort"]["scans"] is None
    own = rosters.read_own(config["cohort"], planned_scans(config["simulate"]) if simulated else None)
    sheet = "the simulated cohort" if simulated else config["cohort"]["scans"]
    external = rosters.read_external(Study(config).external, sheet, own)
    tables = [own.assign(path=None) if simulated else own, *external.values()]
    return pd.concat([table[["scan", "subject", "path"]] for table in tables], ignore_index=True)


def find_faults(scans: pd.DataFrame) -> list[str]:
    """Read the header of every scan, a thousandth of a second each.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `list_scans`.

    Returns
    -------
    list of str
        A sentence for each scan that cannot be a head.
    """
    faults = []
    for path in scans["path"].dropna():
        try:
            with refused(path):
                check_header(read_header(path))
        except ValueError as error:
            faults.append(str(error))
    return faults


def describe_costs(jobs: dict[str, int], config: dict[str, Any], scans: int) -> str:
    """Say what the jobs take.

    Parameters
    ----------
    jobs : dict of str to int
        Jobs of each rule.
    config : dict
    scans : int

    Returns
    -------
    str
        A table and its sum.
    """
    default = read_settings([])
    costs = estimate(
        jobs,
        config,
        default,
        scans=scans,
        default_scans=len(planned_scans(default["simulate"])),
        measured=read_measured(Path("results/benchmarks")),
    )
    shown = costs.assign(
        each=[f"{value:.1f}" if pd.notna(value) else "not known" for value in costs["seconds"]],
        hours=[f"{value:.2f}" if pd.notna(value) else "not known" for value in costs["hours"]],
    )[["rule", "jobs", "each", "hours", "source"]]
    lines = [shown.rename(columns={"each": "seconds each", "hours": "core-hours"}).to_string(index=False)]
    lines.append(f"In all {costs['hours'].sum():.1f} core-hours on cores such as those that were measured.")
    if unknown := costs.loc[costs["hours"].isna(), "rule"].tolist():
        lines.append(
            f"Not in this sum: {', '.join(unknown)}. Jobs of this size were not measured yet; run this command again "
            "when one of each is done."
        )
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Check the study and print what it takes.

    Raises
    ------
    ValueError
        If settings, sheet or scans are at fault.
    """
    if not args.directory.is_dir():
        raise ValueError(f"there is no folder {args.directory}; it is the working folder of the study.")
    files = [path.absolute() for path in args.configfile]
    options = ["--directory", str(args.directory), *(["--configfile", *map(str, files)] if files else [])]
    jobs = plan_jobs([*args.further, *options])
    with _inside(args.directory):
        config = read_settings(files)
        scans = list_scans(config)
        faults = find_faults(scans[~scans["scan"].isin(config["preprocess"]["exclude"])])
        print(f"Settings and sheet: in order, {len(scans)} scans of {scans['subject'].nunique()} subjects.")
        print(describe_costs(jobs, config, len(scans)) if jobs else "Nothing to be done.")
        print(f"Kept on disk when all is done: about {kept_bytes(config, scans=len(scans)) / 1e9:.2f} GB.")
    if faults:
        listed = "\n".join(faults)
        raise ValueError(
            f"{len(faults)} of {len(scans)} scans cannot be preprocessed; mend them, or name them in "
            f"preprocess.exclude:\n{listed}"
        )
