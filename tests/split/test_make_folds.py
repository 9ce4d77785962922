import json

import numpy as np
import pandas as pd
import pytest

from neurobar.split.make_folds import assign_parts, describe_subjects, imbalance, main

SETTINGS = {"test_share": 0.25, "folds": 3, "candidates": 50, "seed": 0}


def scans(subjects=40, seed=0):
    random = np.random.default_rng(seed)
    rows = []
    for number in range(subjects):
        age, sex = random.normal(72, 8), random.choice(["F", "M"])
        for session in range(random.integers(1, 4)):
            rows.append((f"s{number}_{session}", f"s{number}", number % 2, age + session, sex))
    return pd.DataFrame(rows, columns=["scan", "subject", "label", "age", "sex"])


def test_no_subject_is_in_two_folds_and_all_are_in_one():
    for seed in range(20):
        table = scans(seed=seed)
        parts = assign_parts(describe_subjects(table), **SETTINGS)
        assert table.join(parts, on="subject").groupby("subject")["part"].nunique().eq(1).all()
        assert set(parts) == {"test", "0", "1", "2"}
        assert len(parts) == 40


def test_parts_are_stratified_by_label():
    subjects = describe_subjects(scans())
    counts = pd.crosstab(assign_parts(subjects, **SETTINGS), subjects["label"])
    assert counts.loc["test"].tolist() == [5, 5]
    assert (counts[0] - counts[1]).abs().max() <= 1


def test_the_split_is_better_balanced_in_age_and_sex_than_a_single_draw():
    subjects = describe_subjects(scans())
    best = imbalance(subjects, assign_parts(subjects, **SETTINGS).to_numpy())
    single = [
        imbalance(subjects, assign_parts(subjects, **SETTINGS | {"candidates": 1, "seed": seed}).to_numpy())
        for seed in range(20)
    ]
    assert best < np.median(single)


def test_equal_seeds_give_equal_splits_and_others_do_not():
    subjects = describe_subjects(scans())
    first, again, other = (assign_parts(subjects, **SETTINGS | {"seed": seed}) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_unknown_age_and_sex_are_no_obstacle():
    subjects = describe_subjects(scans().assign(age=np.nan, sex=pd.NA))
    assert len(assign_parts(subjects, **SETTINGS)) == 40


def test_imbalance_has_its_value_found_by_hand():
    subjects = pd.DataFrame({"age": [60.0, 70, 80, 70], "sex": ["F"] * 4})
    # Standard deviation 8.165; part 0 has mean 65, 5 below the mean of all.
    assert imbalance(subjects, np.array([0, 0, 1, 1])) == pytest.approx(5 / 8.165, abs=1e-3)


def test_too_few_subjects_are_refused():
    with pytest.raises(ValueError, match="smaller class has 4 subjects: too few"):
        assign_parts(describe_subjects(scans(subjects=8)), **SETTINGS)


def test_scans_that_were_left_out_are_not_split(tmp_path):
    table = scans()
    (tmp_path / "x.nii.gz").touch()
    paths = [f"{scan}.nii.gz" for scan in table["scan"]]
    for path in paths:
        (tmp_path / path).touch()
    table.assign(path=paths, diagnosis=table["label"].map({0: "CN", 1: "AD"})).drop(columns="label").to_csv(
        tmp_path / "scans.tsv", sep="\t", index=False
    )
    used = table["scan"] != "s0_0"
    pd.DataFrame({"scan": table["scan"], "used": used, "reason": ""}).to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    cohort = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": []}
    words = ["--sheet", "scans.tsv", "--table", "c.tsv", "--folds", "folds.tsv"]
    words = [word if word.startswith("--") else str(tmp_path / word) for word in words]
    main([*words, "--cohort", json.dumps(cohort), "--settings", json.dumps(SETTINGS)])
    folds = pd.read_csv(tmp_path / "folds.tsv", sep="\t")
    assert set(folds["scan"]) == set(table.loc[used, "scan"])
