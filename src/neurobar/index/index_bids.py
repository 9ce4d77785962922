"""Write the sheet of scans of a BIDS data set."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.tables import read_table, shorten

FIRST_COLUMNS = ("scan", "subject", "session", "path", "diagnosis", "age", "sex", "site")
MISSING = ["", "n/a", "N/A"]


def find_images(folder: Path, suffix: str) -> pd.DataFrame:
    """Find the images of one kind, derivatives left out.

    Parameters
    ----------
    folder : pathlib.Path
        Root of a BIDS data set.
    suffix : str
        Last part of the file names, such as T1w.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, session (missing where a data set has none) and path (from the root), sorted by path.

    Raises
    ------
    ValueError
        If the folder is no BIDS data set, or holds no such image or two of one name.
    """
    # Half a second that a wrong argument need not cost.
    from bids2table import index_dataset

    if not (folder / "dataset_description.json").is_file():
        raise ValueError(f"{folder} is no BIDS data set: it has no dataset_description.json.")
    files = index_dataset(folder).to_pandas()
    kept = (files["suffix"] == suffix) & files["ext"].isin([".nii", ".nii.gz"])
    files = files[kept & ~files["path"].str.startswith(("derivatives/", "sourcedata/"))].sort_values("path")
    if files.empty:
        raise ValueError(f"{folder} holds no {suffix} image (.nii or .nii.gz).")
    files["scan"] = [name_scan(path, suffix) for path in files["path"]]
    twice = files["scan"][files["scan"].duplicated()]
    if len(twice):
        raise ValueError(f"{folder} holds more than one {suffix} image of {twice.iloc[0]}.")
    images = {"scan": files["scan"], "subject": "sub-" + files["sub"], "session": "ses-" + files["ses"]}
    return pd.DataFrame({**images, "path": files["path"]}).reset_index(drop=True)


def name_scan(path: str, suffix: str) -> str:
    """Name a scan after the entities of its file, which BIDS makes unique.

    Parameters
    ----------
    path : str
        Such as `sub-01/ses-02/anat/sub-01_ses-02_run-1_T1w.nii.gz`.
    suffix : str
        Such as T1w.

    Returns
    -------
    str
        Such as `sub-01_ses-02_run-1`.
    """
    return Path(path).name.removesuffix(".gz").removesuffix(".nii").removesuffix(f"_{suffix}")


def read_subjects(folder: Path) -> pd.DataFrame:
    """Read `participants.tsv`.

    Parameters
    ----------
    folder : pathlib.Path
        Root of a BIDS data set.

    Returns
    -------
    pandas.DataFrame
        Text, with the column subject; no row where the file is missing.

    Raises
    ------
    ValueError
        If the table names no or repeated participants.
    """
    path = folder / "participants.tsv"
    if not path.is_file():
        return pd.DataFrame({"subject": pd.Series(dtype=str)})
    return read_rows(path, "participant_id", "subject", "sub-")


def read_sessions(folder: Path, subjects: list[str]) -> pd.DataFrame:
    """Read the `sub-*_sessions.tsv` of the subjects that have one.

    Parameters
    ----------
    folder : pathlib.Path
        Root of a BIDS data set.
    subjects : list of str
        Such as `sub-01`.

    Returns
    -------
    pandas.DataFrame
        Text, with the columns subject and session; no row where no subject has a table.

    Raises
    ------
    ValueError
        If a table names no or repeated sessions.
    """
    tables = [
        read_rows(path, "session_id", "session", "ses-").assign(subject=subject)
        for subject in subjects
        if (path := folder / subject / f"{subject}_sessions.tsv").is_file()
    ]
    return pd.concat(tables) if tables else pd.DataFrame({"subject": [], "session": []}, dtype=str)


def read_rows(path: Path, key: str, column: str, prefix: str) -> pd.DataFrame:
    """Read a BIDS table and rename its key.

    Parameters
    ----------
    path : pathlib.Path
        Tab-separated values.
    key : str
        Column that names the rows.
    column, prefix : str
        What to call it, and how its values begin; many data sets leave the prefix out.

    Returns
    -------
    pandas.DataFrame
        Text; `n/a` is missing.

    Raises
    ------
    ValueError
        If it is no table, or the key is absent or repeated.
    """
    try:
        table = read_table(path, MISSING)
    except ValueError as error:
        raise ValueError(f"{path} is no table: {error}.") from None
    if key not in table.columns:
        raise ValueError(f"{path} has no column {key}.")
    table = table.drop(columns=column, errors="ignore").rename(columns={key: column}).dropna(subset=[column])
    table[column] = prefix + table[column].str.removeprefix(prefix)
    repeated = table[column][table[column].duplicated()]
    if len(repeated):
        raise ValueError(f"{path} lists {shorten(repeated.iloc[0])} more than once.")
    return table


def join_tables(images: pd.DataFrame, subjects: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """Join what is known of subjects and sessions to the images.

    Parameters
    ----------
    images, subjects, sessions : pandas.DataFrame
        From `find_images`, `read_subjects` and `read_sessions`.

    Returns
    -------
    pandas.DataFrame
        One row for each image; a session's own value (an age at the second visit) replaces the subject's.
    """
    # A table of a data set may have columns of ours by chance: the files are right.
    own = ["scan", "path"]
    sheet = images.merge(subjects.drop(columns=[*own, "session"], errors="ignore"), on="subject", how="left")
    sheet = sheet.merge(
        sessions.drop(columns=own, errors="ignore"), on=["subject", "session"], how="left", suffixes=("", "|session")
    )
    for column in [name for name in sheet.columns if name.endswith("|session")]:
        known = column.removesuffix("|session")
        sheet[known] = sheet.pop(column).fillna(sheet[known])
    first = [column for column in FIRST_COLUMNS if column in sheet.columns]
    return sheet[first + [column for column in sheet.columns if column not in first]]


def index_bids(folder: Path, output: Path, suffix: str = "T1w") -> pd.DataFrame:
    """Make the sheet of scans of a BIDS data set.

    Parameters
    ----------
    folder : pathlib.Path
        Root of the data set.
    output : pathlib.Path
        The sheet; paths are relative to its folder.
    suffix : str
        Kind of the images.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, session, path, then those of participants.tsv and of the sessions' tables.

    Raises
    ------
    ValueError
        If no image is found or a table is at fault.
    """
    images = find_images(folder, suffix)
    sheet = join_tables(images, read_subjects(folder), read_sessions(folder, list(images["subject"].unique())))
    root = os.path.relpath(folder.absolute(), output.parent.absolute())
    return sheet.assign(path=[os.path.normpath(Path(root, path)) for path in sheet["path"]])


def write_sheet(folder: Path, output: Path, suffix: str = "T1w") -> pd.DataFrame:
    """Make the sheet and write it; see `index_bids`."""
    sheet = index_bids(folder, output, suffix)
    with written_whole(output) as partial:
        sheet.to_csv(partial, sep="\t", index=False)
    return sheet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options, for this command and for `neurobar index`."""
    parser.add_argument("--bids", type=Path, required=True, help="root of the BIDS data set")
    parser.add_argument("--output", type=Path, required=True, help="the sheet to write, .tsv")
    parser.add_argument("--suffix", default="T1w", help="kind of the images (T1w)")


def main(argv: list[str] | None = None) -> None:
    """Read the command line and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    args = parser.parse_args(argv)
    try:
        write_sheet(args.bids, args.output, args.suffix)
    except (ValueError, OSError) as error:
        sys.exit(f"index_bids: {error}")


if __name__ == "__main__":
    call_command(main)
