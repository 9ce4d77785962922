"""Compare what our preprocessing of raw heads costs with the usual recipe, on the same scans, and write a page.

Ours are the five commands of workflow/rules/preprocess.smk; the usual recipe is N4 and an affine registration by
antspyx as it comes. They take turns, so that a machine that slows down slows both.
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
from dataclasses import astuple, dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median

# Nothing large: what a child is said to have used at most begins with what this process uses.
import yaml

ROOT = Path(__file__).resolve().parents[1]
OURS, PEER, ALL = "neurobar", "usual recipe", "all scans"
#: Our commands as workflow/rules gives them, run in the folder of one scan; the templates lie in the one above it. In
#: braces: the scan, its name, and what the rules read as config[section][key].
FETCH = """
    --whole-head {template[head]} --sha256 {template[sha256]} --record template.json --depth template_depth.nii.gz
    --template template.nii.gz --mask template_mask.nii.gz --head template_head.nii.gz"""
OPTIONS = {
    "register_scan": """
        --scan {scan} --prepared= --head ../template_head.nii.gz --depth ../template_depth.nii.gz
        --settings {preprocess[registration]} --registration registration.json --deformation deformation.nii.gz""",
    "strip_skull": """
        --scan {scan} --prepared= --method {preprocess[skull_strip]} --supplied --device {preprocess[hd_bet_device]}
        --growth-mm {preprocess[mask_growth_mm]} --depth ../template_depth.nii.gz --registration registration.json
        --deformation deformation.nii.gz --mask native_brain_mask.nii.gz --volume t1w_stripped.nii.gz""",
    "correct_bias": """
        --volume t1w_stripped.nii.gz --mask native_brain_mask.nii.gz --prepared=
        --spline-mm {preprocess[n4_spline_mm]} --output t1w_n4.nii.gz --bias bias.json""",
    "resample_scan": """
        --volume t1w_n4.nii.gz --mask native_brain_mask.nii.gz --registration registration.json
        --deformation deformation.nii.gz --normalisation {preprocess[normalisation]} --output volume.nii.gz""",
    "check_scan": """
        --scan {scan} --mask native_brain_mask.nii.gz --bias bias.json --volume volume.nii.gz
        --registration registration.json --template ../template.nii.gz --template-mask ../template_mask.nii.gz
        --name {name} --prepared= --method {preprocess[skull_strip]} --check check.json --picture check.png""",
}
LOAD = "from nilearn import datasets as d; d.load_mni152_template(resolution=1).to_filename('icbm152.nii.gz')"
#: Ours has one thread, as Snakemake sets it for `threads: 1`; the usual recipe has as many as it likes.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
KEPT = {
    OURS: ("volume.nii.gz", "native_brain_mask.nii.gz", "registration.json", "bias.json", "check.json", "check.png"),
    PEER: ("registered.nii.gz", "to_template_0GenericAffine.mat"),
}
MEASURES = ("core-seconds", "wall [s]", "largest memory [MB]")
INTRODUCTION = f"""\
`{OURS}` is the chain of `workflow/rules/preprocess.smk`: it registers the head, strips the skull, removes the bias
inside the brain, brings the brain onto the 2 mm grid, and measures and draws the result. Each command has one core, so
that scans run side by side. The {PEER} is antspyx as it comes, on all cores: N4 of the whole head, then an affine
registration (`antsRegistrationSyNQuick[a]`) to the 1 mm ICBM152 brain that nilearn carries. It does not strip the
skull, though that template has none, and checks nothing; it keeps the head at 1 mm. How well either aligns a head is
not measured here.
"""
EXPLANATION = """\
Median (smallest to largest), runs of each chain on each scan: {repeats}, in turn. Core-seconds are user and system
time, the start of Python included; memory is that of the largest process; 1 MB is 10^6 bytes.
"""


@dataclass(frozen=True)
class Cost:
    """What a child process used: its user and system time, and that of its own children, its wall time, its memory."""

    core_s: float
    wall_s: float
    memory_mb: float
    kept_mb: float = 0.0


#: By scan and by command or chain, in the order of the repeats.
Costs = dict[tuple[str, str], list[Cost]]


def read_settings() -> dict[str, dict[str, str]]:
    """Read the sections of config.yaml, their values as on a command line: null as nothing, a list as JSON."""
    sections = yaml.safe_load((ROOT / "config.yaml").read_text())
    texts = {str: str, type(None): lambda value: ""}
    return {
        name: {key: texts.get(type(value), json.dumps)(value) for key, value in section.items()}
        for name, section in sections.items()
        if isinstance(section, dict)
    }


def build_command(module: str, options: str, values: dict[str, object]) -> list[str]:
    """Build the command line of a module of ours; what stands for a value may hold spaces."""
    return [sys.executable, "-m", f"neurobar.{module}", *(word.format(**values) for word in options.split())]


def list_commands(chain: str, scan: Path, settings: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """List the command lines of a chain for one scan."""
    if chain == PEER:
        return {PEER: [sys.executable, __file__, str(scan), "--peer", "../icbm152.nii.gz"]}
    values = settings | {"scan": scan, "name": scan.name}
    return {step: build_command(f"preprocess.{step}", options, values) for step, options in OPTIONS.items()}


def measure(command: list[str], folder: Path, chain: str) -> Cost:
    """Run a command in a folder, with the threads that its chain has, and measure it."""
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    environment |= dict.fromkeys(THREADS, "1") if chain == OURS else {}
    log, start = folder / "log.txt", time.perf_counter()
    with log.open("w") as stream:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{shlex.join(command)} ended with {child.returncode}:\n{log.read_text()}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024 / 1e6)


def combine(costs: list[Cost], kept_mb: float = 0.0) -> Cost:
    """Add up costs that were paid one after the other; of their memory, the largest counts."""
    core, wall, memory, kept = zip(*map(astuple, costs), strict=True)
    return Cost(sum(core), sum(wall), max(memory), sum(kept) + kept_mb)


def run_chain(chain: str, commands: dict[str, list[str]], folder: Path) -> dict[str, Cost]:
    """Preprocess a scan in an empty folder and return the cost of each command, and of the chain."""
    costs = {step: measure(command, folder, chain) for step, command in commands.items()}
    kept = sum((folder / name).stat().st_size for name in KEPT[chain])
    return costs | {chain: combine(list(costs.values()), kept / 1e6)}


def follow_recipe(scan: str, template: str) -> None:
    """Correct a head by N4 and register it to the template, as antspyx does both when not told otherwise."""
    import ants

    fixed, moving = ants.image_read(template), ants.n4_bias_field_correction(ants.image_read(scan))
    found = ants.registration(fixed, moving, "antsRegistrationSyNQuick[a]", outprefix="to_template_")
    ants.image_write(found["warpedmovout"], "registered.nii.gz")


def take_turns(scans: list[Path], repeats: int, fetched: Path, settings: dict[str, dict[str, str]]) -> Costs:
    """Measure both chains on all scans beside their templates."""
    costs: Costs = {}
    for repeat, scan, chain in product(range(repeats), scans, (OURS, PEER)):
        with tempfile.TemporaryDirectory(dir=fetched) as folder:
            found = run_chain(chain, list_commands(chain, scan, settings), Path(folder))
        for step, cost in found.items():
            costs.setdefault((scan.name, step), []).append(cost)
        print(f"{repeat + 1}/{repeats} {scan.name}, {chain}: {found[chain].core_s:.1f} core-seconds", file=sys.stderr)
    for chain in (OURS, PEER):
        columns = zip(*(costs[scan.name, chain] for scan in scans), strict=True)
        costs[ALL, chain] = [combine(list(column)) for column in columns]
    return costs


def write_spreads(costs: list[Cost], digits: tuple[int, ...]) -> list[str]:
    """Write median, smallest and largest of each measure, as many as there are `digits` after the point."""
    cells, measures = [], zip(*map(astuple, costs), strict=True)
    for values, places in zip(measures, digits, strict=False):
        middle, low, high = (f"{value:.{places}f}" for value in (median(values), min(values), max(values)))
        cells.append(middle if low == high else f"{middle} ({low} to {high})")
    return cells


def write_table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Write a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def compare_chains(costs: Costs, names: list[str]) -> list[str]:
    """Write the table of both chains on each scan, and on all of them."""
    rows = []
    for name in [*names, ALL] if len(names) > 1 else names:
        ours, peer = (costs[name, chain] for chain in (OURS, PEER))
        ratio = median(cost.core_s for cost in peer) / median(cost.core_s for cost in ours)
        rows.append([name, OURS, *write_spreads(ours, (1, 1, 0, 2)), "1"])
        rows.append([name, PEER, *write_spreads(peer, (1, 1, 0, 2)), f"{ratio:.1f}"])
    return write_table(["scan", "chain", *MEASURES, "kept [MB]", "core-seconds over ours"], rows)


def run_git(*words: str) -> str:
    """Return what a git command prints about this repository."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def read_field(path: str, field: str) -> str:
    """Return the first value of a field of a file in /proc."""
    return next(line.split(":")[1].strip() for line in Path(path).read_text().splitlines() if line.startswith(field))


def describe_run() -> list[str]:
    """State the machine, the versions, the code and the day."""
    processor, memory = read_field("/proc/cpuinfo", "model name"), read_field("/proc/meminfo", "MemTotal")
    size = f"{len(os.sched_getaffinity(0))} cores, {int(memory.split()[0]) * 1024 / 1e9:.0f} GB of memory"
    packages = [f"{name} {version(name)}" for name in ("antspyx", "numpy", "scipy")]
    changes = ", with uncommitted changes" if run_git("status", "--porcelain", "--", "src", "config.yaml") else ""
    return [
        f"- Machine: {processor}, {size}; load before the first run {os.getloadavg()[0]:.1f}",
        f"- Versions: Python {platform.python_version()}, {', '.join(packages)}",
        f"- Code: commit {run_git('rev-parse', '--short', 'HEAD')}{changes}; {datetime.date.today()}",
    ]


def write_page(scans: list[Path], repeats: int, output: Path) -> str:
    """Measure both chains on the scans and write what they cost as Markdown."""
    names = [scan.name for scan in scans]
    shown = output.name if output.is_absolute() else str(output)
    command = shlex.join(["benchmarks/preprocess.py", *names, "--repeats", str(repeats), "--output", shown])
    run, settings = describe_run(), read_settings()
    with tempfile.TemporaryDirectory() as folder:
        make = {OURS: build_command("fetch.fetch_template", FETCH, settings), PEER: [sys.executable, "-c", LOAD]}
        once = {chain: measure(command, Path(folder), chain) for chain, command in make.items()}
        costs = take_turns(scans, repeats, Path(folder), settings)
    templates = (f"{chain} {cost.core_s:.1f} core-seconds, {cost.wall_s:.1f} s" for chain, cost in once.items())
    lines = ["# What preprocessing costs", "", INTRODUCTION, *run, f"- Command: `{command}`"]
    lines += [f"- Templates, made once for all scans and not counted below: {'; '.join(templates)}", ""]
    lines += [EXPLANATION.format(repeats=repeats), *compare_chains(costs, names), ""]
    steps = [[name, step, *write_spreads(costs[name, step], (2, 2, 0))] for name in names for step in OPTIONS]
    lines += write_table(["scan", f"command of {OURS}", *MEASURES], steps)
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Measure both chains and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help="raw T1 head")
    parser.add_argument("--repeats", type=int, default=3, help="of both chains on each scan")
    parser.add_argument("--output", type=Path, default=Path("docs/results/preprocess.md"), help="Markdown")
    parser.add_argument("--peer", metavar="TEMPLATE", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    scans = [scan.absolute() for scan in args.scans]
    if args.peer:
        return follow_recipe(str(scans[0]), args.peer)
    if len({scan.name for scan in scans}) < len(scans) or args.repeats < 1 or not args.output.parent.is_dir():
        parser.error("scans differ in their names, --repeats is at least 1, --output lies in a folder that exists")
    args.output.write_text(write_page(scans, args.repeats, args.output))


if __name__ == "__main__":
    main()
