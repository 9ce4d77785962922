"""A job that takes more memory than it may have."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neurobar.data.endings import LESS

pytestmark = pytest.mark.slow

#: Of one encoder of `LARGE`, its gradients and the moments of its optimiser, this is a part [bytes].
MORE = 100 << 20
LARGE = {"width": 768, "layers": 6, "heads": 2}
#: Runs a job that may take so much memory beside what its libraries took when they were loaded.
LIMITED = """
import resource, sys
from neurobar.data.endings import call_command
from neurobar.pretrain.pretrain_encoder import main
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
if int(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[1]),) * 2)
del sys.argv[1]
call_command(main)
"""


def find_job(group: int, module: str) -> int | None:
    """Return the process of a process group that runs a module."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            if f"neurobar.{module}" in words and words[1] == "-m" and os.getpgid(int(folder.name)) == group:
                return int(folder.name)
        except (OSError, ProcessLookupError, IndexError):
            continue
    return None


def test_a_job_that_the_system_kills_is_named_and_all_others_are_done(unbroken, preprocessed):
    started = preprocessed.start()
    killed = None
    while started.poll() is None and killed is None:
        killed = find_job(started.pid, "pretrain.pretrain_encoder")
        time.sleep(0.05)
    # As the system does when memory is at its end: the job alone, without a word.
    os.kill(killed, signal.SIGKILL)
    assert started.wait() != 0
    said = started.said_in.read_text()
    assert "Error in rule pretrain_encoder" in said
    assert "Traceback" not in said
    finetuned = preprocessed.folder / "results" / "finetune"
    assert len(list(finetuned.glob("scratch/fold-*/seed-0/predictions.tsv"))) == 2
    preprocessed.finish()
    preprocessed.assert_equal(unbroken)


def call_limited(cohort, folder: Path, more: int) -> subprocess.CompletedProcess:
    folder.mkdir(exist_ok=True)
    settings = json.loads(cohort.settings_with(epochs=1))
    settings["encoder"] |= LARGE
    words = [*cohort.arguments, "--settings", json.dumps(settings), "--atlas", str(cohort.folder / "atlas.nii.gz")]
    words += [word for name in ("encoder", "decoder", "history", "seen") for word in (f"--{name}", str(folder / name))]
    return subprocess.run([sys.executable, "-c", LIMITED, str(more), *words], capture_output=True, text=True)


def test_a_limit_on_memory_is_said_in_one_sentence_and_without_it_the_job_ends_equal(tiny_cohort, tmp_path):
    limited = call_limited(tiny_cohort, tmp_path / "limited", MORE)
    assert limited.returncode == 1
    assert limited.stderr == f"{LESS}\n"
    assert not list((tmp_path / "limited").iterdir())
    for folder in (tmp_path / "limited", tmp_path / "free"):
        done = call_limited(tiny_cohort, folder, 0)
        assert done.returncode == 0, done.stderr
    for name in ("encoder", "decoder", "history", "seen"):
        assert (tmp_path / "limited" / name).read_bytes() == (tmp_path / "free" / name).read_bytes()
