import json
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
import yaml

from neurobar.models.encoder import VisionTransformer
from neurobar.pretrain.pretrain_encoder import contrast_weights, main
from neurobar.training.checkpoints import read_weights

RUNS = ["contrastive", "recon", "contrastive_recon", "cutmix", "cutmix_recon", "bar", "bar_recon"]


def pretrain(cohort, folder, settings):
    folder.mkdir()
    outputs = {name: folder / name for name in ("encoder", "decoder", "history", "seen")}
    words = [word for name, path in outputs.items() for word in (f"--{name}", str(path))]
    main([*cohort.arguments, "--atlas", str(cohort.folder / "atlas.nii.gz"), "--settings", settings, *words])
    return outputs


def test_equal_seeds_give_equal_bytes_and_the_checkpoint_rebuilds_the_encoder(tiny_cohort, tmp_path):
    first, again = (pretrain(tiny_cohort, tmp_path / name, tiny_cohort.settings_with()) for name in "ab")
    for name, path in first.items():
        assert path.read_bytes() == again[name].read_bytes()
    weights, settings = read_weights(first["encoder"])
    encoder = VisionTransformer(shape=tuple(settings["shape"]), **settings["encoder"])
    encoder.load_state_dict(weights)
    assert settings["shape"] == [16, 24, 32]


@pytest.mark.parametrize("run", RUNS)
def test_every_run_of_the_paper_trains_with_its_losses(run, root, tiny_cohort, tmp_path):
    config = yaml.safe_load((root / "config.yaml").read_text())
    merged = config["pretrain"] | config["runs"][run]
    unlike_default = {key: merged[key] for key in config["runs"]["contrastive"] | config["runs"]["bar_recon"]}
    outputs = pretrain(tiny_cohort, tmp_path / run, tiny_cohort.settings_with(**unlike_default))
    history = pd.read_csv(outputs["history"], sep="\t")
    assert history["epoch"].tolist() == [1, 2]
    assert ("contrast" in history) == (run != "recon")
    assert ("reconstruction" in history) == run.endswith("recon")
    assert bool(read_weights(outputs["decoder"])[0]) == run.endswith("recon")
    parts = history[[name for name in ("contrast", "reconstruction") if name in history]].sum(axis=1)
    assert parts.tolist() == pytest.approx(history["loss"].tolist(), rel=1e-5)


def test_only_training_scans_are_anchors_and_donors(tiny_cohort, tmp_path):
    outputs = pretrain(tiny_cohort, tmp_path / "run", tiny_cohort.settings_with())
    seen = pd.read_csv(outputs["seen"], sep="\t").groupby("role")["scan"].agg(set)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str)
    training = set(folds.loc[folds["part"].isin(["1", "2"]), "scan"])
    assert set(seen.index) == {"train", "anchor", "donor"}
    assert seen["train"] == training
    assert seen["anchor"] <= training
    assert seen["donor"] <= training


def test_reconstruction_becomes_better(tiny_cohort, tmp_path):
    settings = tiny_cohort.settings_with(contrast="none", epochs=25, rate=5e-3)
    history = pd.read_csv(pretrain(tiny_cohort, tmp_path / "run", settings)["history"], sep="\t")
    # A single epoch may have drawn windows for most of its few batches, and little can be seen through them.
    assert history["loss"].tail(5).mean() < 0.75 * history["loss"].iloc[0]


def test_weights_follow_the_contrast():
    labels, mixed = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.25, 0.25, 0.75])

    def weights(contrast, view_2_label="mixed"):
        settings = {"sigma": 0.8, "contrast": contrast, "view_2_label": view_2_label}
        return contrast_weights(labels, mixed, settings)

    far, near = (math.exp(-(distance**2) / (2 * 0.8**2)) for distance in (0.75, 0.25))
    middle = math.exp(-(0.5**2) / (2 * 0.8**2))
    assert weights("infonce").tolist() == torch.eye(3).tolist()
    assert weights("hard_labels").tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert weights("hard_labels", "own").tolist() == [[1, 0, 1], [1, 0, 1], [0, 1, 0]]
    assert weights("soft_labels").flatten().tolist() == pytest.approx([1, 1, middle, 1, 1, middle, middle, middle, 1])
    assert weights("soft_labels", "own").flatten().tolist() == pytest.approx([near, far, near] * 2 + [far, near, far])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_gives_equal_bytes_too(tiny_cohort, tmp_path):
    arguments = [*tiny_cohort.arguments[:-1], '{"device": "cuda"}']
    on_gpu = replace(tiny_cohort, arguments=arguments)
    first, again = (pretrain(on_gpu, tmp_path / name, on_gpu.settings_with()) for name in "ab")
    assert first["encoder"].read_bytes() == again["encoder"].read_bytes()


def test_a_fault_ends_in_one_sentence(tiny_cohort, tmp_path):
    settings = json.loads(tiny_cohort.settings_with())
    settings["encoder"]["patch"] = 32
    with pytest.raises(SystemExit, match=r"^The grid \(16, 24, 32\) is no multiple of the patch 32\.$"):
        pretrain(tiny_cohort, tmp_path / "run", json.dumps(settings))
