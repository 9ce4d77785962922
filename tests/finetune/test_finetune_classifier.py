import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from neurobar.finetune.finetune_classifier import BestWeights, selection_scores
from neurobar.models.encoder import VisionTransformer
from neurobar.training.checkpoints import read_weights, save_weights


def test_equal_seeds_give_equal_bytes(finetune, tiny_cohort, tmp_path):
    first, again = (finetune(tiny_cohort, tmp_path / name, tiny_cohort.settings_with()) for name in "ab")
    for name, path in first.items():
        assert path.read_bytes() == again[name].read_bytes()


@pytest.mark.parametrize(("select_by", "best"), [("loss", 0.3), ("accuracy", 0.1)])
def test_the_best_epoch_by_the_selection_fold_is_kept(select_by, best):
    kept = BestWeights(torch.nn.Linear(1, 1), select_by)
    for weight, loss, accuracy in [(0.1, 0.5, 0.9), (0.3, 0.2, 0.8), (0.4, 0.2, 0.9), (0.2, 0.6, 0.1)]:
        kept.model.weight.data.fill_(weight)
        kept.offer({"select_loss": loss, "select_accuracy": accuracy})
    kept.adopt()
    assert kept.model.weight.item() == pytest.approx(best)


def test_the_history_holds_the_scores_of_every_epoch(trained):
    history = pd.read_csv(trained["history"], sep="\t")
    assert history["epoch"].tolist() == list(range(1, 151))
    assert {"loss", "rate", "select_loss", "select_accuracy"} <= set(history)


def test_scans_are_seen_in_their_own_part(tiny_cohort, trained):
    seen = pd.read_csv(trained["seen"], sep="\t").groupby("role")["scan"].agg(set)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str)
    assert seen["train"] == set(folds.loc[folds["part"].isin(["1", "2"]), "scan"])
    assert seen["select"] == set(folds.loc[folds["part"] == "0", "scan"])


def test_training_starts_from_the_pretrained_encoder_and_a_frozen_one_stays(finetune, tiny_cohort, tmp_path):
    torch.manual_seed(5)
    encoder = VisionTransformer(shape=(16, 24, 32), **tiny_cohort.settings["encoder"])
    path = tmp_path / "encoder.safetensors"
    save_weights(path, encoder, {"encoder": tiny_cohort.settings["encoder"]})
    settings = tiny_cohort.settings_with(frozen=True)
    weights, _ = read_weights(finetune(tiny_cohort, tmp_path / "task", settings, "--encoder", str(path))["classifier"])
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(weights[f"encoder.{name}"], tensor)


def test_an_encoder_of_another_size_is_refused(finetune, tiny_cohort, tmp_path):
    other = tiny_cohort.settings["encoder"] | {"width": 24}
    path = tmp_path / "encoder.safetensors"
    save_weights(path, VisionTransformer(shape=(16, 24, 32), **other), {"encoder": other})
    with pytest.raises(SystemExit, match="holds another encoder"):
        finetune(tiny_cohort, tmp_path / "task", tiny_cohort.settings_with(), "--encoder", str(path))


def test_selection_scores_have_their_value_found_by_hand():
    scores = selection_scores(torch.tensor([0.0, -1.0]), torch.tensor([1.0, 1.0]))
    assert scores["select_accuracy"] == 0.5
    assert scores["select_loss"] == pytest.approx((0.693147 + 1.313262) / 2, rel=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("how", ["held", "streamed"])
def test_a_gpu_gives_equal_bytes_too(finetune, tiny_cohort, tmp_path, how):
    on_gpu = replace(
        tiny_cohort, arguments=[*tiny_cohort.arguments[:-1], json.dumps({"device": "cuda", "cohort": how})]
    )
    first, again = (finetune(on_gpu, tmp_path / name, on_gpu.settings_with()) for name in "ab")
    assert first["classifier"].read_bytes() == again["classifier"].read_bytes()
