"""What may not grow with a cohort, since it has an end: a command line; and how a large cohort goes in parts."""

import re
from collections import defaultdict

import pandas as pd
import pytest

COMMAND = re.compile(r"^        python -m neurobar\.(\S+) .*?2>&1$", re.MULTILINE | re.DOTALL)
APPLIED = {"scratch_clinic": {"task": "scratch", "cohort": "clinic"}}
ROWS = [{"framework": "A", "method": name, "task": name} for name in ("scratch", "bar", "scratch_clinic", "age_sex")]
SETTINGS = {
    "cohort": {"scans": "own.tsv", "ignored": ["MCI"]},
    "preprocess": {"skull_strip": "supplied"},
    "external": {"clinic": {"scans": "clinic.tsv", "study": "a clinic"}},
    "applied": APPLIED,
    "explain": {"tasks": ["bar"]},
    "tables": {"small": {"caption": "Small", "rows": ROWS}},
}
TARGETS = ["all", "results/export/bar"]
SIMULATED = ["explain", "--dry-run", "--printshellcmds"]


def write_sheet(folder, name, number):
    """Write a sheet of some scans with empty images; all names are as long as one another."""
    scans = [f"{name}-{place:03d}" for place in range(number)]
    table = pd.DataFrame({"scan": scans, "subject": scans, "path": [f"{scan}.nii.gz" for scan in scans]})
    table = table.assign(mask=[f"{scan}_mask.nii.gz" for scan in scans])
    for path in [*table["path"], *table["mask"]]:
        (folder / path).touch()
    table["diagnosis"] = (["CN", "AD", "MCI"] * number)[:number]
    table.to_csv(folder / f"{name}.tsv", sep="\t", index=False)


def longest_commands(calls, number):
    """Plan a study of some scans of its own and as many external ones; return the length of each rule's commands."""
    write_sheet(calls.folder, "own", number)
    write_sheet(calls.folder, "clinic", number)
    said = calls.run(*TARGETS, "--dry-run", "--printshellcmds", settings=SETTINGS)
    assert said.returncode == 0, said.stdout + said.stderr
    return measure_commands(said.stdout)


def measure_commands(text):
    lengths = defaultdict(int)
    for command in COMMAND.finditer(text):
        lengths[command[1]] = max(lengths[command[1]], len(command[0]))
    return dict(lengths)


@pytest.mark.slow
def test_no_command_line_grows_with_the_number_of_scans(workflow):
    few = longest_commands(workflow, 12)
    more = longest_commands(workflow, 48)
    assert few == more
    assert {
        "preprocess.judge_scans",
        "preprocess.pack_volumes",
        "draw.draw_checks",
        "export.export_model",
    } <= few.keys()
    # What the largest holds are settings; Linux takes 128 KiB in one argument.
    assert max(few.values()) < 20_000


@pytest.mark.slow
def test_no_command_line_grows_with_a_simulated_cohort(workflow):
    lengths = []
    for subjects in (101, 140):
        said = workflow.run(*SIMULATED, settings={"simulate": {"subjects": subjects}})
        assert said.returncode == 0, said.stdout + said.stderr
        lengths.append(measure_commands(said.stdout))
    few, more = lengths
    # The plan of a scan holds its own figures, some of which have fewer digits.
    assert abs(few.pop("simulate.simulate_scan") - more.pop("simulate.simulate_scan")) < 20
    assert few == more


@pytest.mark.slow
def test_a_part_of_the_scans_is_planned_as_the_page_on_scale_says(root, workflow):
    words = "results/preprocess/checks.tsv --batch judge_scans=1/10"
    assert f"`neurobar run {words}`" in (root / "docs" / "scale.md").read_text()
    write_sheet(workflow.folder, "own", 60)
    study = {"cohort": SETTINGS["cohort"]}
    jobs = workflow.plan(*words.split(), settings=study)
    # 40 of the 60 have a label that is studied.
    assert {jobs[rule] for rule in ("register_scan", "strip_skull", "check_scan")} == {4}
    assert "judge_scans" not in jobs
