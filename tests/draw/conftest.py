"""A scene of scans that views are made of, and what a figure says."""

import argparse

import pandas as pd
import pytest
import torch

from neurobar.draw.scenes import open_scene
from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.training.checkpoints import save_weights

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "study": "a study", "simulated": True}
REGIONS = ["Cuneus", "Insula", "Hippocampus", "Lingual", "Vermis", "Fusiform"]


@pytest.fixture
def run_settings(tiny_cohort):
    """Return the settings of a run that mixes, on the split `subjects`."""
    return tiny_cohort.settings["pretrain"] | {"split": "subjects", "noise_regions": 0.5}


@pytest.fixture
def view_words(tiny_cohort, tmp_path):
    """Return the arguments of the command by their names, without runs."""
    (tmp_path / "subjects").mkdir()
    split = (tiny_cohort.folder / "folds.tsv").read_bytes()
    (tmp_path / "subjects" / "folds.tsv").write_bytes(split)
    pd.DataFrame({"region": range(1, 7), "name": REGIONS}).to_csv(tmp_path / "regions.tsv", sep="\t", index=False)
    training = {key: tiny_cohort.settings[key] for key in ("encoder", "precision", "voxel_mm")}
    named = {"volumes": "cohort.npy", "percentiles": "percentiles.npy", "table": "cohort.tsv"}
    named |= {"landmarks": "landmarks.json", "atlas": "atlas.nii.gz"}
    written = {"folds": tmp_path / "subjects" / "folds.tsv", "regions": tmp_path / "regions.tsv"}
    written |= {"figures": tmp_path / "views", "captions": tmp_path / "views.tsv"}
    told = {"cohort": COHORT, "training": training}
    return {name: str(tiny_cohort.folder / file) for name, file in named.items()} | written | told


@pytest.fixture
def scene(view_words):
    """Return the scene of the tiny cohort."""
    return open_scene(argparse.Namespace(**view_words))


@pytest.fixture
def pretrained(tiny_cohort, tmp_path):
    """Return the function that writes encoder and decoder of a run, whose decoder restores one intensity everywhere."""

    def write(run, intensity):
        settings = {"encoder": tiny_cohort.settings["encoder"], "shape": [16, 24, 32]}
        torch.manual_seed(0)
        model = EncoderWithDecoder((16, 24, 32), settings["encoder"])
        torch.nn.init.zeros_(model.decoder.restore.weight)
        torch.nn.init.constant_(model.decoder.restore.bias, intensity)
        folder = tmp_path / "pretrain" / run / "fold-0" / "seed-0"
        save_weights(folder / "encoder.safetensors", model.encoder, settings)
        save_weights(folder / "decoder.safetensors", model.decoder, settings)
        return str(folder / "encoder.safetensors"), str(folder / "decoder.safetensors")

    return write


def words_of(figure):
    """Return all words that a figure shows outside its pictures."""
    panels = list(figure.axes)
    panels += [child for panel in panels for child in panel.child_axes]
    return "\n".join(" ".join([panel.get_title(), panel.get_xlabel(), panel.get_ylabel()]) for panel in panels)


@pytest.fixture
def all_words():
    """Return the function that lists the words of a figure."""
    return words_of
