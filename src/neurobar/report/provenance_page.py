"""The page that says what made the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.figures.pages import paragraph, table_of, write_page

UNKNOWN = "not known"
COSTS = (
    "Wall time and memory of the jobs of each rule, as they were when each job ran last; jobs ran side by side, "
    "so that the study took less than the sum. Memory is the largest of a job (resident set), and missing where a job "
    "was too short to be measured. Jobs that ran under settings of before, whose results still lie here, count as well."
)
MACHINE = "The machine that wrote this page; jobs of a cluster may have run on others."
DEVICES = "What training jobs computed on, as their logs say."
INPUTS = (
    "SHA-256 of what came in. The percentiles are the intensities of every packed scan, which stand for its volume. "
    "Sheets have none where the report is anonymised."
)
CODES = "Hash of the code that each rule runs, without comments; a rule whose hash changes runs again."


def write_provenance_page(path: Path, provenance: dict[str, Any]) -> None:
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
    provenance : dict
        See `write_provenance`.
    """
    parts = [paragraph(describe_code(provenance))]
    parts += ["<h2>What each rule took</h2>", table_of(tabulate_rules(provenance["rules"]), sortable=True)]
    parts += [paragraph(COSTS), "<h2>Cohort</h2>", table_of(tabulate_cohort(provenance["cohort"]))]
    for title, name, caption in (("Machine", "machine", MACHINE), ("Inputs", "inputs", INPUTS)):
        parts += [f"<h2>{title}</h2>", list_values(provenance[name]), paragraph(caption)]
    parts += ["<h2>Devices of training</h2>", table_of(tabulate_devices(provenance["devices"])), paragraph(DEVICES)]
    for title, name in (("Settings", "settings"), ("Versions", "versions"), ("Code", "codes")):
        said = paragraph(CODES) if name == "codes" else ""
        parts.append(f"<details><summary>{title}</summary>{said}{list_values(provenance[name])}</details>")
    write_page(path, "Provenance", "".join(parts))


def describe_code(provenance: dict[str, Any]) -> str:
    """Say in a sentence which code it was and when.

    Parameters
    ----------
    provenance : dict
        See `write_provenance`.

    Returns
    -------
    str
    """
    code = provenance["commit"]
    states = {True: "with nothing changed since", False: "with changes since that are not in it", None: ""}
    commit = f"commit {code['commit'] or UNKNOWN}"
    told = ", ".join(part for part in (commit, states[code["clean"]]) if part)
    return (
        f"Made with neurobar {provenance['versions']['neurobar']} ({told}) and Python "
        f"{provenance['versions']['python']}; written {write_time(provenance['written'])}. The same, for programs, is "
        "results/report/provenance.json."
    )


def tabulate_rules(rules: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Lay out what rules took.

    Parameters
    ----------
    rules : dict
        From `measure_rules`.

    Returns
    -------
    pandas.DataFrame of str
        In the order in which rules began.
    """
    rows = []
    for name, rule in sorted(rules.items(), key=lambda item: item[1]["first_started"]):
        memory = "–" if rule["largest_rss_mb"] is None else f"{rule['largest_rss_mb']:.0f}"
        seconds = (f"{rule['seconds_median']:.1f}", f"{rule['seconds_sum']:.1f}")
        times = (write_time(rule["first_started"]), write_time(rule["last_ended"]))
        rows.append((name, str(rule["jobs"]), *seconds, memory, *times))
    heads = ["Rule", "Jobs", "Median [s]", "Sum [s]", "Memory [MB]", "First began", "Last ended"]
    return pd.DataFrame(rows, columns=heads)


def tabulate_cohort(cohort: dict[str, Any]) -> pd.DataFrame:
    """Lay out who takes part."""
    parts = {"all": "Split of the study", "test": "Test set", "development": "Development"}
    rows = [(title, str(cohort[name]["scans"]), str(cohort[name]["subjects"])) for name, title in parts.items()]
    rows.append(("Left out by checks or by name", str(cohort["left_out"]), "–"))
    return pd.DataFrame(rows, columns=["Part", "Scans", "Subjects"])


def tabulate_devices(devices: list[dict[str, Any]]) -> pd.DataFrame:
    """Lay out on what training jobs computed."""
    heads = {"rule": "Rule", "device": "Device", "devices": "Devices of a job", "threads": "Threads"}
    heads |= {"precision": "Precision", "jobs": "Jobs"}
    rows = [[UNKNOWN if row[name] is None else str(row[name]) for name in heads] for row in devices]
    return pd.DataFrame(rows, columns=list(heads.values()))


def list_values(values: dict[str, Any]) -> str:
    """Turn settings at any depth into a table of two columns, a key for each row: `training.voxel_mm`.

    Parameters
    ----------
    values : dict

    Returns
    -------
    str
        HTML.
    """
    table = pd.DataFrame(list(_flatten(values)), columns=["Name", "Value"])
    return f'<div class="words">{table_of(table)}</div>'


def _flatten(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            rows += _flatten(value, f"{above}{key}.")
        else:
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rows.append((f"{above}{key}", "–" if value is None else told))
    return rows


def write_time(stamp: str) -> str:
    """Write a time of ISO 8601 for readers."""
    return stamp.replace("T", " ").replace("+00:00", " UTC")
