from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.apply import apply_classifier
from neurobar.finetune import predict_scans
from neurobar.training.checkpoints import save_weights
from neurobar.training.classifiers import build_classifier, head_of

SHAPE = (16, 24, 32)


@pytest.fixture(scope="module")
def classifier(tiny_cohort, tmp_path_factory):
    """Write a classifier with weights that never learned anything."""
    torch.manual_seed(3)
    settings = tiny_cohort.settings
    model = build_classifier(shape=SHAPE, encoder=settings["encoder"], **head_of(settings["finetune"]))
    path = tmp_path_factory.mktemp("classifier") / "classifier.safetensors"
    save_weights(path, model, {**settings, "shape": SHAPE})
    return path


@pytest.fixture(scope="module")
def at_home(tiny_cohort, classifier):
    """Predict the selection fold and the test set of the classifier's own cohort."""
    path = classifier.with_name("predictions.tsv")
    words = [*tiny_cohort.arguments, "--settings", tiny_cohort.settings_with(), "--classifier", str(classifier)]
    predict_scans.main([*words, "--predictions", str(path)])
    return path


@pytest.fixture(scope="module")
def external(tiny_cohort, tmp_path_factory):
    """Write seven of the scans, in another order and under other names, as the packed external cohort."""
    folder, places = tmp_path_factory.mktemp("external"), [11, 2, 19, 7, 5, 0, 16]
    for name in ("cohort.npy", "percentiles.npy"):
        np.save(folder / name, np.load(tiny_cohort.folder / name)[places])
    own = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t").iloc[places]
    folds = own.assign(scan=[f"x{place}" for place in places], subject=[f"e{place}" for place in places], part="test")
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False)
    folds.assign(used=True, reason="")[["scan", "used", "reason"]].to_csv(folder / "cohort.tsv", sep="\t", index=False)
    names = {"volumes": "cohort.npy", "percentiles": "percentiles.npy", "table": "cohort.tsv", "folds": "folds.tsv"}
    words = [word for name, file in names.items() for word in (f"--{name}", str(folder / file))]
    arguments = [*words, *tiny_cohort.arguments[len(words) :]]
    return replace(tiny_cohort, folder=folder, arguments=arguments)


@pytest.fixture(scope="module")
def applied(external, classifier, at_home):
    """Apply the classifier; return its predictions and what it saw."""
    words = [*external.arguments, "--settings", external.settings_with(), "--classifier", str(classifier)]
    outputs = [word for name in ("predictions", "seen") for word in (f"--{name}", str(external.folder / f"{name}.out"))]
    apply_classifier.main([*words, "--selecting", str(at_home), *outputs])
    return tuple(pd.read_csv(external.folder / f"{name}.out", sep="\t") for name in ("predictions", "seen"))


def test_a_scan_gets_the_probability_that_it_has_at_home(applied, external, tiny_cohort, classifier, tmp_path):
    everyone = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t").assign(part="test")
    everyone.loc[0, "part"] = "0"
    everyone.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    words = list(tiny_cohort.arguments)
    words[words.index("--folds") + 1] = str(tmp_path / "folds.tsv")
    words += ["--settings", tiny_cohort.settings_with(), "--classifier", str(classifier)]
    predict_scans.main([*words, "--predictions", str(tmp_path / "predictions.tsv")])
    home = pd.read_csv(tmp_path / "predictions.tsv", sep="\t").set_index("scan")["probability"]
    tested = applied[0][applied[0]["part"] == "test"]
    places = tested["scan"].str[1:].astype(int)
    assert sorted(places) == [0, 2, 5, 7, 11, 16, 19]
    assert tested["probability"].tolist() == pytest.approx(home[everyone["scan"].iloc[places]].tolist(), abs=2e-6)
    assert tested["probability"].nunique() > 4
    assert tested["label"].tolist() == everyone["label"].iloc[places].tolist()


def test_what_selects_the_threshold_is_that_of_the_own_fold(applied, at_home):
    own = pd.read_csv(at_home, sep="\t")
    columns = ["scan", "subject", "label", "probability"]
    chosen, of_own = (table.loc[table["part"] == "select", columns] for table in (applied[0], own))
    assert chosen.to_numpy().tolist() == of_own.to_numpy().tolist()
    assert len(chosen) == 4


def test_only_scans_of_the_external_cohort_were_seen_and_as_a_test(applied):
    predictions, seen = applied
    assert set(seen["role"]) == {"test"}
    assert sorted(seen["scan"]) == sorted(predictions.loc[predictions["part"] == "test", "scan"])
