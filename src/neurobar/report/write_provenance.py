"""Write what made the tables: code, settings, versions, inputs, machine, and what each rule took.

WRITES `provenance.json` and the same as a page. The keys of the file:

anonymised  whether names and paths are left out
codes       for each rule the hash of the code that it runs; of pre-training for each run
cohort      scans in the split of the study and their subjects, by part; scans left out
commit      git's name of the code and whether anything that results depend on differed from it; null where unknown
devices     on what training jobs computed, from their logs: rule, device, devices, threads, precision, jobs
inputs      SHA-256 of the sheets (null where anonymised), of template, atlas and regions on the grid, and of the
            intensity percentiles of all packed scans, which stand for their volumes; where the template's head is from
machine     the machine that wrote this file: system, processor, cores, memory_gb
rules       for each rule jobs, seconds_median, seconds_sum, largest_rss_mb, first_started, last_ended
settings    of the whole study, defaults included
versions    of Python, of this package and of all pinned packages that are installed
written     when (UTC)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.disclosures import CARRIED, cover_path
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.report.benchmarks import measure_rules
from neurobar.report.machines import describe_machine, list_devices
from neurobar.report.provenance_page import write_provenance_page
from neurobar.report.versions import find_commit, list_versions


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def describe_inputs(args: argparse.Namespace) -> dict[str, Any]:
    """Name what came in by its checksums.

    Parameters
    ----------
    args : argparse.Namespace
        Of this command.

    Returns
    -------
    dict
        template_head (where it is from, and its checksum where it is a file), and a checksum for sheet, each of the
        external_sheets, template, atlas, regions and percentiles.
    """
    head = json.loads(Path(args.record).read_text(encoding="utf-8"))
    if args.anonymise:
        head["head"] = cover_path(head["head"], CARRIED["head"])
    # Who knows all but a name of a short sheet could find it by its checksum.
    own, *others = (None if args.anonymise else hash_file(path) for path in args.sheets)
    external = dict(zip(args.settings["external"], others, strict=True))
    files = {name: hash_file(getattr(args, name)) for name in ("template", "atlas", "regions", "percentiles")}
    return {"template_head": head, "sheet": own, "external_sheets": external, **files}


def count_cohort(folds: pd.DataFrame, packed: pd.DataFrame) -> dict[str, Any]:
    """Count who takes part.

    Parameters
    ----------
    folds : pandas.DataFrame
        The split of the study.
    packed : pandas.DataFrame
        Table of the packed cohort.

    Returns
    -------
    dict
        scans and subjects of the split, of its test set and of the others; scans that were left out.
    """
    tested = folds["part"] == "test"
    parts = {"all": folds, "test": folds[tested], "development": folds[~tested]}
    counts = {name: {"scans": len(rows), "subjects": rows["subject"].nunique()} for name, rows in parts.items()}
    return counts | {"left_out": int((~packed["used"]).sum())}


def only_finite(value: Any) -> Any:
    """Turn numbers that JSON does not have into words, at any depth."""
    if isinstance(value, dict):
        return {str(key): only_finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [only_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def collect(args: argparse.Namespace) -> dict[str, Any]:
    """Put together what the file holds.

    Parameters
    ----------
    args : argparse.Namespace
        Of this command.

    Returns
    -------
    dict
        As the module says.
    """
    settings = args.settings | {"training": args.settings["training"] | args.machine}
    return {
        "anonymised": args.anonymise,
        "codes": args.codes,
        "cohort": count_cohort(read_folds(args.folds), pd.read_csv(args.packed, sep="\t")),
        "commit": find_commit(),
        "devices": list_devices(args.logs),
        "inputs": describe_inputs(args),
        "machine": describe_machine(),
        "rules": measure_rules(args.benchmarks),
        "settings": only_finite(settings),
        "versions": list_versions(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=json.loads, required=True, help="of the study, as they may be shown, JSON")
    parser.add_argument("--machine", type=json.loads, required=True, help="where training jobs compute, JSON")
    parser.add_argument("--codes", type=json.loads, required=True, help="hash of the code of each rule, JSON")
    parser.add_argument("--anonymise", type=json.loads, required=True, help="leave out names and paths: true or false")
    parser.add_argument("sheets", nargs="+", help="sheets of the study and of external cohorts")
    for name, meaning in {
        "record": "where the head of the template comes from, JSON",
        "template": "template on the grid, NIfTI",
        "atlas": "regions on the grid, NIfTI",
        "regions": "names of the regions, TSV",
        "percentiles": "intensity percentiles of all scans, NPY",
        "packed": "table of the packed cohort, TSV",
        "folds": "split of the study, TSV",
        "benchmarks": "folder of benchmarks",
        "logs": "folder of logs",
        "provenance": "JSON (output)",
        "page": "HTML (output)",
    }.items():
        parser.add_argument(f"--{name}", type=Path, required=True, help=meaning)
    args = parser.parse_args(argv)
    provenance = collect(args)
    text = json.dumps(provenance, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    with written_whole(args.provenance) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    write_provenance_page(args.page, provenance)


if __name__ == "__main__":
    call_command(main)
