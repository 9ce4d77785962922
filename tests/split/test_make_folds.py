import json

import numpy as np
import pandas as pd
import pytest

from neurobar.split.make_folds import assign_parts, describe_subjects, imbalance, main

DRAWN = {"test_share": 0.25, "folds": 3, "candidates": 50, "seed": 0}
SETTINGS = DRAWN | {"by": "subject", "labels": "own"}


def scans(subjects=40, seed=0):
    random = np.random.default_rng(seed)
    rows = []
    for number in range(subjects):
        age, sex = random.normal(72, 8), random.choice(["F", "M"])
        for session in range(random.integers(1, 4)):
            rows.append((f"s{number}_{session}", f"s{number}", number % 2, age + session, sex))
    return pd.DataFrame(rows, columns=["scan", "subject", "label", "age", "sex"])


def write_and_split(folder, table, used=True, **changes):
    """Run the command on a sheet and return the split it wrote."""
    paths = [f"{scan}.nii.gz" for scan in table["scan"]]
    for path in paths:
        (folder / path).touch()
    sheet = table.assign(path=paths, diagnosis=table["label"].map({0: "CN", 1: "AD"})).drop(columns="label")
    sheet.to_csv(folder / "scans.tsv", sep="\t", index=False)
    pd.DataFrame({"scan": table["scan"], "used": used, "reason": ""}).to_csv(folder / "c.tsv", sep="\t", index=False)
    cohort = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": []}
    words = ["--sheet", "scans.tsv", "--table", "c.tsv", "--folds", "folds.tsv"]
    words = [word if word.startswith("--") else str(folder / word) for word in words]
    main([*words, "--cohort", json.dumps(cohort), "--settings", json.dumps(SETTINGS | changes)])
    return pd.read_csv(folder / "folds.tsv", sep="\t", dtype={"part": str})


def test_no_subject_is_in_two_folds_and_every_scan_is_in_one(tmp_path):
    for seed in range(5):
        table = scans(seed=seed)
        folds = write_and_split(tmp_path, table, seed=seed)
        assert folds.groupby("subject")["part"].nunique().eq(1).all()
        assert sorted(folds["scan"]) == sorted(table["scan"])
        assert set(folds["part"]) == {"test", "0", "1", "2"}
        assert folds.set_index("scan")["label"].to_dict() == table.set_index("scan")["label"].to_dict()


def test_parts_are_stratified_by_label():
    subjects = describe_subjects(scans())
    counts = pd.crosstab(assign_parts(subjects, **DRAWN), subjects["label"])
    assert counts.loc["test"].tolist() == [5, 5]
    assert (counts[0] - counts[1]).abs().max() <= 1


def test_the_split_is_better_balanced_in_age_and_sex_than_a_single_draw():
    subjects = describe_subjects(scans())
    best = imbalance(subjects, assign_parts(subjects, **DRAWN).to_numpy())
    single = [
        imbalance(subjects, assign_parts(subjects, **DRAWN | {"candidates": 1, "seed": seed}).to_numpy())
        for seed in range(20)
    ]
    assert best < np.median(single)


def test_equal_seeds_give_equal_splits_and_others_do_not():
    subjects = describe_subjects(scans())
    first, again, other = (assign_parts(subjects, **DRAWN | {"seed": seed}) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_unknown_age_and_sex_are_no_obstacle():
    subjects = describe_subjects(scans().assign(age=np.nan, sex=pd.NA))
    assert len(assign_parts(subjects, **DRAWN)) == 40


def test_imbalance_has_its_value_found_by_hand():
    subjects = pd.DataFrame({"age": [60.0, 70, 80, 70], "sex": ["F"] * 4})
    # Standard deviation 8.165; part 0 has mean 65, 5 below the mean of all.
    assert imbalance(subjects, np.array([0, 0, 1, 1])) == pytest.approx(5 / 8.165, abs=1e-3)


def test_too_few_subjects_are_refused():
    with pytest.raises(ValueError, match="smaller class has 4 subjects: too few"):
        assign_parts(describe_subjects(scans(subjects=8)), **DRAWN)


def test_scans_that_were_left_out_are_not_split(tmp_path):
    table = scans()
    used = table["scan"] != "s0_0"
    assert set(write_and_split(tmp_path, table, used)["scan"]) == set(table.loc[used, "scan"])


def test_permuted_labels_stay_with_the_subject_and_keep_their_number(tmp_path):
    table = scans()
    folds = write_and_split(tmp_path, table, labels="permuted")
    assert folds.groupby("subject")["label"].nunique().eq(1).all()
    true, permuted = (rows.drop_duplicates("subject").set_index("subject")["label"] for rows in (table, folds))
    assert permuted.sum() == true.sum()
    assert 0.25 < (permuted == true[permuted.index]).mean() < 0.75


def test_a_split_by_scans_tears_subjects_apart(tmp_path):
    folds = write_and_split(tmp_path, scans(), by="scan")
    assert folds.groupby("subject")["part"].nunique().gt(1).any()
    assert set(folds["part"]) == {"test", "0", "1", "2"}
