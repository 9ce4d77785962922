"""The packed cohort: one array for all scans, its table, and what a fold may read of it."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: A row, several rows, or a part of them, as an array is asked.
Rows = int | np.integer | np.ndarray | slice


class PackedVolumes:
    """The volumes of a packed cohort, read from their file when they are asked for.

    A memory map would do the same, but whatever was read of it once counts as memory of the job for as long as nobody
    else wants it: a cluster that watches memory would end jobs that hold nothing.

    Parameters
    ----------
    path : path
        The array of `pack_volumes`.

    Attributes
    ----------
    shape : tuple of int
        n, D, H, W.
    dtype : numpy.dtype

    Raises
    ------
    ValueError
        If the file is no array of numbers.
    """

    def __init__(self, path: str | Path) -> None:
        mapped = read_array(path, mapped=True)
        # Opened once: a file that is moved into its place leaves a job that reads with the one it began with.
        self._opened = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._opened)
        self.path, self.shape, self.dtype, self._start = Path(path), mapped.shape, mapped.dtype, mapped.offset

    def __len__(self) -> int:
        """Count the volumes."""
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> np.ndarray:
        """Read some volumes.

        Parameters
        ----------
        rows : int, slice or int64 (N,)

        Returns
        -------
        float16 (D, H, W) or (N, D, H, W)
            A new array.

        Raises
        ------
        IndexError
            If there is no such row, which also ends a loop over all.
        OSError
            If the file is shorter than it was.
        """
        wanted = np.arange(len(self))[rows]
        volumes = np.empty((wanted.size, *self.shape[1:]), self.dtype)
        for volume, row in zip(volumes, wanted.flat, strict=True):
            self._read_into(volume.data.cast("B"), self._start + int(row) * volume.nbytes)
        return volumes.reshape(*wanted.shape, *self.shape[1:])

    def _read_into(self, place: memoryview, at: int) -> None:
        """Fill a place with the bytes from some offset on; a file system may hand over fewer at a time."""
        while place:
            number = os.preadv(self._opened, [place], at)
            if not number:
                raise OSError(f"{self.path} became shorter while it was read; was another run started beside this?")
            place, at = place[number:], at + number


@dataclass(frozen=True)
class Cohort:
    """Scans of one cohort on the grid, as they lie on disk.

    Attributes
    ----------
    volumes : float16 (n, D, H, W), or what reads it from its file
        Bias-corrected intensities over the brain's median [-]; 0 outside the brain.
    percentiles : float32 (n, P)
        Each scan's own intensities at the landmarks' percentiles.
    scans : list of str
        Name of the scan in each row.
    """

    volumes: np.ndarray | PackedVolumes
    percentiles: np.ndarray
    scans: list[str]

    def rows_of(self, scans: pd.Series) -> np.ndarray:
        """Find the rows of some scans.

        Parameters
        ----------
        scans : pandas.Series of str

        Returns
        -------
        int64 (len(scans),)
        """
        row_of = {scan: row for row, scan in enumerate(self.scans)}
        return np.array([row_of[scan] for scan in scans], np.int64)


def read_cohort(volumes: str | Path, percentiles: str | Path, table: str | Path) -> Cohort:
    """Open the packed cohort without reading its voxels.

    Parameters
    ----------
    volumes, percentiles, table : path
        The three files of `pack_volumes`. Only rows of the table with `used` take part.

    Returns
    -------
    Cohort

    Raises
    ------
    ValueError
        If a file is no array of numbers.
    """
    rows = pd.read_csv(table, sep="\t", dtype={"scan": str})
    return Cohort(
        volumes=PackedVolumes(volumes),
        percentiles=read_array(percentiles),
        scans=rows.loc[rows["used"], "scan"].tolist(),
    )


def read_array(path: str | Path, *, mapped: bool = False) -> np.ndarray:
    """Read an array, which is never unpickled.

    Parameters
    ----------
    path : path
        NPY file.
    mapped : bool
        True leaves it on the disk until it is asked for.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        If it is no array of numbers.
    """
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no array of numbers ({error}).") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path} is no array of numbers (an archive).")
    return array


def read_folds(path: str | Path) -> pd.DataFrame:
    """Read the split, one scan on a row.

    Parameters
    ----------
    path : path
        The file of `make_folds` with the columns scan, subject, label, age, sex, part; part is `test` or the number
        of a fold.

    Returns
    -------
    pandas.DataFrame
    """
    return pd.read_csv(path, sep="\t", dtype={"scan": str, "subject": str, "part": str, "sex": str})


def part_of_fold(folds: pd.DataFrame, fold: int, part: str) -> pd.DataFrame:
    """Choose the scans that play one part when `fold` selects the model.

    Parameters
    ----------
    folds : pandas.DataFrame
        From `read_folds`.
    fold : int
        The fold that selects.
    part : {"train", "select", "test"}

    Returns
    -------
    pandas.DataFrame
        Rows of `folds` in their order, numbered anew.

    Raises
    ------
    ValueError
        If `part` is none of the three or no scan plays it.
    """
    masks = {
        "train": ~folds["part"].isin(["test", str(fold)]),
        "select": folds["part"] == str(fold),
        "test": folds["part"] == "test",
    }
    if part not in masks:
        raise ValueError(f"A scan's part is train, select or test, not {part!r}.")
    chosen = folds[masks[part]].reset_index(drop=True)
    if chosen.empty:
        raise ValueError(f"Fold {fold} has no scan to {part}.")
    return chosen
