"""Calls of Snakemake: where the workflow is, what it is told, and what it says."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from neurobar.commands.config_files import refuse_programs
from neurobar.commands.locks import hold_folder

#: Of a clone, in which the package lies as `src/neurobar`.
ROOT = Path(__file__).parents[3]
#: A row of the table of jobs that Snakemake prints.
COUNT = re.compile(r"^(\w+)\s+(\d+)\s*$", re.MULTILINE)
#: The name of a rule, its own or of one that borrows from another.
RULE = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.MULTILINE)
#: How Snakemake opens an error of ours; what follows is the sentence.
FAULT = re.compile(r"^WorkflowError in file .*\n(.*)", re.MULTILINE)


def locate_workflow() -> Path:
    """Return the folder of the Snakefile.

    Raises
    ------
    ValueError
        If the package was installed without it.
    """
    if not (ROOT / "Snakefile").is_file():
        raise ValueError(
            f"there is no Snakefile in {ROOT}; clone the repository and install it with `pip install --editable .`."
        )
    return ROOT


def words_of(options: list[str]) -> list[str]:
    """Write the command line of Snakemake.

    Parameters
    ----------
    options : list of str
        What the user wants of it beside the workflow of this package: all cores where nothing is said of them, nor a
        profile is named.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If there is no workflow, or a file of settings would run code.
    """
    root = locate_workflow()
    refuse_programs(parse_options(options).configfile or [])
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    if not any(re.match(r"--(workflow-)?profile", option) for option in options):
        words += ["--workflow-profile", str(root / "profiles" / "default")]
        # A profile says itself how many jobs there may be: on a cluster that is no number of cores.
        if not any(re.match(r"(--cores|--jobs|-c|-j)", option) for option in options):
            words += ["--cores", "all"]
    return [*words, *options]


def computes(options: list[str]) -> bool:
    """Tell whether Snakemake is asked to compute, and not to plan, unlock or describe.

    Parameters
    ----------
    options : list of str

    Returns
    -------
    bool
    """
    asked = parse_options(options)
    else_asked = (asked.dryrun, asked.unlock, asked.report, asked.lint, asked.summary, asked.dag, asked.rulegraph)
    else_asked += (asked.detailed_summary, asked.filegraph, asked.list_rules, asked.list_target_rules)
    return not asked.touch and not any(else_asked)


def parse_options(options: list[str]) -> argparse.Namespace:
    """Read options as Snakemake will, those of a profile that they name among them."""
    from snakemake.cli import get_argument_parser

    asked = get_argument_parser().parse_known_args(options)[0]
    if not asked.profile or "none" in asked.profile:
        return asked
    return get_argument_parser(profiles=asked.profile).parse_known_args(options)[0]


def become_snakemake(options: list[str]) -> None:
    """Turn into Snakemake, so that an interrupt reaches it alone and it ends its jobs in order.

    Parameters
    ----------
    options : list of str

    Raises
    ------
    ValueError
        If the working folder cannot be had; see `hold_folder`.
    """
    words = words_of(options)
    hold_if_computing(options)
    sys.stdout.flush()
    os.execve(words[0], words, _environment())


def hold_if_computing(options: list[str]) -> None:
    """Keep other runs out of the working folder, unless Snakemake only plans, unlocks or describes."""
    if computes(options):
        hold_folder(Path(parse_options(options).directory or "."))


def call_snakemake(options: list[str]) -> None:
    """Run Snakemake, whose words go straight to the screen, and go on after it.

    Parameters
    ----------
    options : list of str

    Raises
    ------
    ValueError
        If it failed, or the working folder cannot be had; see `hold_folder`.
    """
    words = words_of(options)
    hold_if_computing(options)
    if subprocess.run(words, env=_environment(), check=False).returncode:
        raise ValueError("the workflow did not come to its end; its own words stand above.")


def _environment() -> dict[str, str]:
    # One thread for each job keeps its results repeatable; jobs run side by side instead.
    return {"OMP_NUM_THREADS": "1", **os.environ}


def plan_jobs(options: list[str]) -> dict[str, int]:
    """Ask Snakemake what it would do.

    Parameters
    ----------
    options : list of str

    Returns
    -------
    dict of str to int
        Jobs of each rule that computes; empty where nothing is to be done.

    Raises
    ------
    ValueError
        With the sentence about settings or sheet, or Snakemake's own words.
    """
    words = [*words_of(options), "--dry-run", "--quiet", "rules"]
    planned = subprocess.run(words, capture_output=True, text=True, check=False)
    said = planned.stdout + planned.stderr
    if planned.returncode:
        fault = FAULT.search(said)
        raise ValueError(fault[1] if fault else said.strip())
    table = said[: said.find("\nReasons:")]
    # Rules that compute stand in files of their stages; those of the Snakefile are targets.
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    computing = {rule for text in texts for rule in RULE.findall(text)}
    return {rule: int(count) for rule, count in COUNT.findall(table) if rule in computing}
