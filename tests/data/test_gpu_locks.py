"""Real processes lock the GPUs that a stand-in for `nvidia-smi` lists; no GPU is needed."""

import fcntl
import os
import select
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from neurobar.data import gpu_locks
from neurobar.data.gpu_locks import FOLDER_NAMED, TAKEN, VISIBLE, held_files, release_gpus, take_gpus

#: Takes GPUs, says so, and ends when its input does.
JOB = """
import os, sys
from neurobar.data.gpu_locks import take_gpus
device = take_gpus(sys.argv[1], int(sys.argv[2]))
print(device, os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""
#: The same, and starts a further process of its own, as Lightning Fabric does.
PARENT = f"""
import subprocess, sys
if len(sys.argv) == 3:
    from neurobar.data.gpu_locks import take_gpus
    take_gpus(sys.argv[1], int(sys.argv[2]))
    child = subprocess.Popen([sys.executable, "-c", {JOB!r}, *sys.argv[1:]])
    print(child.pid, flush=True)
    child.wait()
"""
#: Notes in a file when it has which GPU and when it gives it back.
DIARY = """
import os, sys, time
from neurobar.data.gpu_locks import take_gpus
take_gpus("cuda", int(sys.argv[1]))
uuids = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
diary = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
for word in ("+", "-"):
    os.write(diary, "".join(f"{word} {uuid}\\n" for uuid in uuids).encode())
    time.sleep(0.05)
"""


def line_of(stream):
    """Return the next line that a process prints, or fail where none comes."""
    assert select.select([stream], [], [], 60)[0], "nothing was said"
    return stream.readline().decode().strip()


def is_free(folder, uuid):
    if not (folder / uuid).exists():  # nobody ever looked at it
        return True
    with open(folder / uuid) as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Machine:
    """A machine of some GPUs, named GPU-a, GPU-b and so on, and the jobs on it."""

    def __init__(self, folder, gpus):
        self.locks, self.jobs, self.environment = folder / "locks", [], {}
        (folder / "bin").mkdir()
        listed = "\n".join(f"echo 'GPU {place}: Card (UUID: GPU-{letter})'" for place, letter in enumerate(gpus))
        (folder / "bin" / "nvidia-smi").write_text(f"#!/bin/sh\n{listed}\n")
        (folder / "bin" / "nvidia-smi").chmod(0o755)
        hidden = ("SLURM_JOB_ID", VISIBLE, TAKEN)
        self.environment = {name: value for name, value in os.environ.items() if name not in hidden}
        path = os.pathsep.join([str(folder / "bin"), *os.get_exec_path()])
        self.environment |= {"PATH": path, FOLDER_NAMED: str(self.locks)}

    def start(self, device="cuda", number=1, code=JOB, **environment):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        words = [sys.executable, "-c", code, str(device), str(number)]
        job = subprocess.Popen(words, env=self.environment | environment, bufsize=0, **pipes)
        self.jobs.append(job)
        return job

    def take(self, *words, **environment):
        """Start a job and return it with what it says: the device and the visible GPUs."""
        job = self.start(*words, **environment)
        return job, line_of(job.stdout)

    def end(self):
        for job in self.jobs:
            job.kill()
            job.communicate()


@pytest.fixture
def machine_of(tmp_path):
    """Return a function that makes a machine of as many GPUs as letters."""
    made = []

    def make(gpus="ab"):
        made.append(Machine(tmp_path, gpus))
        return made[0]

    yield make
    made[0].end()


def finish(job):
    job.communicate()
    assert job.returncode == 0


def waits(job):
    return "other jobs hold them" in line_of(job.stderr)


def test_each_job_gets_a_gpu_of_its_own_and_the_log_names_it(machine_of):
    machine = machine_of("ab")
    (first, said), (_, again) = machine.take(), machine.take()
    assert (said, again) == ("cuda GPU-a", "cuda GPU-b")
    assert line_of(first.stderr) == "Computes on GPU 0 (Card, GPU-a)."
    finish(first)
    assert machine.take()[1] == "cuda GPU-a"


def test_a_job_too_many_waits_and_says_so_until_one_is_free(machine_of):
    machine = machine_of("a")
    first, _ = machine.take()
    second = machine.start()
    assert line_of(second.stderr) == "Waits for free GPUs: wants 1 of 1, and other jobs hold them."
    assert not select.select([second.stdout], [], [], 0)[0]
    finish(first)
    assert line_of(second.stdout) == "cuda GPU-a"


def test_a_holder_that_is_killed_leaves_its_gpu(machine_of):
    machine = machine_of("a")
    holder, _ = machine.take()
    second = machine.start()
    assert waits(second)
    holder.kill()
    assert line_of(second.stdout) == "cuda GPU-a"


def test_a_named_gpu_is_waited_for_while_another_is_free(machine_of):
    machine = machine_of("abc")
    first, said = machine.take("cuda:1")
    assert said == "cuda GPU-b"
    second = machine.start("cuda:1")
    assert waits(second)
    finish(first)
    assert line_of(second.stdout) == "cuda GPU-b"


def test_a_named_gpu_is_counted_among_the_visible_ones(machine_of):
    machine = machine_of("abc")
    assert machine.take("cuda:1", CUDA_VISIBLE_DEVICES="2,GPU-a")[1] == "cuda GPU-a"
    assert machine.take("auto", CUDA_VISIBLE_DEVICES="2,GPU-a")[1] == "auto GPU-c"


def test_two_studies_with_other_visible_gpus_share_one_lock(machine_of):
    machine = machine_of("ab")
    machine.take(CUDA_VISIBLE_DEVICES="1")
    assert waits(machine.start(CUDA_VISIBLE_DEVICES="GPU-b"))


def test_jobs_that_want_several_and_jobs_that_want_one_all_end_and_share_nothing(machine_of, tmp_path):
    machine, diary = machine_of("abc"), tmp_path / "diary"
    diary.touch()
    jobs = [machine.start(number, diary, code=DIARY) for number in (2, 1, 3, 2, 1, 3)]
    assert [job.wait(timeout=120) for job in jobs] == [0] * 6
    holders, lines = Counter(), diary.read_text().splitlines()
    assert len(lines) == 2 * 12
    for word, uuid in map(str.split, lines):
        holders[uuid] += 1 if word == "+" else -1
        assert holders[uuid] in (0, 1)
    assert set(holders) == {"GPU-a", "GPU-b", "GPU-c"}


def test_two_jobs_with_several_gpus_compute_side_by_side(machine_of):
    machine = machine_of("abcd")
    assert [machine.take("cuda", 2)[1] for _ in range(2)] == ["cuda GPU-a,GPU-b", "cuda GPU-c,GPU-d"]


def test_a_job_that_wants_several_keeps_what_becomes_free(machine_of):
    machine = machine_of("ab")
    (first, _), (second, _) = machine.take(), machine.take()
    several = machine.start("cuda", 2)
    assert waits(several)
    finish(first)
    while is_free(machine.locks, "GPU-a"):
        time.sleep(0.02)
    late = machine.start()
    assert waits(late)
    finish(second)
    assert line_of(several.stdout) == "cuda GPU-a,GPU-b"
    finish(several)
    # Either: GPUs of a job that ends become free one after the other, while this one looks.
    assert line_of(late.stdout) in ("cuda GPU-a", "cuda GPU-b")


def test_of_two_that_want_several_the_second_holds_nothing_while_it_waits(machine_of):
    machine = machine_of("abc")
    first, _ = machine.take()
    several = machine.start("cuda", 2, CUDA_VISIBLE_DEVICES="0,1")
    assert waits(several)
    second = machine.start("cuda", 2, CUDA_VISIBLE_DEVICES="1,2")
    assert waits(second)
    assert not is_free(machine.locks, "GPU-b")
    assert is_free(machine.locks, "GPU-c")
    finish(first)
    assert line_of(several.stdout) == "cuda GPU-a,GPU-b"
    finish(several)
    assert line_of(second.stdout) == "cuda GPU-b,GPU-c"


def test_a_started_process_shares_and_keeps_the_gpus_when_its_parent_is_killed(machine_of):
    machine = machine_of("ab")
    parent, child = machine.take("cuda", 2, PARENT)
    assert line_of(parent.stdout) == "cuda GPU-a,GPU-b"
    late = machine.start("cuda:1")
    assert waits(late)
    parent.kill()
    parent.wait()
    time.sleep(1)
    assert not select.select([late.stdout], [], [], 0)[0]
    os.kill(int(child), 9)
    assert line_of(late.stdout) == "cuda GPU-b"


@pytest.fixture
def alone(machine_of, monkeypatch):
    """Let this process itself be a job on a machine of two GPUs; return the folder of locks."""
    environment = machine_of("ab").environment
    for name in ("SLURM_JOB_ID", VISIBLE, TAKEN):
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    for name in ("PATH", FOLDER_NAMED):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setattr(gpu_locks, "_held", [])
    yield Path(environment[FOLDER_NAMED])
    release_gpus()


@pytest.mark.parametrize("device", ["cuda", "auto", "cuda:1"])
def test_under_slurm_nothing_is_done(alone, monkeypatch, device):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv(FOLDER_NAMED)
    monkeypatch.setattr(gpu_locks, "FOLDER", str(alone))
    assert take_gpus(device) == device
    assert not alone.exists()
    assert VISIBLE not in os.environ
    assert held_files() == ()


def test_in_an_allocation_of_slurm_who_names_a_folder_gets_locks(alone, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert take_gpus("cuda:1") == "cuda"
    assert os.environ[VISIBLE] == "GPU-b"


@pytest.mark.parametrize(("device", "setting"), [("cpu", None), ("cuda", ""), ("auto", "-1")])
def test_where_no_gpu_is_wanted_or_visible_nothing_is_done(alone, monkeypatch, device, setting):
    if setting is not None:
        monkeypatch.setenv(VISIBLE, setting)
    assert take_gpus(device) == device
    assert not alone.exists()
    assert os.environ.get(VISIBLE) == setting


def test_a_process_that_asks_again_keeps_what_it_has(alone):
    take_gpus("cuda")
    held = held_files()
    assert take_gpus("cuda:0") == "cuda"
    assert held_files() == held
    assert os.environ[VISIBLE] == os.environ[TAKEN] == "GPU-a"


def test_what_is_released_is_free_again(alone):
    take_gpus("cuda")
    assert not is_free(alone, "GPU-a")
    release_gpus()
    assert is_free(alone, "GPU-a")
    assert TAKEN not in os.environ


def test_other_users_can_lock_and_not_remove(alone):
    umask = os.umask(0o077)
    try:
        take_gpus("cuda", 2)
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(umask)
    assert alone.stat().st_mode & 0o7777 == 0o1777
    assert {path.stat().st_mode & 0o777 for path in alone.iterdir()} == {0o444}


def test_a_link_in_place_of_a_lock_is_not_followed(alone, tmp_path):
    alone.mkdir()
    (tmp_path / "precious").write_text("kept")
    (alone / "GPU-a").symlink_to(tmp_path / "precious")
    with pytest.raises(ValueError, match="cannot be used"):
        take_gpus("cuda")
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_folder_that_is_a_link_is_refused(alone, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    alone.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=rf"GPU locks {alone} cannot be used .*name another in {FOLDER_NAMED}\."):
        take_gpus("cuda")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_what_clears_old_files_sees_a_locked_folder(alone):
    take_gpus("cuda")
    folder = os.open(alone, os.O_RDONLY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        release_gpus()
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(folder)


def test_one_job_at_a_time_turns_its_lock_into_a_shared_one(alone, monkeypatch):
    flock, seen = fcntl.flock, []

    def note(opened, kind):
        seen.append((Path(os.readlink(f"/proc/self/fd/{opened}")).name, kind))
        flock(opened, kind)

    monkeypatch.setattr(fcntl, "flock", note)
    take_gpus("cuda")
    exclusive, at_once = fcntl.LOCK_EX, fcntl.LOCK_EX | fcntl.LOCK_NB
    assert seen[-3:] == [("gate", exclusive), ("GPU-a", at_once), ("GPU-a", fcntl.LOCK_SH)]


@pytest.mark.parametrize(
    ("device", "number", "words"),
    [("cuda:2", 1, r"cuda:2, but the last visible GPU is cuda:1\."), ("cuda", 3, "devices is 3, but .* here are 2")],
)
def test_gpus_that_can_never_be_had_are_refused(alone, device, number, words):
    with pytest.raises(ValueError, match=words):
        take_gpus(device, number)


def test_parts_of_a_divided_gpu_work_alone(alone, monkeypatch):
    parts = [gpu_locks.Gpu(f"MIG-{letter}/1", 0, "GPU-a", "Card") for letter in "ab"]
    monkeypatch.setattr(gpu_locks, "list_gpus", lambda: parts)
    with pytest.raises(ValueError, match="here are 0"):
        take_gpus("cuda", 2)
    take_gpus("cuda")
    assert os.environ[VISIBLE] == "MIG-a/1"
    assert not is_free(alone, "MIG-a_1")
