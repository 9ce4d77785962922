"""Paths that a workflow cannot carry."""

from __future__ import annotations

import re
from pathlib import Path

PLACEHOLDER = re.compile(r"\{\s*[.\w]+\s*[,}]|<[a-z][a-z0-9_]*>")


def find_placeholder(path: str | Path) -> str | None:
    """Find what Snakemake would take for a wildcard or a path variable, and silently read another file.

    Parameters
    ----------
    path : path

    Returns
    -------
    str or None
        Such as `{scan}` or `<results>`.
    """
    found = PLACEHOLDER.search(str(path))
    return found[0] if found else None
