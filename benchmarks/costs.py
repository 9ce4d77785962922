"""Write how long the jobs of the default study took, for the estimates of `neurobar check`.

    python benchmarks/costs.py results/benchmarks --output src/neurobar/commands/costs.tsv

Run the default study on a quiet machine before; medians over the jobs of each rule are taken.
"""

from __future__ import annotations

import argparse
import datetime
import os
from pathlib import Path

from preprocess import read_field, run_git

from neurobar.commands.costs import read_measured


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", type=Path, help="results/benchmarks of the default study")
    parser.add_argument("--output", type=Path, required=True, help="TSV (output)")
    args = parser.parse_args(argv)
    processor = read_field("/proc/cpuinfo", "model name")
    said = f"# {processor}, {os.cpu_count()} cores, commit {run_git('rev-parse', '--short', 'HEAD')}"
    lines = [f"{said}, {datetime.date.today()}; wall time of one job, median over jobs [s].", "rule\tseconds"]
    lines += [f"{rule}\t{seconds:.2f}" for rule, seconds in sorted(read_measured(args.benchmarks).items())]
    args.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
