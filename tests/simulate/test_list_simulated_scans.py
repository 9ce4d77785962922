import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from neurobar.simulate.list_simulated_scans import SHEET_COLUMNS, planned_scans, write_tables


@pytest.fixture(scope="module")
def plans(settings):
    return planned_scans(settings)


def test_equal_settings_give_equal_plans_and_another_seed_does_not(settings, plans):
    assert planned_scans(settings).equals(plans)
    assert not planned_scans(settings | {"seed": 8}).equals(plans)


def test_no_two_scans_share_a_name_or_a_path(plans):
    assert plans["scan"].is_unique
    assert plans["path"].is_unique


def test_a_larger_cohort_begins_with_the_scans_of_a_smaller_one(settings, plans):
    assert planned_scans(settings | {"subjects": 90}).head(len(plans)).equals(plans)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 30), (0.25, 15), (0.0, 0), (1.0, 60)])
def test_the_share_of_ad_subjects_is_as_asked(settings, share, expected):
    plans = planned_scans(settings | {"ad_share": share})
    assert plans[plans["diagnosis"] == "AD"]["subject"].nunique() == expected


def test_the_sessions_of_a_subject_are_a_year_apart_and_the_disease_goes_on(plans):
    pairs = pairwise(plans.to_dict("records"))
    later = [(first, second) for first, second in pairs if second["session"] == "ses-2"]
    assert 5 <= len(later) <= 25
    for first, second in later:
        assert first["subject"] == second["subject"]
        assert 0.8 < second["age"] - first["age"] < 1.2
        assert second["severity"] >= first["severity"]


def test_the_groups_overlap_in_severity_and_age(plans):
    disease, healthy = (plans[plans["diagnosis"] == group] for group in ("AD", "CN"))
    for column in ("severity", "age"):
        assert disease[column].min() < healthy[column].max()
        assert disease[column].max() > healthy[column].min()
    assert healthy["severity"].between(0, 0.3).all()
    assert disease["severity"].between(0, 1).all()
    assert plans["age"].between(55, 94).all()


def test_no_site_tells_the_diagnosis(plans):
    table = plans.drop_duplicates("subject")
    counts = pd.crosstab(table["site"], table["diagnosis"])
    assert counts.shape == (3, 2)
    assert counts.gt(3).all(axis=None)


def test_the_plan_needs_no_image_library():
    code = "import sys, neurobar.simulate.list_simulated_scans; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"nibabel", "nilearn", "scipy", "torch"} & set(done.stdout.split())


def test_the_tables_list_every_planned_scan_and_hide_the_truth(plans, tmp_path):
    write_tables(plans, tmp_path)
    sheet = pd.read_csv(tmp_path / "scans.tsv", sep="\t")
    assert tuple(sheet.columns) == SHEET_COLUMNS
    assert sheet["path"].tolist() == plans["path"].tolist()
    assert "severity" not in pd.read_csv(tmp_path / "participants.tsv", sep="\t")


def test_the_command_writes_the_same_bytes_twice(settings, tmp_path):
    for folder in ("a", "b"):
        arguments = ["--settings", json.dumps(settings | {"subjects": 5}), "--output", str(tmp_path / folder)]
        subprocess.run([sys.executable, "-m", "neurobar.simulate.list_simulated_scans", *arguments], check=True)
    written = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(written) == 4
    for path in written:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_the_tables_are_a_data_set_that_the_index_understands(plans, tmp_path):
    from bids2table import index_dataset

    write_tables(plans, tmp_path)
    for path in plans["path"]:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    files = index_dataset(tmp_path).to_pandas()
    files = files[files["suffix"] == "T1w"]
    assert sorted(files["path"]) == sorted(plans["path"])
    assert {Path(path).name for path in files["path"]} == {f"{scan}_T1w.nii.gz" for scan in plans["scan"]}
