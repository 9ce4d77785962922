import os

import pytest
import torch
from torch import nn

from neurobar.training.devices import choose_device
from neurobar.training.loop import train
from neurobar.training.progress import Progress, fingerprint

SETTINGS = {"epochs": 6, "rate": 0.05, "schedule": "cosine", "warmup": 0.2}


class KilledError(Exception):
    """Stands for a job that was killed."""


class Best:
    """A keepsake: the smallest loss so far and the weight that gave it."""

    def __init__(self):
        self.weights, self.score = {}, float("inf")

    def state(self):
        return self.weights, {"score": self.score}

    def restore(self, weights, values):
        self.weights, self.score = weights, values["score"]


def run(path, kill_after=None, made_from="settings"):
    """Train a model with dropout and noise, and perhaps die after some epoch."""
    torch.manual_seed(1)
    model, best = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 1)), Best()

    def losses_of(called, batch, generator):
        noisy = batch + torch.randn(batch.shape, generator=generator)
        return {"loss": (called(noisy) ** 2).mean()}

    def after_epoch(epoch):
        if kill_after is not None and epoch == kill_after:
            raise KilledError
        weight = float(model[0].weight.detach().abs().sum())
        if weight < best.score:
            best.score, best.weights = weight, {"bias": model[2].bias.detach().clone()}
        return {"weight": weight}

    history = train(
        model,
        plan_epoch=lambda epoch: [torch.full((3, 4), float(epoch + number)) for number in range(2)],
        losses_of=losses_of,
        after_epoch=after_epoch,
        settings=SETTINGS,
        seeds=(5,),
        device=choose_device(device="cpu", threads=1, precision="float32"),
        progress=Progress(path, made_from, {"best": best}),
    )
    return model.state_dict(), history, best


@pytest.mark.parametrize("kills", [[0], [3], [5], [1, 1, 2, 4, 5]])
def test_a_job_that_was_killed_ends_like_one_that_was_not(tmp_path, kills):
    weights, history, best = run(tmp_path / "whole.safetensors")
    for epoch in kills:
        with pytest.raises(KilledError):
            run(tmp_path / "killed.safetensors", kill_after=epoch)
    resumed, resumed_history, resumed_best = run(tmp_path / "killed.safetensors")
    assert resumed_history == history
    assert all(torch.equal(resumed[name], tensor) for name, tensor in weights.items())
    assert resumed_best.score == best.score
    assert torch.equal(resumed_best.weights["bias"], best.weights["bias"])


def test_no_epoch_is_done_twice(tmp_path, capsys):
    with pytest.raises(KilledError):
        run(tmp_path / "killed.safetensors", kill_after=4)
    run(tmp_path / "killed.safetensors")
    said = capsys.readouterr().out
    assert "Going on after epoch 4." in said
    assert [said.count(f"epoch {epoch}/6") for epoch in range(1, 7)] == [1] * 6


def test_progress_under_other_settings_is_not_gone_on_from(tmp_path, capsys):
    _, history, _ = run(tmp_path / "whole.safetensors", made_from="others")
    with pytest.raises(KilledError):
        run(tmp_path / "killed.safetensors", kill_after=3)
    _, again, _ = run(tmp_path / "killed.safetensors", made_from="others")
    assert "beginning anew" in capsys.readouterr().out
    assert again == history


@pytest.mark.parametrize("content", [b"", b"torn", b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_torn_file_is_begun_anew(tmp_path, content):
    (tmp_path / "torn.safetensors").write_bytes(content)
    assert run(tmp_path / "torn.safetensors")[1] == run(tmp_path / "whole.safetensors")[1]


def test_the_file_and_what_a_kill_left_of_it_are_removed(tmp_path):
    progress = Progress(tmp_path / "progress.safetensors", "", {})
    torn = tmp_path / ".partial-another-node-123-progress.safetensors"
    for path in (tmp_path / "progress.safetensors", torn, tmp_path / "encoder.safetensors"):
        path.touch()
    os.utime(torn, (0, 0))
    progress.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.safetensors"]


def test_a_fingerprint_follows_words_files_and_their_order(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    prints = {
        fingerprint(["x", "y"], [tmp_path / "a"]),
        fingerprint(["xy"], [tmp_path / "a"]),
        fingerprint(["x", "y"], [tmp_path / "b"]),
        fingerprint(["x", "y"], [tmp_path / "a", tmp_path / "b"]),
        fingerprint(["x", "y"], [tmp_path / "b", tmp_path / "a"]),
        fingerprint(["y", "x"], [tmp_path / "a"]),
    }
    assert len(prints) == 6
    assert fingerprint(["x", "y"], [tmp_path / "a"]) in prints
