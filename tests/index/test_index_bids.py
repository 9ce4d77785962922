import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from neurobar.index.index_bids import index_bids, name_scan

IXI = Path(__file__).parents[3] / "shared" / "data" / "ixi-2mm"


def make_bids(folder, names, participants=None):
    """Empty images are enough: an index reads names, not voxels."""
    folder.mkdir()
    (folder / "dataset_description.json").write_text('{"Name": "three heads", "BIDSVersion": "1.9.0"}')
    for name in names:
        entities = Path(name).name.split("_")
        parts = [entity for entity in entities if entity.startswith(("sub-", "ses-"))]
        image = folder.joinpath(*Path(name).parts[:-1], *parts, "anat", Path(name).name)
        image.parent.mkdir(parents=True, exist_ok=True)
        image.touch()
    if participants:
        (folder / "participants.tsv").write_text(participants)
    return folder


@pytest.fixture
def bids(tmp_path):
    names = [
        "sub-01_ses-1_run-1_T1w.nii.gz",
        "sub-01_ses-1_run-2_T1w.nii.gz",
        "sub-01_ses-2_T1w.nii",
        "sub-01_ses-2_T2w.nii.gz",
        "sub-02_ses-1_T1w.nii.gz",
        "derivatives/masked/sub-02_ses-1_T1w.nii.gz",
    ]
    participants = "participant_id\tage\tsex\tdiagnosis\tmmse\nsub-01\t71\tF\tAD\t21\n02\t68\tn/a\tCN\t29\n"
    folder = make_bids(tmp_path / "bids", names, participants)
    (folder / "sub-01" / "sub-01_sessions.tsv").write_text("session_id\tage\tscore\nses-1\t71\t5\nses-2\t72\t6\n")
    return folder


def run_command(*arguments):
    command = [sys.executable, "-m", "neurobar.index.index_bids", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_scan_has_its_own_name_and_derivatives_are_left_out(bids, tmp_path):
    sheet = index_bids(bids, tmp_path / "scans.tsv")
    assert list(sheet["scan"]) == ["sub-01_ses-1_run-1", "sub-01_ses-1_run-2", "sub-01_ses-2", "sub-02_ses-1"]


def test_the_columns_of_the_subject_are_kept_and_ours_come_first(bids, tmp_path):
    sheet = index_bids(bids, tmp_path / "scans.tsv").set_index("scan")
    assert list(sheet.columns) == ["subject", "session", "path", "diagnosis", "age", "sex", "mmse", "score"]
    assert sheet.loc["sub-02_ses-1", ["diagnosis", "mmse"]].tolist() == ["CN", "29"]
    assert pd.isna(sheet.loc["sub-02_ses-1", "sex"])


def test_the_age_at_a_session_replaces_that_of_the_subject(bids, tmp_path):
    ages = index_bids(bids, tmp_path / "scans.tsv").set_index("scan")["age"]
    assert ages["sub-01_ses-2"] == "72"
    assert ages["sub-02_ses-1"] == "68"


def test_paths_are_found_from_the_folder_of_the_sheet(bids, tmp_path):
    output = tmp_path / "sheets" / "scans.tsv"
    sheet = index_bids(bids, output)
    output.parent.mkdir()
    assert not any(Path(path).is_absolute() for path in sheet["path"])
    assert all((output.parent / path).is_file() for path in sheet["path"])


def test_another_kind_of_image_can_be_asked_for(bids, tmp_path):
    assert list(index_bids(bids, tmp_path / "scans.tsv", "T2w")["scan"]) == ["sub-01_ses-2"]


def test_a_data_set_without_tables_is_indexed(tmp_path):
    bids = make_bids(tmp_path / "bids", ["sub-a_T1w.nii.gz"])
    sheet = index_bids(bids, tmp_path / "scans.tsv")
    assert sheet["subject"].tolist() == ["sub-a"]
    assert sheet["session"].isna().all()


def test_the_command_writes_the_sheet(bids, tmp_path):
    done = run_command("--bids", bids, "--output", tmp_path / "scans.tsv")
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(tmp_path / "scans.tsv", sep="\t")) == 4


def test_a_data_set_without_images_is_one_sentence_and_no_sheet(tmp_path):
    bids = make_bids(tmp_path / "bids", ["sub-a_T2w.nii.gz"])
    done = run_command("--bids", bids, "--output", tmp_path / "scans.tsv")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [f"index_bids: {bids} holds no T1w image (.nii or .nii.gz)."]
    assert not (tmp_path / "scans.tsv").exists()


@pytest.mark.parametrize(
    ("participants", "complaint"),
    [
        ("participant_id\tage\nsub-a\t60\na\t61\n", "lists 'sub-a' more than once"),
        ("name\tage\nsub-a\t60\n", "has no column participant_id"),
        ("participant_id\tage\nsub-a\t60\t7\t8\n\t\t\t\t\t\n", "is no table"),
    ],
)
def test_a_faulty_table_of_subjects_is_named(tmp_path, participants, complaint):
    bids = make_bids(tmp_path / "bids", ["sub-a_T1w.nii.gz"], participants)
    with pytest.raises(ValueError, match=complaint):
        index_bids(bids, tmp_path / "scans.tsv")


def test_two_files_of_one_name_are_refused(tmp_path):
    bids = make_bids(tmp_path / "bids", ["sub-a_T1w.nii.gz", "sub-a_T1w.nii"])
    with pytest.raises(ValueError, match="more than one T1w image of sub-a"):
        index_bids(bids, tmp_path / "scans.tsv")


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is no BIDS data set"):
        index_bids(tmp_path, tmp_path / "scans.tsv")


def test_only_the_endings_leave_the_name():
    assert name_scan("sub-1/anat/sub-1_acq-T1w_T1w.nii.gz", "T1w") == "sub-1_acq-T1w"


@pytest.mark.real
@pytest.mark.skipif(not IXI.is_dir(), reason="the real scans are not beside the repository")
def test_real_heads_are_indexed_with_age_and_sex(tmp_path):
    sheet = index_bids(IXI, tmp_path / "scans.tsv")
    assert len(sheet) == 25
    assert sheet["scan"].is_unique
    assert sheet[["age", "sex"]].notna().all(axis=None)
