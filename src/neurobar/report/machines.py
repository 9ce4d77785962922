"""On what a study was computed: the machine that says so, and the devices that training jobs named in their logs."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Where Linux says what it runs on.
PROCESSORS, MEMORY = Path("/proc/cpuinfo"), Path("/proc/meminfo")
#: Rules whose jobs open their log with a line of JSON that names their device.
TRAINING = ("pretrain_encoder", "finetune_classifier")


def describe_machine() -> dict[str, Any]:
    """Describe the machine that this runs on.

    Returns
    -------
    dict
        system, processor, cores (that this process may use) and memory_gb (None where the system does not say).
    """
    said = re.search(r"^MemTotal:\s+(\d+) kB", _read(MEMORY), re.MULTILINE)
    named = re.search(r"^model name\s*:\s*(.+)$", _read(PROCESSORS), re.MULTILINE)
    allowed = getattr(os, "sched_getaffinity", None)
    return {
        "system": platform.platform(),
        "processor": named[1].strip() if named else platform.processor() or platform.machine(),
        "cores": len(allowed(0)) if allowed else os.cpu_count(),
        "memory_gb": round(int(said[1]) / 1e6, 1) if said else None,
    }


def list_devices(logs: Path, rules: Iterable[str] = TRAINING) -> list[dict[str, Any]]:
    """List the devices that training jobs computed on.

    Parameters
    ----------
    logs : pathlib.Path
        `results/logs`.
    rules : iterable of str
        Whose logs are read.

    Returns
    -------
    list of dict
        For each rule and each device of its jobs rule, device (name of the GPU, or cpu), devices (that shared a job),
        threads, precision and jobs.
    """
    counts: dict[tuple[Any, ...], int] = {}
    names = ("device", "devices", "threads", "precision")
    for rule in rules:
        for path in sorted((logs / rule).rglob("*.log")):
            if said := _find_device(path):
                key = (rule, *(said.get(name) for name in names))
                counts[key] = counts.get(key, 0) + 1
    return [dict(zip(("rule", *names), key, strict=True)) | {"jobs": number} for key, number in counts.items()]


def _find_device(path: Path) -> dict[str, Any] | None:
    """Find the line of a log that names the device; warnings may stand before it."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("{") and '"device"' in line:
                try:
                    return json.loads(line)
                except ValueError:
                    return None
    return None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
