"""What a change to the config or the sheet makes the preprocessing do again, and nothing else."""

import os
import time

import pandas as pd
import pytest

SCANS = ["a", "b", "c"]
SETTINGS = {"cohort": {"scans": "scans.tsv"}, "preprocess": {"skull_strip": "supplied"}}
OF_A_SCAN = ["registration.json", "native_brain_mask.nii.gz", "bias.json", "volume.nii.gz", "check.json", "check.png"]
OF_A_SCAN += ["deformation.nii.gz", "t1w_stripped.nii.gz", "t1w_n4.nii.gz"]
OF_ALL = ["checks.tsv", "cohort.tsv", "cohort.npy", "percentiles.npy"]
TEMPLATE = ["template.nii.gz", "template_mask.nii.gz", "template_head.nii.gz", "template_depth.nii.gz", "template.json"]
EACH_SCAN = ["register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan"]
OF_COHORT = {"judge_scans": 1, "pack_volumes": 1, "preprocess": 1}


def write_sheet(folder, **changes):
    """Write the sheet of three scans with changes to columns of the first."""
    table = pd.DataFrame({"scan": SCANS, "subject": SCANS, "path": [f"{scan}.nii.gz" for scan in SCANS]})
    table = table.assign(mask=[f"{scan}_mask.nii.gz" for scan in SCANS], diagnosis=["CN", "AD", "CN"], prepared="")
    for column, value in changes.items():
        table.loc[0, column] = value
    table.to_csv(folder / "scans.tsv", sep="\t", index=False)


@pytest.fixture(scope="module")
def finished(root, workflow_class, tmp_path_factory):
    """Return a workflow that believes it has preprocessed three scans; every file holds its own name."""
    folder = tmp_path_factory.mktemp("finished")
    write_sheet(folder)
    names = [f"{scan}{end}.nii.gz" for scan in SCANS for end in ("", "_mask")]
    names += [f"results/fetch/{name}" for name in TEMPLATE]
    names += [f"results/preprocess/{scan}/{name}" for scan in SCANS for name in OF_A_SCAN]
    names += [f"results/preprocess/{name}" for name in OF_ALL]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    calls = workflow_class(root, folder)
    done = calls.run("preprocess", "--touch", "--forceall", settings=SETTINGS)
    assert done.returncode == 0, done.stderr
    return calls


def plan(finished, **preprocess):
    """Return what would be done with changes to the section `preprocess`."""
    return finished.plan("preprocess", settings=SETTINGS | {"preprocess": SETTINGS["preprocess"] | preprocess})


def test_nothing_is_done_twice(finished):
    assert plan(finished) == {}


@pytest.mark.parametrize(
    "change",
    [{"limits": {"overlap": [0.9, None]}}, {"keep": ["b"]}, {"exclude": ["b"]}],
    ids=["limits", "keep", "exclude"],
)
def test_judging_otherwise_registers_nothing(finished, change):
    assert plan(finished, **change) == OF_COHORT


def test_a_setting_of_a_tool_that_is_not_used_changes_nothing(finished):
    assert plan(finished, hd_bet_device="cuda") == {}


@pytest.mark.parametrize("column", ["prepared", "mask", "diagnosis", "age"])
def test_a_cell_of_the_sheet_does_its_own_scan_again(finished, column):
    (finished.folder / "other_mask.nii.gz").write_text("other")
    values = {"prepared": "unbiased", "mask": "other_mask.nii.gz", "diagnosis": "AD", "age": "70"}
    write_sheet(finished.folder, **{column: values[column]})
    try:
        jobs = plan(finished)
    finally:
        write_sheet(finished.folder)
    if column in ("diagnosis", "age"):
        assert jobs == {}
    else:
        assert jobs == dict.fromkeys(EACH_SCAN, 1) | OF_COHORT


def test_one_more_scan_is_preprocessed_alone(finished):
    table = pd.read_csv(finished.folder / "scans.tsv", sep="\t")
    added = table[:1].assign(scan="d", subject="d", path="d.nii.gz", mask="d_mask.nii.gz")
    for name in ("d.nii.gz", "d_mask.nii.gz"):
        (finished.folder / name).write_text(name)
    pd.concat([table, added]).to_csv(finished.folder / "scans.tsv", sep="\t", index=False)
    try:
        assert plan(finished) == dict.fromkeys(EACH_SCAN, 1) | OF_COHORT
    finally:
        write_sheet(finished.folder)


@pytest.mark.parametrize("name", ["b.nii.gz", "b_mask.nii.gz"])
def test_another_content_of_a_file_does_its_own_scan_again(finished, name):
    path = finished.folder / name
    before = path.stat()
    path.write_text("something else")
    os.utime(path, (time.time() + 5, time.time() + 5))
    try:
        assert plan(finished) == dict.fromkeys(EACH_SCAN, 1) | OF_COHORT
    finally:
        path.write_text(name)
        os.utime(path, (before.st_atime, before.st_mtime))
