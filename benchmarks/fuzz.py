"""Try readers of people's files with thousands of drawn cases, and write what became of them to a page.

The cases and what has to hold of them are those of tests/fuzz, which tries fewer and always the same.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from preprocess import ROOT, run_git, write_table

INTRODUCTION = """\
Files of other people are read by `neurobar`: sheets, settings, images, atlases, exported models. Each case here is such
a file, drawn by [hypothesis](https://hypothesis.readthedocs.io) from plain ones and what goes wrong with them, or from
any bytes. It has to have one of two ends:

- **accepted**, and then what was read is what an independent reading of the file, or the one who wrote it, says: no
  scan has another's label or path, voxels and affine are those of the NIfTI standard, settings hold together;
- **refused** in one sentence that names the file or the key and stands in [Troubleshooting](../troubleshooting.md).

Anything else is **broken**: another error, a warning, a wrong result, a plain file refused. Claims of memory are
headers of up to 32767 voxels an axis with 2 kB behind them; there refusing may take 4 MiB at most. The tests in
`tests/fuzz` try the same properties with fewer cases at every change.
"""


def try_cases(cases: int, seed: int, folder: Path) -> tuple[dict[str, Any], float]:
    """Run the tests with many cases, and return what became of them and the wall time [s].

    Raises
    ------
    SystemExit
        With their output, if a case broke.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "HYPOTHESIS_PROFILE": "many"}
    environment |= {"FUZZ_CASES": str(cases), "FUZZ_TALLY": str(folder / "tally.json")}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed", str(seed)]
    start = time.perf_counter()
    done = subprocess.run(
        [*words, str(ROOT / "tests" / "fuzz")], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"A case broke:\n{done.stdout}{done.stderr}")
    return json.loads((folder / "tally.json").read_text(encoding="utf-8")), time.perf_counter() - start


def count_cases(kinds: dict[str, Any]) -> list[list[str]]:
    """Return a row for each kind, and their sum."""
    counts = {name: [kind["accepted"], sum(kind["refused"].values()), kind["broken"]] for name, kind in kinds.items()}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    return [[name, *map(str, (sum(ends), *ends))] for name, ends in counts.items()]


def list_refusals(kinds: dict[str, Any]) -> list[list[str]]:
    """Return the three messages that were said most often for each kind."""
    return [
        [name, f"`{message}`", str(count)]
        for name, kind in kinds.items()
        for message, count in list(kind["refused"].items())[:3]
    ]


def write_page(kinds: dict[str, Any], wall_s: float, command: list[str]) -> str:
    """Write what was found as Markdown."""
    changes = (
        ", with uncommitted changes" if run_git("status", "--porcelain", "--", "src", "tests", "benchmarks") else ""
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("hypothesis", "nibabel", "pandas", "jsonschema"))
    lines = ["# Files that are not as they should be", "", INTRODUCTION]
    lines += [
        f"- Versions: Python {platform.python_version()}, {packages}",
        f"- Code: commit {run_git('rev-parse', '--short', 'HEAD')}{changes}; {datetime.date.today()}",
        f"- Command: `{shlex.join(command)}`, {wall_s / 60:.0f} minutes",
        "",
        "## What became of the cases",
        "",
        *write_table(["kind", "tried", "accepted", "refused", "broken"], count_cases(kinds)),
        "",
        "## Why they were refused",
        "",
        "The three sentences that were said most often, with `…` for what changes.",
        "",
        *write_table(["kind", "sentence", "cases"], list_refusals(kinds)),
    ]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Try the cases and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other cases")
    parser.add_argument("--output", type=Path, default=Path("docs/results/fuzz.md"), help="Markdown")
    args = parser.parse_args(argv)
    if args.cases < 100 or not args.output.parent.is_dir():
        parser.error("--cases is at least 100, --output lies in a folder that exists")
    with tempfile.TemporaryDirectory() as folder:
        kinds, wall_s = try_cases(args.cases, args.seed, Path(folder))
    shown = args.output.name if args.output.is_absolute() else str(args.output)
    words = ["benchmarks/fuzz.py", "--cases", str(args.cases), "--seed", str(args.seed), "--output", shown]
    args.output.write_text(write_page(kinds, wall_s, words), encoding="utf-8")


if __name__ == "__main__":
    main()
