"""Who follows the page *Bring your own cohort* gets a sheet, a plan for each of its studies, and a second cohort."""

import re
import subprocess
import sys
import textwrap

import pandas as pd
import pytest
import yaml

from neurobar.split.make_folds import assign_parts

pytestmark = pytest.mark.slow

BLOCK = re.compile(r'^( *)```(?:python|yaml) title="([^"]+)"\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks(root):
    """Return the titles of the code blocks of the page, and what is in them, in order."""
    page = (root / "docs" / "bring_your_own_cohort.md").read_text()
    return [(title, textwrap.dedent(block)) for _, title, block in BLOCK.findall(page)]


def write_bids(folder, subjects):
    """Write a data set of empty images, which an index and a plan do not open."""
    rows = ["participant_id\tdiagnosis\tage\tsex"]
    for number in range(subjects):
        name = f"sub-{folder.name}{number:02d}"
        image = folder / name / "anat" / f"{name}_T1w.nii.gz"
        image.parent.mkdir(parents=True)
        image.touch()
        rows.append(f"{name}\t{['CN', 'AD', 'MCI'][number % 3]}\t{60 + number}\t{'FM'[number % 2]}")
    (folder / "dataset_description.json").write_text('{"Name": "heads", "BIDSVersion": "1.9.0"}')
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")


def index(bids, sheet):
    words = ["index", "--bids", str(bids), "--output", str(sheet)]
    subprocess.run([sys.executable, "-m", "neurobar.commands", *words], check=True, capture_output=True)


@pytest.fixture
def mine(workflow, tmp_path):
    write_bids(tmp_path / "first", 30)
    index(tmp_path / "first", workflow.folder / "scans.tsv")
    return workflow


@pytest.mark.parametrize(("place", "scans", "label"), [(0, 20, "diagnosis"), (1, 30, "sex")])
def test_each_study_of_the_page_is_complete(blocks, mine, place, scans, label):
    title, study = [block for block in blocks if block[0] == "runs/mine/study.yaml"][place]
    settings = yaml.safe_load(study)
    assert settings["cohort"]["label"] == label
    jobs = mine.plan(settings=settings)
    assert jobs["register_scan"] == scans, title
    assert "simulate_scan" not in jobs
    assert jobs["write_table"] == 5


def test_scans_that_are_named_are_kept_or_left_out(blocks, mine):
    titles = dict(blocks)
    study = yaml.safe_load(titles["runs/mine/study.yaml"])
    added = yaml.safe_load(titles["runs/mine/study.yaml, added"])["preprocess"]
    assert {name: len(scans) for name, scans in added.items()} == {"keep": 1, "exclude": 1}
    named = {"keep": ["sub-first00"], "exclude": ["sub-first01"]}
    before = mine.plan("preprocess", settings=study)
    assert (
        mine.plan("preprocess", settings=study | {"preprocess": named})["register_scan"] == before["register_scan"] - 1
    )


def test_a_second_cohort_is_preprocessed_and_predicted_and_trains_nothing(blocks, mine, tmp_path):
    titles = dict(blocks)
    study = yaml.safe_load(next(block for title, block in blocks if title == "runs/mine/study.yaml"))
    before = mine.plan(settings=study)
    write_bids(tmp_path / "second", 9)
    index(tmp_path / "second", mine.folder / "oasis.tsv")
    second = study | yaml.safe_load(titles["runs/mine/study.yaml, with a second cohort"])
    jobs = mine.plan(settings=second)
    assert jobs["register_scan"] == before["register_scan"] + 6  # three of the nine are MCI
    assert jobs["apply_classifier"] == 2 * 5  # tasks, folds
    assert jobs["write_table"] == before["write_table"] + 1
    for rule in ("pretrain_encoder", "finetune_classifier", "fit_landmarks", "make_folds"):
        assert jobs[rule] == before[rule]


def test_the_smaller_class_needs_as_many_subjects_as_the_page_says(root):
    page = " ".join((root / "docs" / "bring_your_own_cohort.md").read_text().split())
    assert "needs seven subjects for five folds, five for three" in page
    for folds, fewest in ((5, 7), (3, 5)):
        table = pd.DataFrame({"label": [0] * 20 + [1] * fewest, "age": 70.0, "sex": "F"})
        assign_parts(table, test_share=0.25, folds=folds, candidates=1, seed=0)
        with pytest.raises(ValueError, match=f"The smaller class has {fewest - 1} subjects"):
            assign_parts(table.iloc[:-1], test_share=0.25, folds=folds, candidates=1, seed=0)


def test_visits_are_matched_by_the_nearest_date_within_half_a_year(blocks, tmp_path):
    code = dict(blocks)["match_visits.py"]
    scans = [("a", "s1", "2010-01-10"), ("b", "s1", "2011-07-01"), ("c", "s2", "2010-01-01"), ("d", "s3", "2010-01-01")]
    visits = [
        ("s1", "2010-03-01", "CN", 70.0),
        ("s1", "2011-06-01", "AD", 71.25),
        ("s2", "2010-12-01", "AD", 80.0),
        ("s3", "2009-12-31", "MCI", 60.0),
    ]
    pd.DataFrame(scans, columns=["scan", "subject", "date"]).assign(path="x.nii.gz").to_csv(tmp_path / "images.csv")
    columns = ["subject", "date", "diagnosis", "age"]
    pd.DataFrame(visits, columns=columns).assign(sex="F").to_csv(tmp_path / "visits.csv")
    (tmp_path / "match_visits.py").write_text(code)
    done = subprocess.run([sys.executable, "match_visits.py"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "1 of 4 scans" in done.stdout
    sheet = pd.read_csv(tmp_path / "scans.tsv", sep="\t", index_col="scan", keep_default_na=False)
    assert sheet["diagnosis"].to_dict() == {"a": "CN", "b": "AD", "c": "", "d": "MCI"}
    assert float(sheet.loc["b", "age"]) == pytest.approx(71.25 + 30 / 365.25)
