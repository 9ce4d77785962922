"""Look for known faults of the versions that constraints.txt pins; nothing is installed.

Where no service answers, it says so in one line and ends well, so that the checks pass without a network.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PINS = Path(__file__).parents[1] / "constraints.txt"
#: In this order, until one answers. OSV knows what PyPI knows, at another address.
SERVICES = ("pypi", "osv")
#: A network that lets nothing through without saying so.
LONGEST_S = 600


def audit_of(pins: Path) -> list[str]:
    """Write the command that audits some pins as they stand."""
    words = ["--requirement", str(pins), "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    return [sys.executable, "-m", "pip_audit", *words]


def check_pins(pins: Path) -> None:
    """End where the pins cannot be read, which is no want of a network."""
    done = subprocess.run([*audit_of(pins), "--dry-run", "--strict"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip().splitlines()[-1])


def ask(service: str, pins: Path, further: list[str]) -> list[dict[str, Any]]:
    """Ask a service about every pin.

    Parameters
    ----------
    service : {"pypi", "osv"}
    pins : pathlib.Path
        Requirements, each `name==version`.
    further : list of str
        Options of pip-audit.

    Returns
    -------
    list of dict
        Each package that the service knows: name, version and its faults, `vulns`. Empty where it did not answer.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        words = [*audit_of(pins), "--vulnerability-service", service, "--format", "json"]
        words += ["--output", str(report), "--cache-dir", folder, *further]
        try:
            subprocess.run(words, capture_output=True, timeout=LONGEST_S, check=False)
        except subprocess.TimeoutExpired:
            return []
        listed = json.loads(report.read_text())["dependencies"] if report.is_file() else []
    return [package for package in listed if "vulns" in package]


def describe(package: dict[str, Any]) -> list[str]:
    """Say what is known of a package, one line for each fault."""
    return [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for fault in package["vulns"]
    ]


def main(argv: list[str] | None = None) -> None:
    """Audit the pins; end with 1 where a fault is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pins", type=Path, default=PINS, help="requirements file (constraints.txt)")
    parser.add_argument("--services", nargs="+", default=SERVICES, choices=SERVICES, help="asked until one answers")
    args, further = parser.parse_known_args(argv)
    check_pins(args.pins)
    number = len(re.findall(r"^[^#\s]+==", args.pins.read_text(), re.MULTILINE))
    for service in args.services:
        if known := ask(service, args.pins, further):
            faults = [line for package in known for line in describe(package)]
            print(
                f"{service} was asked about {number} pinned versions and knows {len(known)}; known faults:", len(faults)
            )
            sys.exit("\n".join(faults) or 0)
    print("Nothing was audited: no service for known faults could be reached.")


if __name__ == "__main__":
    main()
