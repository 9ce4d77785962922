import json

import pandas as pd
import pytest
import torch

from neurobar.finetune import finetune_classifier, predict_scans
from neurobar.finetune.finetune_classifier import BestWeights, selection_scores
from neurobar.finetune.models import load_classifier
from neurobar.models.encoder import VisionTransformer
from neurobar.training.checkpoints import read_weights, save_weights


def words(outputs):
    return [word for name, path in outputs.items() for word in (f"--{name}", str(path))]


def finetune(cohort, folder, settings, *extra):
    folder.mkdir()
    outputs = {name: folder / name for name in ("classifier", "history", "seen")}
    finetune_classifier.main([*cohort.arguments, *extra, "--settings", settings, *words(outputs)])
    return outputs


@pytest.fixture(scope="module")
def trained(tiny_cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "task"
    return finetune(tiny_cohort, folder, tiny_cohort.settings_with(epochs=150, rate=5e-3))


def predict(cohort, trained, folder):
    arguments = [*cohort.arguments, "--settings", cohort.settings_with(), "--classifier", str(trained["classifier"])]
    predict_scans.main([*arguments, "--predictions", str(folder / "predictions.tsv")])
    return pd.read_csv(folder / "predictions.tsv", sep="\t")


def test_a_plain_difference_between_the_classes_is_learned(tiny_cohort, trained, tmp_path):
    predictions = predict(tiny_cohort, trained, tmp_path)
    assert ((predictions["probability"] > 0.5) == (predictions["label"] == 1)).mean() > 0.9


def test_selection_fold_and_test_set_are_predicted_and_nothing_else(tiny_cohort, trained, tmp_path):
    predictions = predict(tiny_cohort, trained, tmp_path)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str).set_index("scan")
    for part, name in {"select": "0", "test": "test"}.items():
        assert set(predictions.loc[predictions["part"] == part, "scan"]) == set(folds.index[folds["part"] == name])
    assert predictions["label"].astype(str).tolist() == folds.loc[predictions["scan"], "label"].tolist()


def test_equal_seeds_give_equal_bytes(tiny_cohort, tmp_path):
    first, again = (finetune(tiny_cohort, tmp_path / name, tiny_cohort.settings_with()) for name in "ab")
    for name, path in first.items():
        assert path.read_bytes() == again[name].read_bytes()


def test_the_best_epoch_by_the_selection_fold_is_kept(tiny_cohort, trained):
    history = pd.read_csv(trained["history"], sep="\t")
    best = BestWeights(torch.nn.Linear(1, 1))
    for score in (0.1, 0.3, 0.3, 0.2):
        best.model.weight.data.fill_(score)
        best.offer(score)
    best.restore()
    assert best.model.weight.item() == pytest.approx(0.3)
    assert len(history) == 150
    assert {"select_loss", "select_accuracy"} <= set(history)


def test_scans_are_seen_in_their_own_part(tiny_cohort, trained):
    seen = pd.read_csv(trained["seen"], sep="\t").groupby("role")["scan"].agg(set)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str)
    assert seen["train"] == set(folds.loc[folds["part"].isin(["1", "2"]), "scan"])
    assert seen["select"] == set(folds.loc[folds["part"] == "0", "scan"])


def test_training_starts_from_the_pretrained_encoder_and_a_frozen_one_stays(tiny_cohort, tmp_path):
    torch.manual_seed(5)
    encoder = VisionTransformer(shape=(16, 24, 32), **tiny_cohort.settings["encoder"])
    path = tmp_path / "encoder.safetensors"
    save_weights(path, encoder, {"encoder": tiny_cohort.settings["encoder"]})
    settings = tiny_cohort.settings_with(frozen=True)
    weights, _ = read_weights(finetune(tiny_cohort, tmp_path / "task", settings, "--encoder", str(path))["classifier"])
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(weights[f"encoder.{name}"], tensor)


def test_an_encoder_of_another_size_is_refused(tiny_cohort, tmp_path):
    other = tiny_cohort.settings["encoder"] | {"width": 24}
    path = tmp_path / "encoder.safetensors"
    save_weights(path, VisionTransformer(shape=(16, 24, 32), **other), {"encoder": other})
    with pytest.raises(SystemExit, match="holds another encoder"):
        finetune(tiny_cohort, tmp_path / "task", tiny_cohort.settings_with(), "--encoder", str(path))


def test_a_checkpoint_predicts_the_same_after_loading(tiny_cohort, trained):
    model = load_classifier(trained["classifier"])
    volumes = torch.rand(2, 1, 16, 24, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(volumes), load_classifier(trained["classifier"])(volumes))
    assert not model.training
    assert json.loads(json.dumps(read_weights(trained["classifier"])[1]))["shape"] == [16, 24, 32]


def test_selection_scores_have_their_value_found_by_hand():
    scores = selection_scores(torch.tensor([0.0, -1.0]), torch.tensor([1.0, 1.0]))
    assert scores["select_accuracy"] == 0.5
    assert scores["select_loss"] == pytest.approx((0.693147 + 1.313262) / 2, rel=1e-5)
