"""Run a study with Snakemake, and make its report.

Every option that is not named here goes to Snakemake: --configfile, --directory, --cores, --profile, --dry-run, ...

For example:
  neurobar run
  neurobar run --configfile studies/real_heads.yaml --directory runs/real_heads --cores 8
  neurobar run preprocess --configfile runs/mine/study.yaml --directory runs/mine
  neurobar run --dry-run
"""

from __future__ import annotations

import argparse

from neurobar.commands.workflow import become_snakemake, computes, parse_options

REPORT = "results/report/report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "--report-as",
        choices=("html", "zip", "none"),
        default="html",
        help="one file, a folder packed as zip for a large cohort, or no report (html); made when a whole study ran",
    )


def is_whole(options: list[str]) -> bool:
    """Tell whether Snakemake is asked to compute all that the study has."""
    return computes(options) and not parse_options(options).targets


def run(args: argparse.Namespace) -> None:
    """Run the study."""
    made = args.report_as != "none" and is_whole(args.further)
    report = ["--report", f"{REPORT}.{args.report_as}", "--report-after-run"] if made else []
    become_snakemake([*args.further, *report])
