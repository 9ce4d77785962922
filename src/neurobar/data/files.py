"""Outputs that are either whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
