"""Which code computed: the commit of the clone, and the versions of what it stands on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import neurobar

#: Of a clone, in which the package lies as `src/neurobar`.
ROOT = Path(neurobar.__file__).parents[2]
#: What results depend on.
COMPUTING = ("Snakefile", "config.yaml", "workflow", "src", "envs", "constraints.txt")
#: Names the commit where there is no repository, as in a container.
VARIABLE = "NEUROBAR_COMMIT"
PATIENCE_S = 30


def find_commit(root: Path = ROOT) -> dict[str, Any]:
    """Find which commit a clone stands at.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the Snakefile.

    Returns
    -------
    dict
        commit, of `NEUROBAR_COMMIT` where git does not know it, else None; clean, True where nothing that results
        depend on differs from that commit, None where git does not know.
    """
    top = _ask_git(root, "rev-parse", "--show-toplevel")
    # A clone without its repository may lie in a folder that is kept under version control for its own sake.
    if top is not None and Path(top).resolve() == root.resolve():
        commit, changes = _ask_git(root, "rev-parse", "HEAD"), _ask_git(root, "status", "--porcelain", "--", *COMPUTING)
        if commit is not None:
            return {"commit": commit, "clean": None if changes is None else changes == ""}
    return {"commit": os.environ.get(VARIABLE) or None, "clean": None}


def _ask_git(root: Path, *words: str) -> str | None:
    """Return what git says, or None where it is missing or knows nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        said = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=kept | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None


def list_versions(root: Path = ROOT) -> dict[str, str]:
    """List the versions of Python, of this package, and of every pinned package that is installed.

    Parameters
    ----------
    root : pathlib.Path
        Folder of `constraints.txt`.

    Returns
    -------
    dict of str to str
    """
    pins = root / "constraints.txt"
    text = pins.read_text(encoding="utf-8") if pins.is_file() else ""
    versions = {"python": platform.python_version(), "neurobar": neurobar.__version__}
    for name in re.findall(r"^([A-Za-z0-9][\w.-]*)==", text, re.MULTILINE):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
