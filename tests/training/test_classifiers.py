import json
from pathlib import Path

import pytest
import torch

from neurobar.training.checkpoints import read_weights, save_weights
from neurobar.training.classifiers import build_classifier, load_classifier, load_encoder

EARLIER = Path(__file__).parent / "checkpoint_0_1"


def test_a_checkpoint_of_an_earlier_commit_predicts_what_it_predicted_then():
    volumes = torch.linspace(0, 1, 2 * 8 * 16 * 24).view(2, 1, 8, 16, 24)
    with torch.inference_mode():
        logits = load_classifier(EARLIER / "classifier.safetensors")(volumes)
    assert logits.tolist() == pytest.approx(json.loads((EARLIER / "logits.json").read_text())["logits"], abs=1e-6)


def test_an_encoder_of_an_earlier_commit_goes_into_a_new_classifier():
    weights, settings = read_weights(EARLIER / "encoder.safetensors")
    model = build_classifier(
        shape=settings["shape"], encoder=settings["encoder"], hidden=[3], frozen=True, batch_norm=False
    )
    load_encoder(model, EARLIER / "encoder.safetensors", settings["encoder"])
    assert all(torch.equal(model.encoder.state_dict()[name], tensor) for name, tensor in weights.items())


def test_a_file_that_claims_another_network_than_it_holds_is_refused_before_that_is_built(tmp_path):
    _, settings = read_weights(EARLIER / "classifier.safetensors")
    model = load_classifier(EARLIER / "classifier.safetensors")
    # A hundred thousand units wide, one layer alone would take 40 GB.
    large = settings["encoder"] | {"width": 100_000, "heads": 1}
    save_weights(tmp_path / "large.safetensors", model, settings | {"encoder": large})
    with pytest.raises(ValueError, match=r"large\.safetensors: its settings are not those of its weights\."):
        load_classifier(tmp_path / "large.safetensors")


@pytest.mark.parametrize("change", [{"shape": None}, {"encoder": {"os": "x"}}, {"finetune": {}}])
def test_settings_of_something_else_are_refused(tmp_path, change):
    _, settings = read_weights(EARLIER / "classifier.safetensors")
    save_weights(tmp_path / "other.safetensors", torch.nn.Linear(1, 1), settings | change)
    with pytest.raises(ValueError, match=r"other\.safetensors is no classifier of this project"):
        load_classifier(tmp_path / "other.safetensors")
