"""The names of the scans of a sheet: a command line holds a few thousand, a sheet any number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from neurobar.data.tables import read_table


def digest_names(names: Iterable[str]) -> str:
    """Hash names of scans, whatever their order.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]


def read_names(sheet: str | Path, *, ignored: Mapping[str, list[str]], digest: str) -> list[str]:
    """Read from a checked sheet the names of the scans that are studied.

    Parameters
    ----------
    sheet : path
        See `neurobar.data.sheets.read_scans`.
    ignored : dict of str to list of str
        For a column, the values whose scans are left out; n/a where a cell is empty.
    digest : str
        `digest_names` of those that the caller planned with.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    ValueError
        If the sheet was edited in the meantime.
    """
    table = read_table(sheet)
    for column, values in ignored.items():
        table = table[~table[column].fillna("n/a").isin(values)]
    names = sorted(table["scan"])
    if digest_names(names) != digest:
        raise ValueError(f"{sheet} lists other scans than when the run began; start the run again.")
    return names
