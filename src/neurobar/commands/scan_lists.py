"""The scans that a command is given: files, folders of files, or sheets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from neurobar.data.sheets import NAME, PREPARED
from neurobar.data.tables import read_table, shorten

IMAGES = (".nii", ".nii.gz")
SHEETS = (".tsv", ".csv")
COLUMNS = ["scan", "path", "prepared", "mask"]


def list_scans(given: Iterable[str], *, output: Path, taken: Iterable[str] = ()) -> pd.DataFrame:
    """List scans with a name for each.

    Parameters
    ----------
    given : iterable of str
        NIfTI files; folders, of which every NIfTI file is taken; or sheets.
    output : pathlib.Path
        What lies in it was written by this command, and is no scan.
    taken : iterable of str
        Names that no scan may have.

    Returns
    -------
    pandas.DataFrame
        Columns of `COLUMNS`, in the order in which they were given: scan (a name; equal names of files are numbered),
        path (absolute), prepared (words of `PREPARED` with + between them) and mask (absolute, or missing).

    Raises
    ------
    ValueError
        One sentence that names the file, folder, or row of a sheet.
    """
    found = pd.concat([_scans_of(Path(word), output.absolute()) for word in given], ignore_index=True)
    found = found.drop_duplicates("path", ignore_index=True)
    return found.assign(scan=number_names(found["scan"], found["named"], {*taken}))[COLUMNS]


def name_of(path: Path) -> str:
    """Make the name of a scan from that of its file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        Without the ending and `_T1w`; what no name may hold is an underscore.
    """
    stem = re.sub(r"\.nii(\.gz)?$", "", path.name)
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", re.sub(r"_T1w$", "", stem))
    return re.sub(r"^[^A-Za-z0-9]+", "", plain)[:190] or "scan"


def number_names(names: pd.Series, named: pd.Series, taken: set[str]) -> list[str]:
    """Give the second and later scans of one name a number.

    Parameters
    ----------
    names : pandas.Series of str
    named : pandas.Series of bool
        True where a person gave the name, which then stays.
    taken : set of str
        Names that no scan may have.

    Returns
    -------
    list of str
        All different.

    Raises
    ------
    ValueError
        If a person gave a name twice, or one that is taken.
    """
    given = names[named]
    wrong = given[given.duplicated() | given.isin(taken)]
    if len(wrong):
        raise ValueError(f"The scan {wrong.iloc[0]!r} of a sheet needs another name: that one is taken.")
    used, numbered = taken | {*given}, []
    for name, is_given in zip(names, named, strict=True):
        free, count = name, 1
        while not is_given and free in used:
            count += 1
            free = f"{name}_{count}"
        used.add(free)
        numbered.append(free)
    return numbered


def _scans_of(path: Path, output: Path) -> pd.DataFrame:
    path = path.absolute()
    if path.is_dir():
        inside = (file for file in sorted(path.rglob("*")) if file.name.endswith(IMAGES) and file.is_file())
        files = [file for file in inside if not file.name.startswith(".") and output not in file.parents]
        if not files:
            raise ValueError(f"{path}: there is no NIfTI file (.nii, .nii.gz) in this folder.")
    elif path.suffix in SHEETS:
        return _read_sheet(path)
    elif path.name.endswith(IMAGES):
        files = [path]
    else:
        raise ValueError(f"{path}: a scan is a NIfTI file (.nii, .nii.gz), a folder, or a sheet (.tsv, .csv).")
    table = pd.DataFrame({"scan": [name_of(file) for file in files], "path": [str(file) for file in files]})
    return table.assign(prepared="", mask=pd.NA, named=False)


def _read_sheet(sheet: Path) -> pd.DataFrame:
    try:
        table = read_table(sheet)
    except ValueError as error:
        raise ValueError(f"{sheet} is not a table: {error}.") from None
    missing = [column for column in ("scan", "path") if column not in table.columns]
    if missing or table.empty:
        raise ValueError(f"{sheet} has no column {missing[0]!r}." if missing else f"{sheet} lists no scan.")
    table = table.assign(**{name: pd.NA for name in ("prepared", "mask") if name not in table.columns}, named=True)
    for row, scan in table["scan"].items():
        if not isinstance(scan, str) or not NAME.fullmatch(scan) or len(scan) > 200:
            raise ValueError(f"{sheet}, row {row}: scan {shorten(scan)} is not a name of letters, digits and _ . + -.")
    folder = sheet.parent
    for column in ("path", "mask"):
        for row, value in table[column].items():
            if (column == "path" or isinstance(value, str)) and not os.path.isfile(folder / str(value)):
                raise ValueError(f"{sheet}, row {row}: there is no file {shorten(value)}.")
        table[column] = [str(folder / value) if isinstance(value, str) else pd.NA for value in table[column]]
    return table.assign(prepared=_prepared(sheet, table["prepared"]))[[*COLUMNS, "named"]]


def _prepared(sheet: Path, values: pd.Series) -> list[str]:
    said = [{*re.split(r"[\s,;+]+", value.strip().lower())} - {""} for value in values.fillna("")]
    for row, words in zip(values.index, said, strict=True):
        if strange := sorted(words - {*PREPARED}):
            raise ValueError(f"{sheet}, row {row}: prepared says {strange[0]!r}; known are {', '.join(PREPARED)}.")
    return ["+".join(word for word in PREPARED if word in words) for words in said]
