"""A job that two devices share gives what one device gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors import safe_open

from neurobar.training.checkpoints import read_weights

pytestmark = pytest.mark.slow


def call(*words):
    """Run a command of its own, since a shared job starts its own words anew for each further device."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def gradients_of(path):
    with safe_open(path, framework="pt") as opened:
        losses = json.loads(opened.metadata()["losses"])
        return losses, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118


def test_two_processes_have_the_losses_and_gradients_of_one(tmp_path):
    script = str(Path(__file__).with_name("shared_batch.py"))
    for devices in (1, 2):
        (tmp_path / str(devices)).mkdir()
        call(script, str(devices), str(tmp_path / str(devices)))
    losses, gradients = gradients_of(tmp_path / "1" / "rank-0.safetensors")
    assert set(losses) == {"loss", "contrast", "reconstruction"}
    for rank in (0, 1):
        shared_losses, shared = gradients_of(tmp_path / "2" / f"rank-{rank}.safetensors")
        assert shared_losses == pytest.approx(losses, rel=1e-5)
        assert shared.keys() == gradients.keys()
        for name, gradient in gradients.items():
            assert gradient.abs().max() > 0, name
            assert torch.allclose(shared[name], gradient, rtol=1e-3, atol=1e-6), name


@pytest.mark.parametrize("stage", ["pretrain", "finetune"])
def test_a_whole_job_shared_by_two_ends_with_the_weights_of_one(tiny_cohort, tmp_path, stage):
    blocks = json.loads(tiny_cohort.settings_with(epochs=2, batch=5))
    blocks["encoder"]["dropout"] = 0.0  # each device drops out other activations
    found = {}
    for devices in (1, 2):
        weights, history, seen = (tmp_path / f"{name}-{devices}" for name in ("weights", "history", "seen"))
        words = ["-m", f"neurobar.{stage}.{'pretrain_encoder' if stage == 'pretrain' else 'finetune_classifier'}"]
        words += [*tiny_cohort.arguments[:-1], json.dumps({"device": "cpu", "devices": devices})]
        words += ["--settings", json.dumps(blocks), "--history", str(history), "--seen", str(seen)]
        if stage == "pretrain":
            words += ["--atlas", str(tiny_cohort.folder / "atlas.nii.gz"), "--encoder", str(weights)]
            words += ["--decoder", str(tmp_path / "decoder")]
        else:
            words += ["--classifier", str(weights)]
        said = call(*words)
        assert said.count("epoch 2/2") == 1
        found[devices] = read_weights(weights)[0], pd.read_csv(history, sep="\t"), seen.read_text()
    (one, history, seen), (two, shared_history, shared_seen) = found[1], found[2]
    assert seen == shared_seen
    pd.testing.assert_frame_equal(history, shared_history, rtol=1e-3)
    # Adam makes full steps of what rounding leaves of a gradient that is zero, as that of the keys' bias.
    differences = torch.cat([(one[name] - two[name]).abs().flatten() for name in one])
    assert float(differences.quantile(0.95)) < 1e-4
    assert not (tmp_path / "progress.safetensors").exists()
