"""A training job that is killed goes on when it is run again."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow
KILLS = 10


def words_of(cohort, stage, folder):
    words = [sys.executable, "-m", f"neurobar.{stage}", *cohort.arguments]
    words += ["--settings", cohort.settings_with(epochs=150), "--history", str(folder / "history.tsv")]
    words += ["--seen", str(folder / "seen.tsv")]
    if stage.startswith("pretrain"):
        words += ["--atlas", str(cohort.folder / "atlas.nii.gz"), "--decoder", str(folder / "decoder")]
        return [*words, "--encoder", str(folder / "encoder")]
    return [*words, "--classifier", str(folder / "classifier")]


@pytest.mark.parametrize("stage", ["pretrain.pretrain_encoder", "finetune.finetune_classifier"])
def test_ten_kills_at_random_moments_change_no_byte(tiny_cohort, tmp_path, stage):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    started = time.monotonic()
    subprocess.run(words_of(tiny_cohort, stage, whole), check=True, stdout=subprocess.DEVNULL)
    took_s, chance = time.monotonic() - started, random.Random(stage)
    kills = 0
    while kills < KILLS:
        job = subprocess.Popen(words_of(tiny_cohort, stage, killed), stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            # A job that ends before it is killed has nothing left to lose.
            assert job.wait(timeout=chance.uniform(0.1, 0.6) * took_s) == 0
            break
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            kills += 1
    subprocess.run(words_of(tiny_cohort, stage, killed), check=True, stdout=subprocess.DEVNULL)
    assert kills >= 2
    names = sorted(path.name for path in whole.iterdir())
    assert sorted(path.name for path in killed.iterdir()) == names
    for name in names:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name
