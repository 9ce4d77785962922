"""The sheet of scans that a cohort is described by."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.placeholders import find_placeholder
from neurobar.data.tables import read_table, shorten

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
REQUIRED = ("scan", "subject", "path")
OPTIONAL = ("session", "age", "sex", "site", "prepared", "mask")
#: What may have been done to a scan before it came here: only the brain is left, it lies on ICBM152 (with or without
#: its skull), its intensity drift is removed.
PREPARED = ("stripped", "registered", "unbiased")


def read_scans(sheet: str | Path, cohort: dict[str, Any], *, has_looked: bool = False) -> pd.DataFrame:
    """Read the sheet of a cohort and check every row.

    Parameters
    ----------
    sheet : path
        Table with one scan on a row, separated by tabs (`.tsv`) or commas. It has the columns scan, subject, path and
        the label's, and may have session, age [years], sex, site, prepared (words of `PREPARED`), mask (a file) and
        others. Paths are relative to its folder.
    cohort : dict
        The config's `cohort`: `label` names the column of the label, `negative` and `positive` its two classes and
        `ignored` the values whose scans are left out.
    has_looked : bool
        True where it is known that all files are there and none twice, so that no file system is asked again.

    Returns
    -------
    pandas.DataFrame
        Sorted by scan; `path` and `mask` are absolute, `label` is 0 (negative) or 1 (positive), `age` is a float,
        `prepared` holds its words in their order with `+` between them, absent columns among session, age, sex, site
        and mask are filled with missing values, and other columns are kept as text.

    Raises
    ------
    ValueError
        One sentence that names the sheet, and the row or column at fault. Row 1 is the header.
    """
    sheet = Path(sheet)
    table = read_rows(sheet)
    missing = [column for column in (*REQUIRED, cohort["label"]) if column not in table.columns]
    if missing:
        raise ValueError(f"{sheet} has no column {missing[0]!r}; it needs {', '.join((*REQUIRED, cohort['label']))}.")
    table = _with_labels(sheet, table, cohort)
    _check_names(sheet, table)
    table = table.assign(**{column: pd.NA for column in OPTIONAL if column not in table.columns})
    for row in table.index[table["path"].isna()]:
        raise ValueError(f"{sheet}, row {row}: the path is empty.")
    folder = sheet.parent.absolute()
    for column in ("path", "mask"):
        given = table.index if column == "path" else table.index[table[column].notna()]
        if not has_looked:
            _check_paths(sheet, table.loc[given, column])
        table.loc[given, column] = table.loc[given, column].map(lambda value: _plain_path(folder / value))
        # One image under two names, or behind two links, could put the same brain into training and test.
        if not has_looked:
            _check_once(sheet, table.loc[given, column].map(os.path.realpath), column)
    table["prepared"] = _prepared(sheet, table["prepared"])
    table["age"] = _ages(sheet, table["age"])
    return table.sort_values("scan", kind="stable").reset_index(drop=True)


def read_rows(sheet: Path) -> pd.DataFrame:
    """Read all rows of a sheet as they are, also those whose label is ignored.

    Parameters
    ----------
    sheet : pathlib.Path

    Returns
    -------
    pandas.DataFrame of str
        Indexed as a spreadsheet numbers its rows, from 2; an empty cell and n/a are missing values.

    Raises
    ------
    ValueError
        One sentence, if the sheet is no table with a row.
    """
    if not os.path.isfile(sheet):
        raise ValueError(f"The sheet of scans {sheet} does not exist; see cohort.scans in the config.")
    try:
        table = read_table(sheet)
    except ValueError as error:
        raise ValueError(f"{sheet} is not a table: {error}.") from None
    if table.empty:
        raise ValueError(f"{sheet} lists no scan.")
    return table


def _with_labels(sheet: Path, table: pd.DataFrame, cohort: dict[str, Any]) -> pd.DataFrame:
    column = cohort["label"]
    # An unknown label is written n/a in BIDS, and can be ignored by that name.
    table = table.assign(**{column: table[column].fillna("n/a")})
    table = table[~table[column].isin([str(value) for value in cohort["ignored"]])].copy()
    classes = {str(cohort["negative"]): 0, str(cohort["positive"]): 1}
    labels = table[column].map(classes)
    for row in table.index[labels.isna()]:
        value = table.at[row, column]
        raise ValueError(
            f"{sheet}, row {row}: {column} {shorten(value)} is neither {cohort['negative']} nor {cohort['positive']}; "
            "correct it, or name it in cohort.ignored to leave such scans out."
        )
    absent = [name for name, code in classes.items() if code not in set(labels)]
    if absent:
        raise ValueError(f"{sheet} has no scan with {column} {absent[0]!r}.")
    return table.assign(label=labels.astype(int))


def _check_names(sheet: Path, table: pd.DataFrame) -> None:
    for column in ("scan", "subject"):
        for row, value in table[column].items():
            if not isinstance(value, str) or not NAME.fullmatch(value) or len(value) > 200:
                raise ValueError(
                    f"{sheet}, row {row}: {column} {shorten(value)} is not a name of letters, digits and _ . + - "
                    "that begins with a letter or digit."
                )
    _check_once(sheet, table["scan"], "scan")


def _check_once(sheet: Path, values: pd.Series, what: str) -> None:
    repeated = values.index[values.duplicated()]
    if len(repeated):
        row = repeated[0]
        first = values.index[values == values[row]][0]
        raise ValueError(f"{sheet}, row {row}: {what} {values[row]!r} stands already in row {first}.")


def _check_paths(sheet: Path, files: pd.Series) -> None:
    folder = sheet.parent.absolute()
    for row, value in files.items():
        # Path.is_file says nothing but raises where a name is too long.
        if not os.path.isfile(folder / value):
            raise ValueError(f"{sheet}, row {row}: there is no file {shorten(value)}.")
        if found := find_placeholder(folder / value):
            raise ValueError(
                f"{sheet}, row {row}: Snakemake takes {found!r} in the path {value!r}, or in a folder above it, "
                "for a placeholder; rename it or link to it."
            )


def _plain_path(path: Path) -> str:
    plain = os.path.normpath(path)
    if ".." not in path.parts:
        return plain
    # Behind a link to a folder, `..` is not the folder that the path says.
    return plain if os.path.exists(plain) and os.path.samefile(plain, path) else os.path.realpath(path)


def _prepared(sheet: Path, values: pd.Series) -> pd.Series:
    words = values.fillna("").map(lambda value: set(re.split(r"[\s,;+]+", value.strip().lower())) - {""})
    for row, said in words.items():
        if strange := sorted(said - {*PREPARED}):
            known = ", ".join(PREPARED)
            raise ValueError(f"{sheet}, row {row}: prepared says {strange[0]!r}; known are {known} (+ between them).")
    return words.map(lambda said: "+".join(word for word in PREPARED if word in said))


def check_masks(sheet: str | Path, scans: pd.DataFrame) -> None:
    """Refuse a sheet in which a scan with a skull has no mask.

    Parameters
    ----------
    sheet : path
        Named in the error.
    scans : pandas.DataFrame
        From `read_scans`.

    Raises
    ------
    ValueError
        One sentence that names the scan.
    """
    bare = scans["scan"][scans["mask"].isna() & ~scans["prepared"].str.contains("stripped")]
    if len(bare):
        raise ValueError(
            f"{sheet}: scan {bare.iloc[0]!r} has no file in the column mask, but preprocess.skull_strip is supplied."
        )


def _ages(sheet: Path, ages: pd.Series) -> pd.Series:
    years = pd.to_numeric(ages, errors="coerce")
    for row in ages.index[ages.notna() & ~years.between(0, 130)]:
        raise ValueError(f"{sheet}, row {row}: age {shorten(ages[row])} is not a number of years from 0 to 130.")
    return years
