"""Outputs that are either whole or absent, and names that a workflow cannot carry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` and move it into place on success.

    A job that dies while it writes leaves no file that could be taken for a result.

    Parameters
    ----------
    path : path
        The final name. Its folder is made when it is missing.

    Yields
    ------
    pathlib.Path
        A name in the same folder that ends like `path`, so that writers which look
        at the suffix (nibabel, matplotlib) choose the same format.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f".partial-{os.getpid()}-{final.name}")
    try:
        yield partial
        os.replace(partial, final)
    finally:
        partial.unlink(missing_ok=True)
