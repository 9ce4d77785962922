import os
import select
import subprocess
import sys

import pytest
import torch

from neurobar.training import devices as module
from neurobar.training.devices import choose_device, seed_everything

#: Locks two GPUs that a stand-in for the driver lists, and computes on the CPU, since there are none.
SHARED = """
import os
from neurobar.data.gpu_locks import take_gpus
from neurobar.training.devices import choose_device
take_gpus("cuda", 2)
device = choose_device(device="cpu", threads=1, precision="float32", devices=2)
print(device.rank, os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
device.wait()
"""
#: Says which GPU it has and which CUDA shows, and ends when its input does.
ON_GPU = """
import os, sys, torch
from neurobar.training.devices import choose_device
place = choose_device(device="cuda:0", threads=1, precision="float32").place
print(torch.cuda.device_count(), os.environ["CUDA_VISIBLE_DEVICES"], torch.cuda.get_device_properties(place).uuid)
sys.stdout.flush()
sys.stdin.read()
"""


def test_auto_takes_what_there_is():
    device = choose_device(device="auto", threads=1, precision="auto")
    assert device.place.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.get_num_threads() == 1


def test_float32_is_kept_on_a_cpu_unless_asked_otherwise():
    assert not choose_device(device="cpu", threads=1, precision="auto").is_mixed
    assert choose_device(device="cpu", threads=1, precision="bfloat16").is_mixed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no CUDA device"):
        choose_device(device="cuda:3", threads=1, precision="auto")


@pytest.fixture
def asked(monkeypatch):
    """Give PyTorch a GPU that is not there, and note in which order it and the locks are asked."""
    calls = []
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: calls.append("is_available") or True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr(module, "_make_cuda_repeatable", lambda: None)
    monkeypatch.setattr(module, "take_gpus", lambda *words: calls.append(words) or words[0].partition(":")[0])
    monkeypatch.setattr(module, "release_gpus", lambda: calls.append("release"))
    return calls


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "auto"])
def test_a_gpu_is_locked_before_cuda_starts_and_is_then_the_only_one(asked, device):
    chosen = choose_device(device=device, threads=1, precision="auto")
    assert asked[:2] == [(device, 1), "is_available"]
    assert "release" not in asked
    assert chosen.place == torch.device("cuda")


def test_as_many_gpus_are_locked_as_share_the_job(asked, monkeypatch):
    monkeypatch.setattr(module, "_join_devices", lambda *words: asked.append(words))
    choose_device(device="cuda", threads=1, precision="auto", devices=3)
    assert asked[0] == ("cuda", 3)
    assert asked[-1] == ("cuda", 3, "ddp")
    with pytest.raises(ValueError, match="cuda:1 is one device"):
        choose_device(device="cuda:1", threads=1, precision="auto", devices=2)


def test_a_gpu_that_pytorch_cannot_use_is_given_back(asked, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(device="auto", threads=1, precision="auto").place.type == "cpu"
    assert asked == [("auto", 1), "release"]


def test_pytorch_without_cuda_locks_nothing(asked, monkeypatch):
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    choose_device(device="auto", threads=1, precision="auto")
    assert asked == ["release"]


def without_gpus(folder):
    """Return the environment of a job that has no GPU yet."""
    hidden = ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "NEUROBAR_GPUS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return environment | {"NEUROBAR_GPU_LOCKS": str(folder / "locks")}


@pytest.mark.slow
def test_the_processes_that_fabric_starts_wait_for_no_gpu(tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nfor i in 0 1; do echo GPU $i: Card '(UUID:' GPU-$i')'; done\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    (tmp_path / "job.py").write_text(SHARED)
    environment = without_gpus(tmp_path) | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    words = [sys.executable, str(tmp_path / "job.py")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sorted(line for line in done.stdout.splitlines() if "GPU-" in line) == ["0 GPU-0,GPU-1", "1 GPU-0,GPU-1"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_job_computes_on_the_gpu_that_it_locked_and_a_second_waits_for_it(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words, options = [sys.executable, "-c", ON_GPU], pipes | {"bufsize": 0, "env": without_gpus(tmp_path)}
    with subprocess.Popen(words, **options) as first:
        count, visible, seen = first.stdout.readline().decode().split()
        assert count == "1"
        assert visible.endswith(seen)
        with subprocess.Popen(words, **options) as second:
            assert b"other jobs hold them" in second.stderr.readline()
            assert not select.select([second.stdout], [], [], 0)[0]
            first.communicate()
            assert visible in second.stdout.readline().decode()
            second.communicate()


def test_equal_numbers_give_equal_randomness_and_others_do_not():
    draws = []
    for numbers in [(0, 1, 2), (0, 1, 2), (0, 1, 3)]:
        generator = seed_everything(*numbers, device=torch.device("cpu"))
        draws.append((torch.rand(3), torch.rand(3, generator=generator)))
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])
    assert not torch.equal(draws[0][0], draws[2][0])
    assert not torch.equal(draws[0][0], draws[0][1])
