"""All scans that a study reads, its own and those of external cohorts, checked against one another."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.sheets import check_masks, read_rows, read_scans

#: For each job of preprocessing that may fail, what it leaves when it does not.
LEFT = {"register_scan": "registration.json", "strip_skull": "native_brain_mask.nii.gz"}


def read_own(cohort: Mapping[str, Any], planned: pd.DataFrame | None, *, has_looked: bool = False) -> pd.DataFrame:
    """Read the sheet of the study, or list the scans that will be simulated.

    Parameters
    ----------
    cohort : dict
        The config's `cohort`.
    planned : pandas.DataFrame or None
        The scans to simulate, their paths relative to the folder of that stage, where no sheet is named.
    has_looked : bool
        As of `read_scans`.

    Returns
    -------
    pandas.DataFrame
        Indexed by scan; columns as those of `read_scans`, or of `planned` with prepared and mask.

    Raises
    ------
    ValueError
        One sentence that names the sheet, and the row or column at fault.
    """
    if planned is None:
        scans = read_scans(cohort["scans"], cohort, has_looked=has_looked)
    else:
        paths = [f"results/simulate/{path}" for path in planned["path"]]
        scans = planned.assign(path=paths, prepared="", mask=None)
    return scans.set_index("scan", drop=False)


def read_external(
    cohorts: Mapping[str, Mapping[str, Any]], sheet: str, scans: pd.DataFrame, *, has_looked: bool = False
) -> dict[str, pd.DataFrame]:
    """Read the sheets of external cohorts, and refuse what they share with the study.

    Parameters
    ----------
    cohorts : dict of str to dict
        `Study.external`.
    sheet : str
        That of the study, for errors.
    scans : pandas.DataFrame
        All scans of the study; columns scan, subject and path.
    has_looked : bool
        As of `read_scans`; images are not compared again either.

    Returns
    -------
    dict of str to pandas.DataFrame
        For each cohort its scans, as `read_scans` returns them, indexed by scan.

    Raises
    ------
    ValueError
        One sentence that names the sheet and the row or column at fault, or the cohort and the subject, image or
        name of a scan that it shares with the study. Two external cohorts may share subjects, since nothing is learned
        from either, but not names of scans.
    """
    tables = {}
    places = dict.fromkeys(scans["scan"], sheet)
    for name, cohort in cohorts.items():
        table = read_scans(cohort["scans"], cohort, has_looked=has_looked)
        if not has_looked:
            _check_apart(name, table, sheet, scans)
        for scan in table["scan"]:
            if scan in places:
                raise ValueError(
                    f"Config: external.{name}: the scan {scan!r} is in {places[scan]} too; "
                    "each scan of a study needs a name of its own."
                )
        places |= dict.fromkeys(table["scan"], f"external.{name}")
        tables[name] = table.set_index("scan", drop=False)
    return tables


def _check_apart(name: str, table: pd.DataFrame, sheet: str, scans: pd.DataFrame) -> None:
    if subjects := sorted({*table["subject"]} & {*scans["subject"]}):
        raise ValueError(
            f"Config: external.{name}: the subject {subjects[0]!r} is in {sheet} too, and nobody may be in training "
            "and in a test; leave those scans out of one sheet, or rename the subject if it is somebody else."
        )
    if images := sorted({*map(os.path.realpath, table["path"])} & {*map(os.path.realpath, scans["path"])}):
        raise ValueError(
            f"Config: external.{name}: the image {images[0]!r} is in {sheet} too, under the name of another subject."
        )


def check_preprocessing(
    preprocess: Mapping[str, Any], sheet: str, scans: pd.DataFrame, external: Mapping[str, pd.DataFrame]
) -> None:
    """Refuse settings of preprocessing that do not fit the scans.

    Parameters
    ----------
    preprocess : dict
        The config's `preprocess`.
    sheet : str
        That of the study, for errors.
    scans : pandas.DataFrame
        All scans of the study.
    external : dict of str to pandas.DataFrame
        From `read_external`.

    Raises
    ------
    ValueError
        If a mask that should be supplied is missing, or `keep` or `exclude` name a scan that is in no sheet.
    """
    tables = {sheet: scans} | {f"Config: external.{name}": table for name, table in external.items()}
    if preprocess["skull_strip"] == "supplied":
        for name, table in tables.items():
            check_masks(name, table[~table["scan"].isin(preprocess["exclude"])])
    known = {scan for table in tables.values() for scan in table["scan"]}
    if strangers := sorted({*preprocess["keep"], *preprocess["exclude"]} - known):
        raise ValueError(f"Config: preprocess.keep and exclude: {strangers[0]!r} is no scan of the cohort.")


def join_scans(scans: pd.DataFrame, external: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Lay together what preprocessing asks of a scan, whatever sheet it is in.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `read_own`.
    external : dict of str to pandas.DataFrame
        From `read_external`.

    Returns
    -------
    dict of str to dict
        For each scan, those of the study first, its path, prepared and mask.
    """
    tables = (table[["path", "prepared", "mask"]] for table in (scans, *external.values()))
    return {scan: row for table in tables for scan, row in table.to_dict("index").items()}


def among(scans: pd.DataFrame, names: Iterable[str]) -> str:
    """Return as JSON those of some names that are scans of one cohort, so that the others do not matter to it."""
    return json.dumps([name for name in names if name in scans.index])


def tell_ignored(cohort: Mapping[str, Any]) -> str:
    """Say which scans of a sheet a cohort leaves out.

    Parameters
    ----------
    cohort : dict
        The config's `cohort`, or an external one.

    Returns
    -------
    str
        JSON, see `read_names`. It names no column that leaves nobody out.
    """
    return json.dumps({cohort["label"]: [str(value) for value in cohort["ignored"]]} if cohort["ignored"] else {})


def digest_scans(scans: pd.DataFrame, columns: list[str]) -> str:
    """Hash what some columns say of scans, so that a workflow notices edits of these columns alone.

    Parameters
    ----------
    scans : pandas.DataFrame
    columns : list of str

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    return hashlib.sha256(scans[columns].to_csv(index=False).encode()).hexdigest()[:12]


def digest_sheet(sheet: str, columns: list[str]) -> str:
    """Hash what some columns say of all rows of a sheet, also those whose label is ignored, whatever their order.

    Parameters
    ----------
    sheet : str
    columns : list of str
        Those that the sheet does not have count as empty.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    # The label may be one of the others.
    named = [*dict.fromkeys(columns)]
    return digest_scans(read_rows(Path(sheet)).reindex(columns=named).sort_values(named), named)


def describe_failures(scans: Iterable[str], results: Path) -> list[str]:
    """Find the scans whose preprocessing failed, by what their jobs said and did not leave.

    Parameters
    ----------
    scans : iterable of str
        All that should have come through.
    results : pathlib.Path
        Folder of results.

    Returns
    -------
    list of str
        For each of them its name and the last line of its log.
    """
    logs = [(rule, scan, results / "logs" / rule / f"{scan}.log") for rule in LEFT for scan in scans]
    return [
        f"{scan}: {log.read_text(errors='replace').splitlines()[-1]}"
        for rule, scan, log in logs
        if log.is_file() and log.stat().st_size and not (results / "preprocess" / scan / LEFT[rule]).exists()
    ]
