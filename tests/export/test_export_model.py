import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from neurobar.data.cohorts import part_of_fold, read_cohort, read_folds
from neurobar.export import export_model
from neurobar.training.checkpoints import read_weights
from neurobar.training.scans import read_landmarks
from neurobar.transforms.landmarks import standardise

FOLDS = (0, 1)
BOOTSTRAP = {"replicates": 50, "seed": 0}


@pytest.fixture(scope="module")
def settings(root):
    config = yaml.safe_load((root / "config.yaml").read_text())
    return {
        "task": "bar",
        "method": "BAR",
        "run": None,
        "study": "tiny <cohort>",
        "simulated": True,
        "classes": {"label": "diagnosis", "negative": "CN", "positive": "AD"},
        "encoder": {"patch": 8},
        "voxel_mm": 2,
        "finetune": {"hidden": [8]},
        "split": {"by": "subject", "labels": "own"},
        "preprocess": {name: value for name, value in config["preprocess"].items() if name not in ("keep", "exclude")},
        "template": {"head": "computed"},
        "percentiles": [1, 25, 50, 75, 99],
        "threshold": 0.5,
    }


@pytest.fixture(scope="module")
def study(tiny_cohort, tmp_path_factory):
    """Write what the stages before leave of a task with two folds, whose training scans are enough to be averaged."""
    folder = tmp_path_factory.mktemp("study")
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype={"part": str})
    parts = ["test", "test", "0", "1", "1", *["2"] * 11]
    folds["part"] = parts + parts[:4]
    folds["age"] = [60 + row for row in range(20)]
    folds["sex"] = ["F", "M", "F", "F"] * 5
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False)
    (folder / "fetch").mkdir()
    for name in export_model.FETCHED:
        (folder / "fetch" / name).write_text(f"this is {name}")
    for fold in FOLDS:
        job = folder / "bar" / f"fold-{fold}" / "seed-0"
        job.mkdir(parents=True)
        (job / "classifier.safetensors").write_bytes(b"weights %d" % fold)
        tested = folds[folds["part"] == "test"].assign(
            part="test", probability=[0.2, 0.4 + fold / 5, 0.6 + fold / 5, 0.9]
        )
        tested[["scan", "subject", "part", "label", "probability"]].to_csv(
            job / "predictions.tsv", sep="\t", index=False
        )
        (folder / f"fold-{fold}").mkdir()
        landmarks = {"landmarks": [0, 0.1, 0.4 + fold / 10, 0.8, 1], "scans": folds["scan"].tolist()}
        (folder / f"fold-{fold}" / "landmarks.json").write_text(json.dumps(landmarks))
    single = {"mean": 0.8, "sd": 0.1, "low": 0.7, "high": 0.9}
    rows = [{"level": level, "score": "accuracy", **single} for level in ("scan", "subject")]
    pd.DataFrame(rows).to_csv(folder / "summary.tsv", sep="\t", index=False)
    scores = [("scan", 0, 0.3), ("scan", 1, 0.5), ("subject", 0, 0.9), ("subject", 1, 0.9)]
    pd.DataFrame(scores, columns=["level", "fold", "threshold"]).to_csv(folder / "scores.tsv", sep="\t", index=False)
    return folder


@pytest.fixture
def export(tiny_cohort, study, settings, tmp_path):
    """Return the call of the command, with changes to its settings or arguments."""

    def call(*, output="model", folds=None, table=None, **changes):
        words = ["--fetched", str(study / "fetch"), "--output", str(tmp_path / output)]
        for name in ("volumes.cohort.npy", "percentiles.percentiles.npy"):
            option, file = name.split(".", 1)
            words += [f"--{option}", str(tiny_cohort.folder / file)]
        words += ["--table", str(table or tiny_cohort.folder / "cohort.tsv")]
        words += ["--folds", str(folds or study / "folds.tsv")]
        words += ["--summary", str(study / "summary.tsv"), "--scores", str(study / "scores.tsv")]
        words += ["--landmarks", *[str(study / f"fold-{fold}" / "landmarks.json") for fold in FOLDS]]
        for option, file in (("classifiers", "classifier.safetensors"), ("predictions", "predictions.tsv")):
            words += [f"--{option}", *[str(study / "bar" / f"fold-{fold}" / "seed-0" / file) for fold in FOLDS]]
        words += ["--settings", json.dumps(settings | changes), "--bootstrap", json.dumps(BOOTSTRAP)]
        export_model.main(words)
        return tmp_path / output

    return call


def read_config(folder: Path) -> dict:
    return json.loads((folder / "config.json").read_text())


def test_a_fold_hands_on_the_mean_of_its_healthy_subjects_whatever_their_number_of_scans(export, tiny_cohort, study):
    folder, split = export(), read_folds(study / "folds.tsv")
    cohort = read_cohort(*[tiny_cohort.folder / name for name in ("cohort.npy", "percentiles.npy", "cohort.tsv")])
    for fold in FOLDS:
        training = part_of_fold(split, fold, "train")
        rows = cohort.rows_of(training.loc[training["label"] == 0, "scan"])
        volumes = torch.from_numpy(np.array(cohort.volumes[rows])).unsqueeze(1).float()
        landmarks = read_landmarks(study / f"fold-{fold}" / "landmarks.json")
        scans = standardise(volumes, torch.from_numpy(cohort.percentiles[rows]), landmarks)
        subjects = training.loc[training["label"] == 0, "subject"].reset_index(drop=True)
        of_subjects = [scans[own.index].mean(0) for _, own in subjects.groupby(subjects)]
        assert len(scans) - len(of_subjects) == fold  # of one subject, fold 1 trains on two scans
        weights, about = read_weights(folder / f"fold-{fold}" / "healthy.safetensors")
        assert weights["mean"].dtype == torch.float16
        np.testing.assert_allclose(weights["mean"][0].float(), torch.stack(of_subjects).mean(0), atol=1e-3)
        assert about["scans"] == read_config(folder)["healthy"][str(fold)]["scans"] == len(rows)
        assert about["subjects"] == training.loc[training["label"] == 0, "subject"].nunique() >= 5


def test_the_mean_of_a_few_people_is_not_handed_on(export, tiny_cohort):
    with pytest.raises(SystemExit, match=r"Fold 0 trains on 4 scans of 4 .* fewer than 5 subjects"):
        export(folds=tiny_cohort.folder / "folds.tsv")


def test_several_scans_of_one_person_are_one_person(export, study, tmp_path):
    folds = pd.read_csv(study / "folds.tsv", sep="\t")
    folds.loc[folds["label"] == 0, "subject"] = "sub-00"
    folds.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    with pytest.raises(SystemExit, match="6 scans of 1 subjects"):
        export(folds=tmp_path / "folds.tsv")


def test_no_scan_and_no_subject_is_named(export, study):
    names = {*pd.read_csv(study / "folds.tsv", sep="\t")[["scan", "subject"]].to_numpy().ravel()}
    files = [path for path in export().rglob("*") if path.is_file()]
    assert len(files) == 4 + len(export_model.FETCHED) + 3 * len(FOLDS)
    assert [(path, name) for path in files for name in names if name.encode() in path.read_bytes()] == []


def test_the_checksums_are_those_of_all_files(export):
    folder = export()
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name: digest for digest, name in lines} == {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }


def test_weights_and_atlas_are_copied_as_they_are(export, study):
    folder = export()
    assert (folder / "fold-1_seed-0" / "classifier.safetensors").read_bytes() == b"weights 1"
    assert (folder / "fetch" / "template_depth.nii.gz").read_text() == "this is template_depth.nii.gz"
    assert read_landmarks(folder / "fold-1" / "landmarks.json").tolist() == pytest.approx([0, 0.1, 0.5, 0.8, 1])
    assert {name: read_config(folder)[name] for name in ("folds", "seeds")} == {"folds": [0, 1], "seeds": [0]}


def test_the_cohort_is_told_in_counts(export):
    cohort = read_config(export())["cohort"]
    # Two subjects are tested, with two scans each: rows 0, 1, 16 and 17 of the table.
    assert cohort["test"] == {
        name: {"scans": 2, "subjects": 1, "age_mean": None, "age_sd": None, "sex": {}} for name in ("CN", "AD")
    }
    positive = cohort["development"]["AD"]  # who are as old as 60 years and their row
    assert (positive["scans"], positive["subjects"], positive["sex"]) == (8, 7, {"F": 4, "M": 3})
    ages = [(63 + 79) / 2, 65, 67, 69, 71, 73, 75]
    assert (positive["age_mean"], positive["age_sd"]) == (round(np.mean(ages), 1), round(np.std(ages, ddof=1), 1))


def test_the_mean_of_the_models_is_scored_beside_the_single_ones(export):
    scores = pd.read_csv(export() / "scores.tsv", sep="\t")
    single, mean = (scores[scores["of"] == of].set_index("score") for of in ("single models", "mean of the models"))
    assert single.loc["accuracy", ["mean", "sd", "low", "high"]].tolist() == [0.8, 0.1, 0.7, 0.9]
    assert single.index.tolist() == ["accuracy"]
    # The labels are 0, 1, 0, 1 and the mean probabilities 0.2, 0.5, 0.7, 0.9: at 0.5 three of four are right.
    assert mean.loc["accuracy", "mean"] == 0.75
    assert mean.loc["brier", "mean"] == pytest.approx((0.04 + 0.25 + 0.49 + 0.01) / 4, abs=1e-6)
    # Draws of the two subjects have one of them, or the other, or both.
    assert mean.loc["accuracy", ["low", "high"]].tolist() == [0.5, 1]


def test_a_threshold_that_each_fold_chose_becomes_their_mean(export):
    assert read_config(export())["threshold"] == 0.5
    folder = export(output="chosen", threshold="selected")
    assert read_config(folder)["threshold"] == 0.4
    assert "a probability of 0.400, the mean over folds" in (folder / "README.md").read_text()


def test_the_card_is_one_that_a_hub_reads_and_says_what_matters(export):
    card = (export() / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "apache-2.0"
    assert front["library_name"] == "neurobar"
    assert front["pipeline_tag"] == "image-classification"
    for words in ("Not for clinical use", "simulated and do not exist", "| Test | CN | 1 | 2 | not told | not told |"):
        assert words in card
    assert "| Accuracy | 0.800 ± 0.100 [0.700, 0.900] | 0.750 [0.500, 1.000] |" in card
    assert "is the mean of 6 training\nsubjects of CN, with equal weights" in card
    assert "{" not in card


def test_the_card_counts_the_scans_that_took_part_beyond_the_limits(export, tiny_cohort, tmp_path):
    assert "outside these limits took no part, and are refused" in (export() / "README.md").read_text()
    table = pd.read_csv(tiny_cohort.folder / "cohort.tsv", sep="\t").astype({"reason": "string"})
    for count, words in ((1, "1 that was"), (2, "2 that were")):
        table.loc[: count - 1, "reason"] = "Kept in the config: overlap is 0.5, below 0.88."
        table.to_csv(tmp_path / "cohort.tsv", sep="\t", index=False)
        folder = export(output=f"kept-{count}", table=tmp_path / "cohort.tsv")
        assert f"took no part, but for {words} kept by name, and are" in (folder / "README.md").read_text()


def test_a_cohort_of_people_is_not_called_simulated(export, study, tmp_path):
    folds = pd.read_csv(study / "folds.tsv", sep="\t", dtype={"part": str})
    folds.loc[(folds["label"] == 0) & (folds["part"] != "test"), "part"] = "2"
    folds.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    assert "simulated" not in (export(simulated=False, folds=tmp_path / "folds.tsv") / "README.md").read_text()


def test_means_whose_difference_would_show_a_few_people_are_not_handed_on(export):
    with pytest.raises(SystemExit, match="Fold 0 holds class 0 of 1 subjects"):
        export(simulated=False)


@pytest.mark.parametrize("split", [{"by": "scan", "labels": "own"}, {"by": "subject", "labels": "permuted"}])
def test_a_control_is_not_handed_on(export, split):
    with pytest.raises(SystemExit, match="bar is a control, wrong on purpose"):
        export(split=split)


def test_a_head_of_a_person_is_not_handed_on_and_the_average_of_many_is(export, tmp_path):
    with pytest.raises(SystemExit, match=r"may show a person's face; make the study with template\.head: computed"):
        export(template={"head": "heads/mine.nii.gz"})
    assert not (tmp_path / "model").exists()
    assert (export(template={"head": "nilearn"}) / "fetch" / "template_head.nii.gz").is_file()


def test_a_folder_that_holds_something_is_left_alone(export):
    folder = export()
    (folder / "SHA256SUMS").write_text("mine")
    with pytest.raises(SystemExit, match="is not empty"):
        export()
    assert (folder / "SHA256SUMS").read_text() == "mine"


def test_equal_studies_give_equal_bytes(export):
    first, again = export(), export(output="again")
    assert (first / "SHA256SUMS").read_bytes() == (again / "SHA256SUMS").read_bytes()
