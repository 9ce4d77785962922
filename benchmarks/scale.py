"""Measure what Snakemake itself costs for a study of many scans, and write a page.

A sheet of simulated rows names empty images, so that no job can run; the jobs of the whole study are planned, their
outputs made as empty files, recorded as done (--touch), looked through once more, and planned with one more scan.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from preprocess import ROOT, read_field, run_git, write_table

#: Scans and subjects of the paper.
PAPER = (3306, 843)
SAMPLE = 12  # scans of the plan that tells what a study writes
COUNT = re.compile(r"^(\w+)\s+(\d+)\s*$", re.MULTILINE)
OUTPUT = re.compile(r"^    output: (.+)$", re.MULTILINE)
WRITTEN = re.compile(r"^    (?:output|log|benchmark): (.+)$", re.MULTILINE)
SCAN = re.compile(r"sub-\d+_ses-\d+")
OF_A_SCAN = ("register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan")
#: Removed by a run as soon as nobody needs them.
PASSING = ("deformation.nii.gz", "t1w_stripped.nii.gz", "t1w_n4.nii.gz")
#: The scheduler weighs all jobs that are ready, thousands here, each time that one ends; of a hundred it is soon done.
FEW_AT_A_TIME = ("--scheduler", "greedy", "--scheduler-subsample", "100")
#: Snakemake sleeps a tenth of a second before it records a job that it does not run, so that times of files differ.
WITHOUT_SLEEP = (
    "from snakemake.executors import touch; touch.Executor.SLEEPING_TIME = 0; from snakemake.cli import main; main()"
)
INTRODUCTION = """\
The whole study is planned, every table, run and fold of it, from a sheet of simulated rows; images and results are
empty files, and no job runs. What is measured is Snakemake with the rules, functions and checks of this workflow.
"""
EXPLANATION = """\
- plan: from the start of the command until the jobs are counted; every run begins with it
- dry run: a plan, and one look at every job, of which nothing is printed (`--dry-run --quiet rules`)
- record: every job is scheduled, and recorded as done, without its command (`--touch --cores all --scheduler greedy
  --scheduler-subsample 100`); what Snakemake adds to the time of a whole run at least
- nothing to do: a run of the finished study (`--cores 2`)
- one more scan: what is planned when the sheet has one row more, for the stage `preprocess` alone and for all
- core-s: user and system time, which other work on the machine hardly changes; s: time on the clock, which it does
- memory: the largest that the process had; 1 MB is 10^6 bytes

Of preprocessing, one more scan is that scan and what sums scans up. What was learned from the cohort is learned anew,
so nearly all other jobs are planned with it.
"""


@dataclass(frozen=True)
class Call:
    """One call of Snakemake: what it printed, when the jobs were counted, and what it used."""

    text: str
    counted_s: float | None
    wall_s: float
    core_s: float
    memory_mb: float

    def jobs(self) -> dict[str, int]:
        """Return how many jobs of each rule are in its first table."""
        counts: dict[str, int] = {}
        for rule, number in COUNT.findall(self.text):
            counts.setdefault(rule, int(number))
        return counts


def simulate_sheet(scans: int, seed: int = 0) -> pd.DataFrame:
    """Draw sessions, diagnosis, age, sex and site of as many subjects for each scan as the paper has."""
    draw = np.random.default_rng(seed)
    subjects = max(SAMPLE // 2, round(scans * PAPER[1] / PAPER[0]))
    further = draw.integers(0, subjects, scans - subjects)
    subject = np.sort(np.concatenate([np.arange(subjects), further]))
    session = np.arange(scans) - np.searchsorted(subject, subject) + 1
    age, site = draw.normal(74, 7, subjects).clip(55, 92), draw.integers(0, 60, subjects)
    names = [f"sub-{number + 1:05d}_ses-{visit:02d}" for number, visit in zip(subject, session, strict=True)]
    return pd.DataFrame(
        {
            "scan": names,
            "subject": [name.split("_")[0] for name in names],
            "session": [name.split("_")[1] for name in names],
            "path": [f"images/{name}.nii.gz" for name in names],
            "diagnosis": np.array(["CN", "AD"])[subject % 2],
            "age": (age[subject] + session - 1).round(1),
            "sex": draw.choice(["F", "M"], subjects)[subject],
            "site": [f"site-{number:02d}" for number in site[subject]],
        }
    )


def write_sheet(table: pd.DataFrame, folder: Path) -> None:
    """Write the sheet, and an empty file for each image."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for path in table["path"]:
        if not (folder / path).exists():  # a newer file would be another image
            (folder / path).touch()
    table.to_csv(folder / "scans.tsv", sep="\t", index=False)


def call(folder: Path, *words: str) -> Call:
    """Call Snakemake as `neurobar run` does, in a folder, and measure it."""
    start = ["-c", WITHOUT_SLEEP] if "--touch" in words else ["-m", "snakemake"]
    command = [sys.executable, *start, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--workflow-profile", str(ROOT / "profiles" / "default"), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    began, counted, lines = time.perf_counter(), None, []
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=environment)
        for line in child.stdout:
            if counted is None and line.startswith(("Job stats:", "Nothing to be done")):
                counted = time.perf_counter() - began
            lines.append(line)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        errors.seek(0)
        said = errors.read()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{shlex.join(command)} ended with {child.returncode}:\n{''.join(lines)[-2000:]}{said[-4000:]}")
    core_s, memory_mb = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6
    shown = f"counted after {counted:.1f} s, " if counted else ""
    print(f"{' '.join(words)}: {shown}{wall:.1f} s, {core_s:.1f} core-s, {memory_mb:.0f} MB", file=sys.stderr)
    return Call("".join(lines) + said, counted, wall, core_s, memory_mb)


def list_written(study: list[str], written: re.Pattern) -> tuple[set[str], set[str]]:
    """List what a study of a few scans writes: for all, and for each scan, with {scan} for its name."""
    with tempfile.TemporaryDirectory() as folder:
        write_sheet(simulate_sheet(SAMPLE), Path(folder))
        said = call(Path(folder), *study, "--cores", "2", "--dry-run").text
    paths = {path for line in written.findall(said) for path in line.split(", ")}
    of_scans = {path for path in paths if SCAN.search(path)}
    return paths - of_scans, {SCAN.sub("{scan}", path) for path in of_scans}


def make_outputs(study: list[str], scans: list[str], folder: Path) -> None:
    """Make every output of a study as an empty file, or as a folder where its name has no ending."""
    once, each = list_written(study, OUTPUT)
    for path in [*sorted(once), *(path.format(scan=scan) for scan in scans for path in sorted(each))]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if Path(path).suffix:
            (folder / path).touch()
        else:
            (folder / path).mkdir(exist_ok=True)


def forget_passing(folder: Path) -> None:
    """Remove the files of each scan that a run would have removed."""
    for name in PASSING:
        for path in folder.glob(f"results/preprocess/*/{name}"):
            path.unlink()


def measure_folder(folder: Path) -> tuple[int, int]:
    """Count the files below a folder, and the bytes of their blocks on disk."""
    sizes = [os.lstat(path).st_blocks * 512 for path in walk_files(folder)]
    return len(sizes), sum(sizes)


def walk_files(folder: Path) -> Iterator[str]:
    """Yield the path of every file below a folder."""
    for place, _, names in os.walk(folder):
        yield from (os.path.join(place, name) for name in names)


def measure_plan(table: pd.DataFrame, study: list[str], folder: Path) -> dict[str, str]:
    """Measure how long a cohort takes to plan in an empty folder, and return cells of its column."""
    write_sheet(table, folder)
    plan = call(folder, *study, "--cores", "2", "--dry-run", "--quiet", "rules")
    return {
        "subjects": f"{table['subject'].nunique()}",
        "jobs": f"{plan.jobs()['total']}",
        "of them preprocessing": f"{sum(plan.jobs()[rule] for rule in OF_A_SCAN)}",
        "plan [s]": f"{plan.counted_s:.1f}",
        "dry run [s]": f"{plan.wall_s:.1f}",
        "dry run [core-s]": f"{plan.core_s:.1f}",
        "dry run, memory [MB]": f"{plan.memory_mb:.0f}",
    }


def measure_study(number: int, study: list[str], folder: Path) -> dict[str, str]:
    """Measure one cohort from the empty folder to one scan more, and return the cells of its column."""
    table = simulate_sheet(number + 1)
    words = [*study, "--cores", "2"]
    plan = measure_plan(table[:-1], study, folder)
    make_outputs(study, table["scan"][:-1].tolist(), folder)
    record = call(folder, *study, "--cores", "all", "--touch", "--quiet", "all", *FEW_AT_A_TIME)
    forget_passing(folder)
    again = call(folder, *words, "--quiet", "rules")
    if "Nothing to be done" not in again.text:
        sys.exit(f"The finished study is not finished:\n{again.text[-2000:]}")
    files, size = measure_folder(folder / ".snakemake" / "metadata")
    write_sheet(table, folder)
    more = call(folder, *words, "--dry-run", "--quiet", "rules")
    few = call(folder, "preprocess", *words, "--dry-run", "--quiet", "rules").jobs()
    return plan | {
        "record [s]": f"{record.wall_s:.1f}",
        "record [core-s]": f"{record.core_s:.1f}",
        "record, of a job [ms]": f"{1000 * record.core_s / int(plan['jobs']):.1f}",
        "record, memory [MB]": f"{record.memory_mb:.0f}",
        "nothing to do [s]": f"{again.wall_s:.1f}",
        "nothing to do [core-s]": f"{again.core_s:.1f}",
        "nothing to do, memory [MB]": f"{again.memory_mb:.0f}",
        "one more scan, dry run [s]": f"{more.wall_s:.1f}",
        "one more scan, jobs of `preprocess`": f"{few['total'] - few['preprocess']}",
        "one more scan, jobs of all": f"{more.jobs()['total']}",
        "`.snakemake/metadata`, files": f"{files}",
        "`.snakemake/metadata` [MB]": f"{size / 1e6:.0f}",
    }


def describe_run() -> list[str]:
    """State the machine, the versions, the code and the day."""
    processor, memory = read_field("/proc/cpuinfo", "model name"), read_field("/proc/meminfo", "MemTotal")
    size = f"{len(os.sched_getaffinity(0))} cores, {int(memory.split()[0]) * 1024 / 1e9:.0f} GB of memory"
    changes = ", with uncommitted changes" if run_git("status", "--porcelain", "--", "src", "workflow") else ""
    return [
        f"- Machine: {processor}, {size}, local disk; load before the first run {os.getloadavg()[0]:.1f}",
        f"- Versions: Python {platform.python_version()}, Snakemake {version('snakemake')}",
        f"- Code: commit {run_git('rev-parse', '--short', 'HEAD')}{changes}; {datetime.date.today()}",
    ]


def write_page(numbers: list[int], planned: list[int], study: Path | None, folder: Path | None) -> str:
    """Measure each cohort and write the page as Markdown."""
    words = ["--configfile", str(ROOT / study)]
    run, columns = describe_run(), {}
    for number in numbers:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            columns[number] = measure_study(number, words, Path(place))
    for number in planned:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            columns[number] = measure_plan(simulate_sheet(number), words, Path(place))
    once, each = list_written(words, WRITTEN)
    command = shlex.join(["benchmarks/scale.py", *sys.argv[1:]])
    rows = [[name, *(column.get(name, "–") for column in columns.values())] for name in columns[numbers[0]]]
    lines = ["# What a study of many scans costs Snakemake", "", INTRODUCTION, *run, f"- Command: `{command}`", ""]
    lines += [*write_table(["", *(f"{number} scans" for number in columns)], rows), "", EXPLANATION]
    kept = sum(not path.endswith(PASSING) for path in each)
    lines += [f"A study writes {kept} files for each scan that stay, and {len(once)} files and folders beside them."]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, nargs="+", default=[3306], help="scans of each cohort")
    parser.add_argument(
        "--planned", type=int, nargs="*", default=[33060], help="scans of cohorts that are planned alone"
    )
    parser.add_argument("--study", type=Path, default=Path("studies/bar_adni.yaml"), help="settings, from this clone")
    parser.add_argument("--folder", type=Path, help="where the empty files go, by default the system's temporary one")
    parser.add_argument("--output", type=Path, default=Path("docs/results/scale.md"), help="Markdown")
    args = parser.parse_args(argv)
    if min(args.scans) < SAMPLE or not args.output.parent.is_dir():
        parser.error(f"a cohort has at least {SAMPLE} scans, and --output lies in a folder that exists")
    args.output.write_text(write_page(args.scans, args.planned, args.study, args.folder), encoding="utf-8")


if __name__ == "__main__":
    main()
