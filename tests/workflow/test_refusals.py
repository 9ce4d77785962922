"""What is wrong with config or sheet stops the workflow before any job, with one sentence."""

import pandas as pd
import pytest

SHEET = pd.DataFrame(
    {
        "scan": ["a", "b"],
        "subject": ["s1", "s2"],
        "path": ["a.nii.gz", "b.nii.gz"],
        "diagnosis": ["CN", "AD"],
    }
)


def refusal(workflow, settings):
    """Return what a dry run says when it is refused."""
    done = workflow.run("--dry-run", settings=settings)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "Job stats" not in said
    return said


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pretrain": {"epochz": 3}}, "Config: unknown key pretrain.epochz; known here are"),
        ({"runs": {"bar": {"sigmma": 3}}}, "Config: unknown key runs.bar.sigmma"),
        ({"finetune": {"rate": "fast"}}, "Config: finetune.rate: 'fast' is not of type 'number'."),
        ({"tasks": {"bar": {"run": "bra"}}}, "Config: tasks.bar.run names 'bra', which is not among runs."),
        ({"cohort": {"scans": "nowhere.tsv"}}, "The sheet of scans nowhere.tsv does not exist"),
    ],
)
def test_a_faulty_config_names_its_key(workflow, settings, sentence):
    assert sentence in refusal(workflow, settings)


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        (SHEET.drop(columns="subject"), "scans.tsv has no column 'subject'"),
        (SHEET.assign(scan="a"), "scans.tsv, row 3: scan 'a' stands already in row 2."),
        (SHEET.assign(path=["a.nii.gz", "gone.nii.gz"]), "scans.tsv, row 3: there is no file 'gone.nii.gz'."),
        (SHEET.assign(diagnosis=["CN", "FTD"]), "scans.tsv, row 3: diagnosis 'FTD' is neither CN nor AD"),
    ],
)
def test_a_faulty_sheet_names_its_row(workflow, sheet, sentence):
    for name in ("a.nii.gz", "b.nii.gz"):
        (workflow.folder / name).touch()
    sheet.to_csv(workflow.folder / "scans.tsv", sep="\t", index=False)
    assert sentence in refusal(workflow, {"cohort": {"scans": "scans.tsv"}})
