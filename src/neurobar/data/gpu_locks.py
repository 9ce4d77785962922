"""Hand out GPUs: a lock on a file for each, shared by all jobs of all studies of all users of a machine.

Snakemake counts GPUs and does not say which one a job has. The kernel holds a lock for as long as a process that holds
it lives, so one that is killed leaves nothing behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from neurobar.data.gpus import Gpu, choose_visible, list_gpus

#: On the machine's own disk and the same whatever a job's TMPDIR, since a lock that others do not see is none.
FOLDER = "/tmp/neurobar-gpus"
#: Names another folder.
FOLDER_NAMED = "NEUROBAR_GPU_LOCKS"
#: Tells the processes that a job starts which GPUs are theirs.
TAKEN = "NEUROBAR_GPUS"
VISIBLE = "CUDA_VISIBLE_DEVICES"
#: Time between two looks, and after how many the log says that the job waits.
PAUSE_S, LOOKS = 0.2, 5

#: Open files, whose locks this process and those that it forks hold until they end.
_held: list[int] = []


def take_gpus(device: str, number: int = 1) -> str:
    """Wait for free GPUs, keep them until this process ends, and hide all others from CUDA.

    It has to come before CUDA starts. Nothing is done on the CPU, where the driver lists no GPU, and in a job of Slurm,
    which hands out GPUs itself. A process started by one that has GPUs shares those.

    Parameters
    ----------
    device : str
        `auto`, `cpu`, `cuda`, or `cuda:1` for one of the visible GPUs.
    number : int
        GPUs that share the job.

    Returns
    -------
    str
        The device in the words that hold from now on: `cuda` where it was `cuda:1`.

    Raises
    ------
    ValueError
        If there can never be so many GPUs, or locks cannot be made.
    """
    if device == "cpu" or _are_given_by_slurm():
        return device
    if TAKEN in os.environ:
        _share_taken(os.environ[TAKEN].split(","))
        return device.partition(":")[0]
    visible = choose_visible(list_gpus(), os.environ.get(VISIBLE))
    if not visible:
        return device
    taken = _wait_for(_choose_candidates(visible, device, number), number)
    os.environ[VISIBLE] = os.environ[TAKEN] = ",".join(gpu.uuid for gpu in taken)
    # To the log, and not among what a command prints as its result.
    print(f"Computes on {' and '.join(map(str, taken))}.", file=sys.stderr, flush=True)
    return device.partition(":")[0]


def release_gpus() -> None:
    """Give back what `take_gpus` took, for a job that computes on the CPU after all."""
    os.environ.pop(TAKEN, None)
    while _held:
        os.close(_held.pop())


def held_files() -> tuple[int, ...]:
    """Return the open files that a command has to inherit, so that it keeps the GPUs if this process is killed."""
    return tuple(_held)


def _are_given_by_slurm() -> bool:
    """Tell whether Slurm hands out the GPUs; who names a folder of locks inside one large allocation wants ours."""
    return "SLURM_JOB_ID" in os.environ and not os.environ.get(FOLDER_NAMED)


def _choose_candidates(visible: Sequence[Gpu], device: str, number: int) -> list[Gpu]:
    """Return the GPUs of which a job may get `number`."""
    if ":" in device:
        place = int(device.partition(":")[2])
        if place >= len(visible):
            raise ValueError(f"training.device is {device}, but the last visible GPU is cuda:{len(visible) - 1}.")
        return [visible[place]]
    # CUDA shows a process one part of a divided GPU at a time.
    candidates = [gpu for gpu in visible if gpu.is_whole or number == 1]
    if len(candidates) < number:
        raise ValueError(f"training.devices is {number}, but the GPUs that a job may share here are {len(candidates)}.")
    return candidates


def _wait_for(candidates: Sequence[Gpu], number: int) -> list[Gpu]:
    """Take GPUs as they become free, in the order of `candidates`.

    A job that wants several keeps what it has while it waits for the rest, or jobs that want one would always be
    faster. Such a job is first in the queue, the only one that waits and holds, so no two wait for each other.
    """
    taken: dict[Gpu, int] = {}
    sentence = f"Waits for free GPUs: wants {number} of {len(candidates)}, and other jobs hold them."
    with _locks() as folder:
        queue = None
        for _ in _looks(sentence):
            if number > 1 and queue is None:
                queue = _try_lock(folder, "queue")
            if number == 1 or queue is not None:
                taken |= _take_free(folder, [gpu for gpu in candidates if gpu not in taken], number - len(taken))
            if len(taken) == number:
                break
        if queue is not None:
            os.close(queue)
    _held.extend(taken.values())
    return [gpu for gpu in candidates if gpu in taken]


def _take_free(folder: int, candidates: Sequence[Gpu], number: int) -> dict[Gpu, int]:
    """Lock the first GPUs that are free, `number` at most."""
    taken: dict[Gpu, int] = {}
    with _gate(folder):
        for gpu in candidates:
            if len(taken) < number and (lock := _try_lock(folder, gpu.uuid)) is not None:
                # From now on shared, with the processes that this one starts.
                fcntl.flock(lock, fcntl.LOCK_SH)
                taken[gpu] = lock
    return taken


def _share_taken(uuids: Sequence[str]) -> None:
    """Hold the GPUs of the process that started this one, so that they are free when both have ended."""
    if _held:
        return
    with _locks() as folder:
        for uuid in uuids:
            lock = _open(folder, uuid)
            fcntl.flock(lock, fcntl.LOCK_SH)
            _held.append(lock)


def _looks(sentence: str) -> Iterator[None]:
    """Pause between looks, and say so once in the log."""
    yield
    for count in range(1, sys.maxsize):
        if count == LOOKS:
            print(sentence, file=sys.stderr, flush=True)
        time.sleep(PAUSE_S)
        yield


@contextmanager
def _locks() -> Iterator[int]:
    """Open the folder of locks, and make it where it is missing."""
    path = os.environ.get(FOLDER_NAMED) or FOLDER
    # Files are for all users, whatever this one gives to others elsewhere.
    umask = os.umask(0)
    try:
        # As /tmp itself: all users may lock, and none may remove the files of another.
        with suppress(FileExistsError):
            os.mkdir(path, 0o1777)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        # Who clears old files out of /tmp leaves a locked folder alone.
        fcntl.flock(folder, fcntl.LOCK_SH)
        _held.append(folder)
        yield folder
    except OSError as error:
        raise ValueError(
            f"The folder of GPU locks {path} cannot be used ({error.strerror}); name another in {FOLDER_NAMED}."
        ) from None
    finally:
        os.umask(umask)


def _open(folder: int, name: str) -> int:
    """Open a lock. Reading is enough for it, so links and files that someone else put there are never written."""
    flags, name = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, re.sub("[^A-Za-z0-9-]", "_", name)
    while True:
        with suppress(FileNotFoundError):
            return os.open(name, flags, dir_fd=folder)
        with suppress(FileExistsError):  # another job was faster
            return os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o444, dir_fd=folder)


def _try_lock(folder: int, name: str) -> int | None:
    """Lock a file for this process alone; None where another holds it."""
    lock = _open(folder, name)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


@contextmanager
def _gate(folder: int) -> Iterator[None]:
    """Let one job look at a time: between exclusive and shared a lock is free for a moment."""
    gate = _open(folder, "gate")
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)
