"""The GPUs of this machine and those that a job may use, found without starting CUDA."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

#: A GPU in the list of `nvidia-smi`, and below it a part of one that is divided.
WHOLE = re.compile(r"GPU (\d+): (.+) \(UUID: (GPU-[\w-]+)\)")
PART = re.compile(r" +MIG (.+?) +Device +\d+: \(UUID: (MIG-[\w/-]+)\)")


@dataclass(frozen=True)
class Gpu:
    """A GPU that computes for one job at a time, or a part of one that is divided (MIG).

    Attributes
    ----------
    uuid : str
        Its name in `CUDA_VISIBLE_DEVICES`, which stays the same however devices are counted.
    number : int
        Of the GPU that it is or lies on, as `nvidia-smi` counts.
    whole : str
        The UUID of that GPU.
    model : str
    """

    uuid: str
    number: int
    whole: str
    model: str

    @property
    def is_whole(self) -> bool:
        """True for a GPU that is not divided."""
        return self.uuid == self.whole

    def __str__(self) -> str:
        return f"GPU {self.number} ({self.model}, {self.uuid})"


def list_gpus() -> list[Gpu]:
    """Ask the driver which GPUs there are.

    Returns
    -------
    list of Gpu
        In the order of `nvidia-smi`; empty where there is no driver.
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    listed = subprocess.run([command, "-L"], capture_output=True, text=True, check=False)
    return parse_list(listed.stdout) if listed.returncode == 0 else []


def parse_list(text: str) -> list[Gpu]:
    """Read what `nvidia-smi -L` prints.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Gpu
        A GPU that is divided is not among them, its parts are.
    """
    found: dict[str, list[Gpu]] = {}  # for each GPU itself, or its parts
    whole = None
    for line in text.splitlines():
        if match := WHOLE.fullmatch(line.rstrip()):
            whole = Gpu(match[3], int(match[1]), match[3], match[2])
            found[whole.uuid] = [whole]
        elif whole and (match := PART.fullmatch(line.rstrip())):
            before = [gpu for gpu in found[whole.uuid] if gpu != whole]
            part = Gpu(match[2], whole.number, whole.uuid, f"{match[1]} of {whole.model}")
            found[whole.uuid] = [*before, part]
    return [gpu for gpus in found.values() for gpu in gpus]


def choose_visible(gpus: Sequence[Gpu], setting: str | None) -> list[Gpu]:
    """Choose the GPUs that `CUDA_VISIBLE_DEVICES` leaves to a job.

    Parameters
    ----------
    gpus : sequence of Gpu
        All of the machine.
    setting : str or None
        Numbers as `nvidia-smi` counts, or UUIDs of which the beginning is enough; a divided GPU stands for its
        parts. None where the variable is not set.

    Returns
    -------
    list of Gpu
        In the order of `setting`. As in CUDA, what follows an entry that names no GPU is left out, and nothing is left
        where one is named twice.
    """
    if setting is None:
        return list(gpus)
    chosen: list[Gpu] = []
    for word in setting.split(","):
        named = _find_named(gpus, word.strip())
        if not named:
            break
        chosen += named
    return chosen if len(set(chosen)) == len(chosen) else []


def _find_named(gpus: Sequence[Gpu], word: str) -> list[Gpu]:
    """Return the GPU that an entry names, or all parts of it; nothing where it could be one of two."""
    if word.startswith("MIG-"):
        return [gpu for gpu in gpus if gpu.uuid == word]
    if word.startswith("GPU-"):
        named = [gpu for gpu in gpus if gpu.whole.startswith(word)]
    else:
        named = [gpu for gpu in gpus if word.isdecimal() and gpu.number == int(word)]
    return named if len({gpu.whole for gpu in named}) == 1 else []
