import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from neurobar.training.checkpoints import read_weights, save_weights


def test_weights_and_settings_come_back(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    save_weights(tmp_path / "model.safetensors", model, {"width": 3, "name": "ä"})
    weights, settings = read_weights(tmp_path / "model.safetensors")
    assert settings == {"width": 3, "name": "ä"}
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())


def test_equal_weights_give_equal_bytes(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 5))
    for name in ("a", "b"):
        save_weights(tmp_path / name, model, {"b": 1, "a": [1, 2]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_without_settings_is_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="carries no settings"):
        read_weights(tmp_path / "other.safetensors")
