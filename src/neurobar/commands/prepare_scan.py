"""Bring one scan onto the grid as the scans of a study were: the stages of `preprocess`, one after the other.

It is a command of its own, so that scans run side by side and one that breaks its process breaks no other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from neurobar.preprocess import check_scan, correct_bias, register_scan, resample_scan, strip_skull

#: What is kept of a scan; all else is deleted.
KEPT = ("registration.json", "native_brain_mask.nii.gz", "volume.nii.gz", "check.json", "check.png")


def prepare(args: argparse.Namespace) -> None:
    """Run the stages of `preprocess` on one scan, as the rules of the workflow do.

    Parameters
    ----------
    args : argparse.Namespace
        Of the command.
    """
    work, settings, fetched, method = args.work, args.settings, args.fetched, args.settings["skull_strip"]
    registration, mask, volume, check, picture = (args.folder / name for name in KEPT)
    deformation, bias = work / "deformation.nii.gz", work / "bias.json"
    stripped, corrected = work / "t1w_stripped.nii.gz", work / "t1w_n4.nii.gz"
    raw, found = {"scan": args.scan, "prepared": args.prepared}, {"registration": registration}
    depth = {"depth": fetched / "template_depth.nii.gz"}
    told = {"head": fetched / "template_head.nii.gz", "settings": json.dumps(settings["registration"])}
    run_stage(register_scan, **raw, **depth, **told, **found, deformation=deformation)

    told = {"method": method, "device": args.device, "growth_mm": settings["mask_growth_mm"]}
    told |= {"supplied": args.mask} if args.mask else {}
    run_stage(strip_skull, **raw, **depth, **told, **found, deformation=deformation, mask=mask, volume=stripped)

    told = {"prepared": args.prepared, "spline_mm": settings["n4_spline_mm"]}
    run_stage(correct_bias, volume=stripped, mask=mask, **told, output=corrected, bias=bias)

    told = {"normalisation": settings["normalisation"]}
    run_stage(resample_scan, volume=corrected, mask=mask, **found, deformation=deformation, **told, output=volume)

    measured = {"mask": mask, "bias": bias, "volume": volume, "name": args.name, "method": method}
    template = {"template": fetched / "template.nii.gz", "template_mask": fetched / "template_mask.nii.gz"}
    run_stage(check_scan, **raw, **measured, **found, **template, check=check, picture=picture)


def run_stage(stage: ModuleType, **options: Any) -> None:
    """Call the command of a stage.

    Parameters
    ----------
    stage : module
        With a `main`.
    **options
        Its options, an underscore for each hyphen.
    """
    # In one word, so that no value can be taken for an option.
    stage.main([f"--{name.replace('_', '-')}={value}" for name, value in options.items()])


def prepare_beside(
    scan: dict[str, Any], *, folder: Path, fetched: Path, settings: dict[str, Any], device: str
) -> str | None:
    """Prepare a scan in a process of its own.

    Parameters
    ----------
    scan : dict
        A row of `list_scans`.
    folder : pathlib.Path
        Where `KEPT` goes.
    fetched : pathlib.Path
        Folder of the template.
    settings : dict
        The study's `preprocess`.
    device : {"cpu", "cuda"}
        For HD-BET.

    Returns
    -------
    str or None
        Why it could not be prepared, in one sentence.
    """
    options = {"scan": scan["path"], "name": scan["scan"], "prepared": scan["prepared"], "device": device}
    options |= {"mask": scan["mask"]} if isinstance(scan["mask"], str) else {}
    options |= {"fetched": fetched, "settings": json.dumps(settings), "folder": folder}
    with TemporaryDirectory(prefix=".partial-", dir=folder) as work:
        words = [f"--{name}={value}" for name, value in (options | {"work": work}).items()]
        # One thread, as in the workflow: equal scans then give equal volumes, and scans run side by side instead.
        done = subprocess.run(
            [sys.executable, "-m", "neurobar.commands.prepare_scan", *words],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if not done.returncode:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said and done.returncode > 0 else f"Preprocessing broke off (exit {done.returncode})."


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", required=True, help="raw T1 head")
    parser.add_argument("--name", required=True, help="of the scan")
    parser.add_argument("--prepared", default="", help="what was done to it before")
    parser.add_argument("--mask", help="its brain mask, for supplied")
    parser.add_argument("--fetched", type=Path, required=True, help="folder of the template")
    parser.add_argument("--settings", type=json.loads, required=True, help="section preprocess, JSON")
    parser.add_argument("--device", required=True, help="for hd_bet")
    parser.add_argument("--work", type=Path, required=True, help="folder of what is not kept")
    parser.add_argument("--folder", type=Path, required=True, help="folder of what is kept (output)")
    prepare(parser.parse_args(argv))


if __name__ == "__main__":
    main()
