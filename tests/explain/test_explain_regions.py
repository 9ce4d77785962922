import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neurobar.data.atlases import read_regions
from neurobar.explain import explain_regions
from neurobar.training.checkpoints import save_weights
from neurobar.training.classifiers import build_classifier
from neurobar.training.command import cohort_parser, open_fold
from neurobar.transforms.regions import RegionMap

NAMES = ["one", "two", "three", "four", "five", "six"]


class Planted(nn.Module):
    """A classifier that looks at region 2 alone: its logit falls with the mean intensity there."""

    def __init__(self, atlas):
        super().__init__()
        self.register_buffer("inside", (atlas == 2).float() / (atlas == 2).sum())

    def forward(self, volumes):
        return -3 * (volumes[:, 0] * self.inside).sum((1, 2, 3))


@pytest.fixture
def fold(tiny_cohort):
    args = cohort_parser("").parse_args([*tiny_cohort.arguments, "--settings", tiny_cohort.settings_with()])
    return open_fold(args)


@pytest.fixture
def regions(tiny_cohort):
    return RegionMap.of(torch.from_numpy(read_regions(tiny_cohort.folder / "atlas.nii.gz")))


@pytest.fixture
def planted(fold, regions):
    model = Planted(regions.atlas)
    return model, explain_regions.explain(fold, model, regions, NAMES, donors=3, steps=4, seed=0)


@pytest.fixture(scope="module")
def classifier(tiny_cohort, tmp_path_factory):
    torch.manual_seed(0)
    settings = {"shape": [16, 24, 32], "encoder": tiny_cohort.settings["encoder"]}
    task = {name: tiny_cohort.settings["finetune"][name] for name in ("hidden", "batch_norm", "frozen")}
    path = tmp_path_factory.mktemp("classifier") / "classifier.safetensors"
    save_weights(path, build_classifier(**settings, **task), {**settings, "finetune": task})
    return path


@pytest.fixture
def run(tiny_cohort, classifier, tmp_path):
    """Return the call of the command, with a table of as many regions as asked."""

    def call(folder, *, donors=2, seed=0, count=6, machine=None):
        folder = tmp_path / folder
        folder.mkdir()
        names = folder / "regions.tsv"
        pd.DataFrame({"region": range(1, count + 1), "name": NAMES[:count]}).to_csv(names, sep="\t", index=False)
        read = ["--atlas", str(tiny_cohort.folder / "atlas.nii.gz"), "--regions", str(names)]
        read += ["--classifier", str(classifier), "--settings", tiny_cohort.settings_with(), "--seed", str(seed)]
        wrote = [folder / "explanation.tsv", folder / "seen.tsv"]
        words = [
            *read,
            "--donors",
            str(donors),
            "--steps",
            "3",
            "--explanation",
            str(wrote[0]),
            "--seen",
            str(wrote[1]),
        ]
        words += ["--machine", machine] if machine else []
        explain_regions.main([*tiny_cohort.arguments, *words])
        return wrote

    return call


def test_the_region_that_a_classifier_looks_at_changes_its_probability_as_computed_by_hand(fold, planted):
    model, table = planted
    donors = fold.scans_of(pd.Series(fold.seen["donor"]), "donor").take(np.arange(3)).float()
    tests = fold.scans("test").take(np.arange(len(fold.rows("test")))).float()
    # The planted classifier sees nothing else, so a scan with the donor's region looks to it like the donor.
    own, given = (torch.sigmoid(model(volumes).double()).numpy() for volumes in (tests, donors))
    changed = table[table["region"] == "two"]
    assert changed["scan"].tolist() == fold.rows("test")["scan"].tolist()
    np.testing.assert_allclose(changed["change"], own - given.mean(), atol=1e-6)
    np.testing.assert_allclose(changed["change_sd"], given.std(ddof=1), atol=1e-6)
    darker = changed["label"] == 1
    assert (changed["change"][darker] > 0.05).all()


def test_a_region_that_a_classifier_does_not_look_at_changes_nothing(planted):
    _, table = planted
    others = table[table["region"] != "two"]
    assert (others[["change", "change_sd", "integrated_gradient"]] == 0).all(axis=None)


def test_integrated_gradients_add_up_to_the_logit_over_that_of_the_mean_healthy_scan(fold, planted):
    model, table = planted
    rows = fold.rows("train")
    healthy = rows.loc[rows["label"] == 0, "scan"]
    mean = fold.scans_of(healthy, "train").take(np.arange(len(healthy))).float().mean(0, keepdim=True)
    tests = fold.scans("test").take(np.arange(len(fold.rows("test")))).float()
    total = table.groupby("scan", sort=False)["integrated_gradient"].sum()
    np.testing.assert_allclose(total, (model(tests) - model(mean)).numpy(), atol=1e-5)


def test_donors_are_healthy_training_scans_and_no_more_than_there_are(fold):
    donors, _ = explain_regions.load_healthy(fold, 100, 0)
    rows = fold.rows("train")
    assert fold.seen["donor"] == rows.loc[rows["label"] == 0, "scan"].tolist()
    assert len(donors) == len(fold.seen["donor"])
    few, _ = explain_regions.load_healthy(fold, 2, 0)
    assert len(few) == len(set(fold.seen["donor"])) == 2


def test_a_fold_without_healthy_training_scans_is_refused(fold):
    fold.folds["label"] = 1
    with pytest.raises(ValueError, match="Fold 0 has no training scan of class 0"):
        explain_regions.load_healthy(fold, 2, 0)


def test_equal_seeds_give_equal_bytes_and_another_draws_other_donors(run):
    first, again, other = run("a"), run("b"), run("c", seed=1)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert first[1].read_bytes() != other[1].read_bytes()


def test_every_test_scan_and_nothing_else_is_explained_by_every_region(run, fold):
    explanation, seen = run("a")
    table = pd.read_csv(explanation, sep="\t")
    assert table["scan"].tolist() == np.repeat(fold.rows("test")["scan"], 6).tolist()
    assert table["region"].tolist() == NAMES * len(fold.rows("test"))
    opened = pd.read_csv(seen, sep="\t").groupby("role")["scan"].agg(set)
    assert opened["test"] == set(fold.rows("test")["scan"])
    assert opened["donor"] <= opened["train"] <= set(fold.rows("train")["scan"])


def test_the_spread_over_one_donor_is_missing(run):
    explanation, _ = run("a", donors=1)
    assert pd.read_csv(explanation, sep="\t")["change_sd"].isna().all()


def test_a_table_of_other_regions_is_refused(run):
    with pytest.raises(SystemExit, match="names 5 regions, but the atlas has 6"):
        run("a", count=5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_explains_what_a_cpu_explains(run):
    tables = [pd.read_csv(run(kind, machine=json.dumps({"device": kind}))[0], sep="\t") for kind in ("cpu", "cuda")]
    pd.testing.assert_frame_equal(*tables, atol=1e-3)
