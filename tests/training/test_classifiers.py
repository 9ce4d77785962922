import json
from pathlib import Path

import pytest
import torch

from neurobar.training.checkpoints import read_weights
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
