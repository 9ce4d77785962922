"""Tables that people write, read so strictly that no cell is taken for another."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

#: A cell without a value; BIDS writes n/a.
MISSING = ("", "n/a")


def read_table(path: str | Path, missing: Iterable[str] = MISSING) -> pd.DataFrame:
    """Read a table as text.

    pandas.read_csv renames a column that stands twice, and takes the first cells of rows that are longer than the
    header for their index: it would read such tables, wrongly.

    Parameters
    ----------
    path : path
        UTF-8, with a header; cells are separated by tabs in a `.tsv`, by commas in any other file.
    missing : iterable of str
        Cells that have no value.

    Returns
    -------
    pandas.DataFrame
        Text or missing; the index is the row that a spreadsheet shows, where the header is row 1. Rows in which
        nothing stands, and columns without a name, are left out.

    Raises
    ------
    ValueError
        What is wrong, without the path and the full stop.
    """
    rows = {number: cells for number, cells in enumerate(_read_cells(Path(path)), start=1) if any(cells)}
    if not rows:
        raise ValueError("it is empty")
    header = rows.pop(min(rows))
    for name in header:
        if name and header.count(name) > 1:
            raise ValueError(f"the column {shorten(name)} stands twice")
    for number, cells in rows.items():
        if any(cells[len(header) :]):
            raise ValueError(f"row {number} has {len(cells)} cells, the header has {len(header)}")
    width = len(header)
    filled = [[*cells[:width], *[""] * (width - len(cells))] for cells in rows.values()]
    table = pd.DataFrame(filled, index=list(rows), columns=pd.Index(header, dtype=str), dtype=str)
    return table.loc[:, table.columns != ""].replace(list(missing), pd.NA)


def _read_cells(path: Path) -> list[list[str]]:
    # With the mark that spreadsheets put before the first cell, or without it.
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.reader(stream, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    except OSError as error:
        raise ValueError(f"it cannot be read, {error.strerror}") from None


def shorten(cell: object) -> str:
    """Show a cell in an error: quoted on one line, and cut where it is long."""
    shown = repr(cell)
    return shown if len(shown) <= 200 else f"{shown[:200]} ..."
