"""Pack the volumes of all scans that passed their checks into one array.

READS for each scan `volume.nii.gz` and `check.json` below the folder of the stage.
WRITES the packed cohort (float16), its table, and the intensity percentiles of each scan.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from neurobar.data.files import written_whole


def choose_scans(folder: Path, scans: Iterable[str], *, keep: list[str], exclude: list[str]) -> pd.DataFrame:
    """Decide which scans take part, by their checks and by what a person said.

    Parameters
    ----------
    folder : pathlib.Path
        Holds `{scan}/check.json`.
    scans : iterable of str
    keep, exclude : list of str
        Scans that take part whatever their check says, and scans that do not; of these no file is opened.

    Returns
    -------
    pandas.DataFrame
        Columns scan, used (bool) and reason: why a scan is left out, or why it is kept although a check failed.

    Raises
    ------
    ValueError
        If `keep` or `exclude` names a scan that is not there, both name one, or no scan is left.
    """
    scans = sorted(scans)
    strangers = sorted({*keep, *exclude} - set(scans)) or sorted({*keep} & {*exclude})
    if strangers:
        raise ValueError(
            f"preprocess.keep and preprocess.exclude: {strangers[0]!r} is no scan of the cohort, or in both."
        )
    rows = []
    for scan in scans:
        if scan in exclude:
            rows.append((scan, False, "Excluded in the config."))
            continue
        check = json.loads((folder / scan / "check.json").read_text(encoding="utf-8"))
        reason = " ".join(check["reasons"])
        if scan in keep and not check["passed"]:
            reason = f"Kept in the config: {reason}"
        rows.append((scan, check["passed"] or scan in keep, reason))
    table = pd.DataFrame(rows, columns=["scan", "used", "reason"])
    if not table["used"].any():
        raise ValueError("No scan passed its checks; see the check.json of each scan.")
    return table


def pack(volumes: list[Path], packed: Path, percentiles: list[float]) -> np.ndarray:
    """Write some volumes into one array, one after the other.

    Parameters
    ----------
    volumes : list of pathlib.Path
        Images on the grid; 0 outside the brain.
    packed : pathlib.Path
        The array, float16 (n, D, H, W). It is never held in memory as a whole.
    percentiles : list of float
        Where each scan's intensities are read off [%].

    Returns
    -------
    float32 (n, P)
        Intensities at the percentiles inside the brain.
    """
    shape = nib.load(volumes[0]).shape
    array = np.lib.format.open_memmap(packed, mode="w+", dtype=np.float16, shape=(len(volumes), *shape))
    read_off = np.empty((len(volumes), len(percentiles)), np.float32)
    for row, path in enumerate(volumes):
        volume = np.asarray(nib.load(path).dataobj, np.float32)
        array[row] = volume
        read_off[row] = np.percentile(volume[volume > 0], percentiles)
    array.flush()
    return read_off


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder of the stage, one folder for each scan in it"
    )
    parser.add_argument("--scans", nargs="+", required=True, help="names of the scans")
    parser.add_argument("--keep", type=json.loads, default=[], help="scans to keep whatever their check says, JSON")
    parser.add_argument("--exclude", type=json.loads, default=[], help="scans to leave out, JSON")
    parser.add_argument("--at", type=json.loads, required=True, help="percentiles inside the brain [%%], JSON")
    parser.add_argument("--volumes", required=True, help="packed cohort, NPY (output)")
    parser.add_argument("--percentiles", required=True, help="intensities at the percentiles, NPY (output)")
    parser.add_argument("--table", required=True, help="table of the scans, TSV (output)")
    args = parser.parse_args(argv)
    try:
        table = choose_scans(args.folder, args.scans, keep=args.keep, exclude=args.exclude)
    except ValueError as error:
        sys.exit(str(error))
    paths = [args.folder / scan / "volume.nii.gz" for scan in table.loc[table["used"], "scan"]]
    with written_whole(args.volumes) as partial:
        read_off = pack(paths, partial, args.at)
    with written_whole(args.percentiles) as partial:
        np.save(partial, read_off)
    with written_whole(args.table) as partial:
        table.to_csv(partial, sep="\t", index=False)
    print(f"{len(paths)} of {len(table)} scans packed.")


if __name__ == "__main__":
    main()
