import argparse
import json

import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.draw import draw_tokens as commands
from neurobar.draw.draw_tokens import MOST, encode_scans, list_scans, main, read_sites, write_caption
from neurobar.finetune import finetune_classifier
from neurobar.training.classifiers import load_classifier
from neurobar.training.command import FoldOfCohort
from neurobar.training.devices import Device

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "study": "a study", "simulated": False}


@pytest.fixture(scope="module")
def classifier(tiny_cohort, tmp_path_factory):
    """Fine-tune a classifier for three epochs and return its path."""
    folder = tmp_path_factory.mktemp("classifier")
    outputs = {name: folder / name for name in ("classifier", "history", "seen")}
    words = [word for name, path in outputs.items() for word in (f"--{name}", str(path))]
    finetune_classifier.main([*tiny_cohort.arguments, "--settings", tiny_cohort.settings_with(), *words])
    return outputs["classifier"]


@pytest.fixture
def fold(tiny_cohort):
    """Return fold 0 of the tiny cohort."""
    words = dict(zip(tiny_cohort.arguments[::2], tiny_cohort.arguments[1::2], strict=True))
    files = {name: words[f"--{name}"] for name in ("volumes", "percentiles", "table", "folds", "landmarks")}
    return FoldOfCohort(
        argparse.Namespace(**files, fold=0, settings=tiny_cohort.settings, machine={}), Device(torch.device("cpu"))
    )


@pytest.fixture
def draw(tiny_cohort, classifier, tmp_path):
    """Return the command, which returns table and caption."""

    def run(sites=None):
        sheet = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str)[["scan", "subject"]]
        sheet = sheet if sites is None else sheet.assign(site=sites)
        sheet.to_csv(tmp_path / "scans.csv", index=False, na_rep="n/a")
        machine = tiny_cohort.arguments.index("--fold")  # fold, seed and device are those of the command
        words = {"sheet": tmp_path / "scans.csv", "classifier": classifier, "settings": tiny_cohort.settings_with()}
        words |= {"cohort": json.dumps(COHORT), "figures": tmp_path / "tokens", "captions": tmp_path / "tokens.tsv"}
        words = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        main([*tiny_cohort.arguments[:machine], *words])
        table = pd.read_csv(tmp_path / "tokens" / "tokens.csv", dtype={"scan": str, "subject": str})
        return table, pd.read_csv(tmp_path / "tokens.tsv", sep="\t")["caption"].item()

    return run


def test_every_scan_of_the_fold_stands_at_the_projection_of_its_class_token(draw, fold, classifier):
    table, _ = draw()
    model, scans = load_classifier(classifier), fold.scans_of(table["scan"], "test")
    with torch.inference_mode():
        tokens = model.encoder(scans.take(np.arange(20)).float())[:, 0].numpy()
    tokens = tokens - tokens.mean(axis=0)
    left, sizes, _ = np.linalg.svd(tokens, full_matrices=False)
    for column, name in enumerate(["pc_1", "pc_2"]):
        place = left[:, column] * sizes[column]
        assert min(np.abs(table[name] - place).max(), np.abs(table[name] + place).max()) < 1e-3 * sizes[0]


def test_parts_labels_and_sites_stand_beside(draw, tiny_cohort, tmp_path):
    table, caption = draw(sites=["north", None] * 10)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str).set_index("scan")
    assert table["part"].value_counts().to_dict() == {"train": 8, "test": 8, "select": 4}
    parts = folds.loc[table["scan"], "part"].map(lambda part: {"test": "test", "0": "select"}.get(part, "train"))
    assert table["part"].tolist() == parts.tolist()
    assert table["label"].astype(str).tolist() == folds.loc[table["scan"], "label"].tolist()
    assert (table["site"].notna() == (table["label"] == 0)).all()
    assert "20 scans of 16 subjects, a study; triangles are test scans" in caption
    assert (tmp_path / "tokens" / "tokens.png").stat().st_size > 5000


def test_of_many_scans_some_are_chosen_from_all_parts_and_the_caption_says_so(draw, fold, monkeypatch):
    listed = list_scans(fold)
    assert len(listed) == listed["scan"].nunique() == 20 < MOST
    monkeypatch.setattr(commands, "MOST", 10)
    some, caption = draw()
    assert len(some) == some["scan"].nunique() == 10
    assert set(some["part"]) == {"train", "select", "test"}
    assert f"10 scans of {some['subject'].nunique()} subjects, evenly chosen of 20 scans, a study" in caption


def test_the_caption_names_fold_and_seed():
    rows = pd.DataFrame({"scan": ["a"], "subject": ["a"]})
    args = argparse.Namespace(fold=0, seed=7, cohort=COHORT)
    assert "of fold 0 and seed 7," in write_caption(args, rows, 1)


def test_tokens_of_patches_do_not_stay_in_memory(fold, classifier, monkeypatch):
    kept, join = [], torch.cat

    def spy(tokens):
        kept.extend((token.untyped_storage().nbytes(), token.numel() * token.element_size()) for token in tokens)
        return join(tokens)

    model, names = load_classifier(classifier), list_scans(fold)["scan"][:3]
    monkeypatch.setattr(
        commands.torch,
        "cat",
        lambda tensors, *rest, **more: spy(tensors) if not rest and not more else join(tensors, *rest, **more),
    )
    encode_scans(fold, model, names, batch=2)
    assert len(kept) == 2
    assert all(held == needed for held, needed in kept)


def test_a_sheet_need_not_have_sites(tmp_path):
    scans = pd.Series(["b", "c", "a"])
    pd.DataFrame({"scan": ["a", "b", "c"], "path": "x"}).to_csv(tmp_path / "scans.tsv", sep="\t", index=False)
    assert read_sites(str(tmp_path / "scans.tsv"), scans).isna().all()
    pd.DataFrame({"scan": ["a", "b", "c"], "site": ["x", "n/a", "007"]}).to_csv(tmp_path / "scans.csv", index=False)
    sites = read_sites(str(tmp_path / "scans.csv"), scans)
    assert sites.isna().tolist() == [True, False, False]
    assert sites.tolist()[1:] == ["007", "x"]
