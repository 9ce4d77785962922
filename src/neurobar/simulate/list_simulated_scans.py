"""Plan a simulated cohort and write the tables of its BIDS data set.

The workflow asks for the plan while it loads, so the plan is drawn without reading or importing any image code.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole

SHEET_COLUMNS = ("scan", "subject", "session", "path", "diagnosis", "age", "sex", "site")
PARTICIPANT_COLUMNS = ("participant_id", "diagnosis", "age", "sex", "site")
SITES = ("north", "east", "west")
DAY_IN_YEARS = 1 / 365.25


def plan_subject(settings: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    """Draw one subject and its sessions.

    Each subject has a generator of its own, so a larger cohort begins with the scans of a smaller one.

    Parameters
    ----------
    settings : mapping
        The section `simulate` of the config.
    number : int
        Place of the subject in the cohort, from 1.

    Returns
    -------
    list of dict
        One plan for each session, as in `planned_scans`.
    """
    draw = Random(f"{settings['seed']} subject {number}")
    # Spread evenly instead of drawn: every beginning of the cohort is as balanced as it can be.
    share = settings["ad_share"]
    diagnosis = "AD" if math.floor(number * share) > math.floor((number - 1) * share) else "CN"
    mean = settings["ad_age_mean_years"] if diagnosis == "AD" else settings["cn_age_mean_years"]
    age = min(92.0, max(55.0, draw.gauss(mean, settings["age_sd_years"])))
    subject = {
        "subject": f"sub-{number:03d}",
        "diagnosis": diagnosis,
        "sex": draw.choice("FM"),
        "site": draw.choice(SITES[: settings["sites"]]),
    }
    severity = draw_severity(draw, diagnosis, age, settings["ad_severity_mean"])
    yearly = draw.uniform(0.04, 0.10) if diagnosis == "AD" else draw.uniform(0.0, 0.02)
    later = draw.gauss(365, 20) * DAY_IN_YEARS
    years = (0.0, later) if draw.random() < settings["two_session_share"] else (0.0,)
    return [
        plan_session(settings, subject, place, age + elapsed, min(1.0, severity + yearly * elapsed))
        for place, elapsed in enumerate(years, start=1)
    ]


def draw_severity(draw: Random, diagnosis: str, age: float, ad_mean: float) -> float:
    """Draw how far the disease has gone, so that the two groups overlap.

    Parameters
    ----------
    draw : random.Random
        Generator, advanced by the draw.
    diagnosis : {"AD", "CN"}
        Group of the subject.
    age : float
        Age [years].
    ad_mean : float
        Mean severity of the AD group [0..1].

    Returns
    -------
    float
        Severity [0..1]; a CN subject has at most 0.3, more with age.
    """
    if diagnosis == "AD":
        return draw.betavariate(4 * ad_mean, 4 * (1 - ad_mean))
    return 0.3 * draw.betavariate(1.5, 2.0) * (0.5 + 0.5 * (age - 55) / 37)


def plan_session(
    settings: Mapping[str, Any], subject: Mapping[str, Any], place: int, age: float, severity: float
) -> dict[str, Any]:
    """Combine a subject and a session into the plan of one scan.

    Parameters
    ----------
    settings : mapping
        The section `simulate` of the config.
    subject : mapping
        Subject, diagnosis, sex and site.
    place : int
        Place of the session, from 1.
    age, severity : float
        Age [years] and severity [0..1] at that session.

    Returns
    -------
    dict
        One plan, as in `planned_scans`.
    """
    session = f"ses-{place}"
    scan = f"{subject['subject']}_{session}"
    return {
        "scan": scan,
        "subject": subject["subject"],
        "session": session,
        "path": f"{subject['subject']}/{session}/anat/{scan}_T1w.nii.gz",
        "diagnosis": subject["diagnosis"],
        "age": round(age, 1),
        "sex": subject["sex"],
        "site": subject["site"],
        "severity": round(severity, 4),
        "seed": settings["seed"],
        "noise_share": settings["noise_share"],
        "bias_share": settings["bias_share"],
        "rotation_sd_degrees": settings["rotation_sd_degrees"],
        "shift_sd_mm": settings["shift_sd_mm"],
    }


def planned_scans(settings: Mapping[str, Any]) -> pd.DataFrame:
    """Plan every scan of the cohort.

    Parameters
    ----------
    settings : mapping
        The section `simulate` of the config.

    Returns
    -------
    pandas.DataFrame
        One plan in a row, with the columns of the sheet (`path` from the folder of the sheet), `severity` [0..1] and
        what else `simulate_scan` needs. A plan depends on the settings and on its own subject alone.
    """
    numbers = range(1, settings["subjects"] + 1)
    return pd.DataFrame([plan for number in numbers for plan in plan_subject(settings, number)])


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as tab-separated values."""
    with written_whole(path) as partial:
        table.to_csv(partial, sep="\t", index=False)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write one JSON object."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def write_tables(plans: pd.DataFrame, folder: Path) -> None:
    """Write the sheet, the tables and the descriptions of the data set.

    Parameters
    ----------
    plans : pandas.DataFrame
        From `planned_scans`.
    folder : pathlib.Path
        Root of the BIDS data set.
    """
    write_table(folder / "scans.tsv", plans[list(SHEET_COLUMNS)])
    first = plans.drop_duplicates("subject").rename(columns={"subject": "participant_id"})
    write_table(folder / "participants.tsv", first[list(PARTICIPANT_COLUMNS)])
    description = {"Name": "Simulated cohort", "BIDSVersion": "1.9.0", "DatasetType": "raw", "License": "CC0"}
    write_json(folder / "dataset_description.json", description)
    truth = {
        "Name": "What the simulated scans were made from",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "neurobar.simulate"}],
    }
    write_json(folder / "derivatives" / "truth" / "dataset_description.json", truth)


def main(argv: list[str] | None = None) -> None:
    """Read the command line and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=json.loads, required=True, help="section `simulate` of the config, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="root of the BIDS data set")
    args = parser.parse_args(argv)
    write_tables(planned_scans(args.settings), args.output)


if __name__ == "__main__":
    call_command(main)
