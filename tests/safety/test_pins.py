"""Every package that is installed is pinned to one version, the same wherever it is named."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LINES = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
PINS = {canonicalize_name(line.split("==")[0]): line.split("==")[-1] for line in LINES}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: What no constraint can hold, since it is there first.
FIRST = {"pip"}


def needed_by(requirement: Requirement, extras: set[str]) -> list[Requirement]:
    """List what a package needs here, with the extras that are asked of it; nothing where it is not installed."""
    try:
        lines = distribution(requirement.name).requires or []
    except PackageNotFoundError:
        return []
    found = [Requirement(line) for line in lines]
    asked = [{"extra": extra} for extra in extras | {""}]
    return [need for need in found if need.marker is None or any(map(need.marker.evaluate, asked))]


def walk(requirements: list[Requirement]) -> set[str]:
    """Name all packages that some requirements bring, at any depth."""
    waiting, seen = list(requirements), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            waiting += needed_by(requirement, requirement.extras)
    return {name for name, _ in seen}


def is_installed(name: str) -> bool:
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def test_each_line_is_one_exact_version():
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in LINES)
    assert len(PINS) == len(LINES) > 100


def test_what_the_project_asks_for_is_pinned_to_what_it_takes():
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)], prereleases=True), requirement


def test_what_these_bring_is_pinned_too():
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    brought = walk([Requirement(line) for line in asked])
    assert len(brought) > 100
    assert {name for name in brought - FIRST if is_installed(name)} - {*PINS} == set()


def test_environments_hold_the_pins_of_the_constraints():
    files = [*(ROOT / "envs").glob("*.yaml"), ROOT / "envs" / "slurm.txt"]
    assert len(files) == 3
    for path in files:
        lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
        named = [line for line in lines if "=" in line and not line.startswith(("#", "python="))]
        assert named, path.name
        assert {*named} <= {*LINES}, path.name
