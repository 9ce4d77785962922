import json

import pandas as pd
import pytest

from neurobar.apply.list_external import main
from neurobar.data.cohorts import part_of_fold, read_folds

COHORT = {"label": "dx", "negative": "none", "positive": "AD", "ignored": ["other"]}
ROWS = [("c", "s2", "AD", "81.5", "F"), ("a", "s1", "none", "", "M"), ("b", "s1", "none", "70", "M")]
ROWS += [("d", "s3", "other", "75", "F")]


@pytest.fixture
def list_scans(tmp_path):
    """Return the command, on a sheet of three scans with a label and one that is ignored."""
    sheet = pd.DataFrame(ROWS, columns=["scan", "subject", "dx", "age", "sex"])
    sheet["path"] = sheet["scan"] + ".nii.gz"
    for path in sheet["path"]:
        (tmp_path / path).touch()
    sheet.to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)

    def run(used, **changes):
        table = pd.DataFrame({"scan": list("abc"), "used": used, "reason": ""})
        table.to_csv(tmp_path / "cohort.tsv", sep="\t", index=False)
        words = {"sheet": tmp_path / "sheet.tsv", "table": tmp_path / "cohort.tsv", "folds": tmp_path / "folds.tsv"}
        words = [word for name, path in words.items() for word in (f"--{name}", str(path))]
        main([*words, "--cohort", json.dumps(COHORT | changes)])
        return read_folds(tmp_path / "folds.tsv")

    return run


def test_every_scan_that_takes_part_is_tested_in_every_fold(list_scans):
    folds = list_scans([True, True, True])
    assert folds.columns.tolist() == ["scan", "subject", "label", "age", "sex", "part"]
    assert folds["scan"].tolist() == list("abc")
    assert folds["label"].tolist() == [0, 0, 1]
    assert folds["age"].fillna(-1).tolist() == [-1, 70, 81.5]
    for fold in (0, 4):
        assert part_of_fold(folds, fold, "test")["scan"].tolist() == list("abc")
        for part in ("train", "select"):
            with pytest.raises(ValueError, match=f"no scan to {part}"):
                part_of_fold(folds, fold, part)


def test_a_scan_that_failed_its_checks_is_not_tested(list_scans):
    assert list_scans([True, False, True])["scan"].tolist() == ["a", "c"]


def test_a_label_that_is_no_class_is_refused_in_one_sentence(list_scans):
    with pytest.raises(SystemExit, match=r"sheet\.tsv, row 5: dx 'other' is neither none nor AD"):
        list_scans([True, True, True], ignored=[])
