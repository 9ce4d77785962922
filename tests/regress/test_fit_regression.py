import json

import numpy as np
import pandas as pd
import pytest

from neurobar.regress.fit_regression import draw_inner_folds, main

TABLES = ("predictions", "coefficients", "seen")


def draw_study(subjects=40, parts=("test", "0", "1", "2"), difference=2.0):
    """Draw subjects with two scans each; the hippocampus of class 1 is smaller by so many standard deviations."""
    random = np.random.default_rng(0)
    subject = np.repeat(np.arange(subjects), 2)
    label = subject % 2
    folds = pd.DataFrame(
        {
            "scan": [f"{number:03d}_{row % 2}" for row, number in enumerate(subject)],
            "subject": [f"{number:03d}" for number in subject],
            "label": label,
            "age": random.normal(74, 6, subjects)[subject].round(1),
            "sex": random.choice(["F", "M"], subjects)[subject],
            "part": np.array(parts)[subject // 2 % len(parts)],
        }
    )
    volumes = random.normal(0, 1, (subjects, 3))[subject] + random.normal(0, 0.1, (2 * subjects, 3))
    measures = pd.DataFrame(volumes * [0.5, 3, 4] + [8, 40, 30], columns=["Hippocampus", "Precuneus", "fluid"])
    measures["Hippocampus"] -= 0.5 * difference * label
    measures.insert(0, "scan", folds["scan"])
    return folds, measures


def fit(folder, folds, measures, features=("regions",), seed=0, fold=0):
    folder.mkdir(exist_ok=True)
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False, na_rep="n/a")
    words = ["--folds", str(folder / "folds.tsv"), "--measures"]
    if measures is not None:
        # Another order than that of the split.
        measures[::-1].to_csv(folder / "volumes.tsv", sep="\t", index=False)
        words.append(str(folder / "volumes.tsv"))
    words += ["--fold", str(fold), "--seed", str(seed), "--settings", json.dumps({"features": list(features)})]
    for name in TABLES:
        words += [f"--{name}", str(folder / f"{name}.tsv")]
    main(words)
    kinds = {"scan": str, "subject": str}
    predictions, coefficients, seen = (pd.read_csv(folder / f"{name}.tsv", sep="\t", dtype=kinds) for name in TABLES)
    return predictions, coefficients.set_index("feature")["coefficient"], seen


def test_a_planted_difference_is_found(tmp_path):
    predictions, coefficients, _ = fit(tmp_path, *draw_study(difference=4.0))
    assert ((predictions["probability"] > 0.5) == (predictions["label"] == 1)).mean() > 0.9
    assert coefficients.idxmin() == "Hippocampus"
    assert coefficients["Hippocampus"] < -1
    assert coefficients.drop("Hippocampus").abs().max() < -0.5 * coefficients["Hippocampus"]


def test_sixty_features_without_meaning_do_not_make_it_sure(tmp_path):
    folds, measures = draw_study(difference=0.0)
    noise = np.random.default_rng(1).normal(size=(40, 60))[np.arange(80) // 2]
    noise = pd.DataFrame(noise, columns=[f"Region_{number}" for number in range(60)])
    predictions, coefficients, _ = fit(tmp_path, folds, pd.concat([measures, noise], axis=1))
    # Twenty subjects are told apart without an error by so many features; without a penalty all would be near 0 or 1.
    assert coefficients.abs().max() < 0.1
    assert predictions["probability"].between(0.1, 0.9).all()


def test_selection_fold_and_test_set_are_predicted_and_training_scans_are_seen(tmp_path):
    folds, measures = draw_study()
    predictions, _, seen = fit(tmp_path, folds, measures, fold=1)
    assert predictions.columns.tolist() == ["scan", "subject", "part", "label", "probability"]
    label = folds.set_index("scan")["label"]
    assert predictions["label"].tolist() == label[predictions["scan"]].tolist()
    for part, name in {"select": "1", "test": "test"}.items():
        expected = folds.loc[folds["part"] == name, "scan"].tolist()
        assert predictions.loc[predictions["part"] == part, "scan"].tolist() == expected
    assert seen["role"].unique().tolist() == ["train"]
    assert set(seen["scan"]) == set(folds.loc[folds["part"].isin(["0", "2"]), "scan"])


def test_scans_outside_training_change_nothing_of_the_fit(tmp_path):
    folds, measures = draw_study()
    features = ["age", "sex", "regions"]
    _, before, _ = fit(tmp_path / "before", folds, measures, features)
    outside = folds["part"].isin(["test", "0"])
    measures.loc[outside, ["Hippocampus", "Precuneus", "fluid"]] *= -1000
    folds.loc[outside, "label"] = 1 - folds.loc[outside, "label"]
    folds.loc[outside, "age"] = 7.0
    folds.loc[outside, "sex"] = "unheard of"
    predictions, after, _ = fit(tmp_path / "after", folds, measures, features)
    pd.testing.assert_series_equal(before, after)
    assert predictions["probability"].between(0, 1).all()


def test_equal_seeds_give_equal_bytes(tmp_path):
    for folder in ("one", "other"):
        fit(tmp_path / folder, *draw_study(), ["age", "sex", "regions"], seed=3)
    for name in TABLES:
        assert (tmp_path / "one" / f"{name}.tsv").read_bytes() == (tmp_path / "other" / f"{name}.tsv").read_bytes()


def test_age_and_sex_alone_use_no_volume(tmp_path):
    folds, measures = draw_study()
    folds["age"] += 20 * folds["label"]
    predictions, coefficients, _ = fit(tmp_path, folds, measures, ["age", "sex"])
    assert coefficients.index.tolist() == ["age", "sex_F", "sex_M"]
    assert coefficients["age"] > 1
    assert ((predictions["probability"] > 0.5) == (predictions["label"] == 1)).mean() > 0.8


def test_age_and_sex_alone_need_no_volumes(tmp_path):
    folds, measures = draw_study()
    for folder, given in (("with", measures), ("without", None)):
        fit(tmp_path / folder, folds, given, ["age", "sex"])
    for name in TABLES:
        assert (tmp_path / "with" / f"{name}.tsv").read_bytes() == (tmp_path / "without" / f"{name}.tsv").read_bytes()


def test_a_coefficient_is_for_one_standard_deviation_so_units_do_not_matter(tmp_path):
    folds, measures = draw_study()
    _, in_ml, _ = fit(tmp_path / "ml", folds, measures)
    _, in_ul, _ = fit(tmp_path / "ul", folds, measures.assign(Hippocampus=1000 * measures["Hippocampus"]))
    assert in_ul.to_numpy() == pytest.approx(in_ml.to_numpy(), abs=1e-3)


def test_a_scan_without_age_and_sex_counts_as_average(tmp_path):
    folds, measures = draw_study()
    folds["age"] = 70.0 + 10 * folds["label"] + np.arange(len(folds)) % 3
    train = folds["part"].isin(["1", "2"])
    unknown = [folds.index[train][0], folds.index[folds["part"] == "test"][0]]
    folds.loc[unknown, ["age", "sex"]] = np.nan
    predictions, _, _ = fit(tmp_path, folds, measures, ["age", "sex"])
    probability = predictions.set_index("scan")["probability"]
    of_test = predictions.loc[predictions["part"] == "test"].groupby("label")["probability"].mean()
    assert of_test[0] < probability[folds["scan"][unknown[1]]] < of_test[1]


@pytest.mark.parametrize("fewest", [1, 2])
def test_a_class_with_hardly_any_subject_is_no_obstacle(tmp_path, fewest):
    folds, measures = draw_study(subjects=22, parts=("1",))
    folds.loc[folds["subject"] < "006", "part"] = "test"
    folds.loc[folds["subject"] > "017", "part"] = "0"
    train = folds["part"] == "1"
    folds.loc[train, "label"] = (folds.loc[train, "subject"] < f"{6 + fewest:03d}").astype(int)
    assert folds.loc[train & (folds["label"] == 1), "subject"].nunique() == fewest
    assert len(draw_inner_folds(folds[train], 0)) == (0 if fewest == 1 else 2)
    predictions, _, _ = fit(tmp_path, folds, measures, ["age", "sex", "regions"])
    assert predictions["probability"].between(0, 1).all()


def test_inner_folds_keep_the_scans_of_a_subject_together_and_judge_each_scan_once():
    folds, _ = draw_study(subjects=14)
    pairs = draw_inner_folds(folds, 0)
    assert len(pairs) == 5
    for fitted, judged in pairs:
        assert not set(folds["subject"].iloc[fitted]) & set(folds["subject"].iloc[judged])
    assert sorted(np.concatenate([judged for _, judged in pairs])) == list(range(len(folds)))


def without(column):
    return lambda folds, measures: folds.pop(column)


def leave_out_a_scan(folds, measures):
    measures.loc[3, "scan"] = "of another study"


def forget(column):
    return lambda folds, measures: folds.__setitem__(column, np.nan)


def make_equal(folds, measures):
    folds["age"], folds["sex"] = 70.0, "F"


@pytest.mark.parametrize(
    ("features", "spoil", "sentence"),
    [
        (["iq"], lambda folds, measures: None, "'iq' is no feature"),
        (["age"], without("age"), "The column 'age' is missing"),
        (["regions"], without("label"), "The column 'label' is missing"),
        (["regions"], leave_out_a_scan, "The scan 001_1 has no volumes"),
        (["age", "regions"], forget("age"), "cannot use 'age'"),
        (["sex"], forget("sex"), "cannot use 'sex'"),
        (["age", "sex"], make_equal, "nothing to go by"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(tmp_path, features, spoil, sentence):
    folds, measures = draw_study()
    spoil(folds, measures)
    with pytest.raises(SystemExit, match=sentence) as refusal:
        fit(tmp_path, folds, measures, features)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "predictions.tsv").exists()


def test_traits_that_no_scan_has_are_no_obstacle_where_they_are_no_features(tmp_path):
    folds, measures = draw_study(difference=4.0)
    folds["age"], folds["sex"] = np.nan, np.nan
    _, coefficients, _ = fit(tmp_path, folds, measures)
    assert coefficients.index.tolist() == ["Hippocampus", "Precuneus", "fluid"]


def test_a_feature_that_is_the_same_in_all_training_scans_has_no_weight(tmp_path):
    folds, measures = draw_study()
    folds["sex"] = "F"
    _, coefficients, _ = fit(tmp_path, folds, measures, ["sex", "regions"])
    assert coefficients["sex_F"] == 0
    assert coefficients["Hippocampus"] < 0


def test_a_baseline_without_features_predicts_how_frequent_the_positive_class_is(tmp_path):
    folds, measures = draw_study()
    predictions, coefficients, _ = fit(tmp_path, folds, measures, features=())
    training = folds[~folds["part"].isin(["test", "0"])]
    assert predictions["probability"].to_numpy() == pytest.approx(training["label"].mean(), abs=1e-3)
    assert coefficients.tolist() == [0]
