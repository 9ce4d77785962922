import numpy as np
import pandas as pd
import pytest

from neurobar.data.cohorts import part_of_fold, read_cohort
from neurobar.data.leaks import scans_outside, subjects_in_two_parts

FOLDS = pd.DataFrame(
    {"scan": list("abcdef"), "subject": ["s1", "s1", "s2", "s3", "s4", "s5"], "part": ["0", "0", "1", "2", "test", "1"]}
)


def test_rows_follow_the_names_of_scans_whatever_their_order(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(2 * 2 * 3 * 4, dtype=np.float16).reshape(2, 2, 3, 4))
    np.save(tmp_path / "p.npy", np.array([[1, 2], [3, 4]], np.float32))
    table = pd.DataFrame({"scan": ["a", "b", "c"], "used": [True, False, True], "reason": ""})
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    cohort = read_cohort(tmp_path / "v.npy", tmp_path / "p.npy", tmp_path / "t.tsv")
    assert cohort.scans == ["a", "c"]
    assert cohort.rows_of(pd.Series(["c", "a"])).tolist() == [1, 0]


def test_parts_of_a_fold_are_disjoint_and_complete():
    parts = [set(part_of_fold(FOLDS, 1, part)["scan"]) for part in ("train", "select", "test")]
    assert parts == [{"a", "b", "d"}, {"c", "f"}, {"e"}]


def test_an_empty_part_is_refused():
    with pytest.raises(ValueError, match="Fold 7 has no scan to select"):
        part_of_fold(FOLDS, 7, "select")


def test_a_subject_in_two_parts_is_found():
    assert subjects_in_two_parts(FOLDS) == []
    assert subjects_in_two_parts(FOLDS.assign(part=["0", "test", "1", "2", "test", "1"])) == ["s1"]


def test_scans_outside_their_part_are_found():
    assert scans_outside(["a", "b", "d"], FOLDS, 1, "train") == []
    assert scans_outside(["a", "c", "e"], FOLDS, 1, "train") == ["c", "e"]
    assert scans_outside(["unknown"], FOLDS, 1, "train") == ["unknown"]


def test_a_scan_whose_subject_is_also_elsewhere_is_outside():
    leaking = FOLDS.assign(part=["0", "test", "1", "2", "test", "1"])
    assert scans_outside(["a"], leaking, 1, "train") == ["a"]
