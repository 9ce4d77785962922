"""Pack the volumes of all scans that take part into one array.

READS the table of who takes part, and for each of these scans `volume.nii.gz` below the folder of the stage.
WRITES the packed cohort (float16) and the intensity percentiles of each scan, both in the order of the table.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole


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

    Raises
    ------
    ValueError
        If a volume is empty.
    """
    shape = nib.load(volumes[0]).shape
    header = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": (len(volumes), *shape)}
    read_off = np.empty((len(volumes), len(percentiles)), np.float32)
    with packed.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for row, path in enumerate(volumes):
            volume = np.asarray(nib.load(path).dataobj, np.float32)
            if volume.shape != shape:
                raise ValueError(f"{path}: its grid is {volume.shape}, that of {volumes[0]} is {shape}.")
            if not volume.any():
                raise ValueError(f"{path}: no brain was found in this scan, so it cannot be kept (preprocess.keep).")
            stream.write(volume.astype(np.float16).tobytes())
            read_off[row] = np.percentile(volume[volume > 0], percentiles)
    return read_off


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder of the stage, one folder for each scan in it"
    )
    parser.add_argument("--table", required=True, help="who takes part, TSV")
    parser.add_argument("--at", type=json.loads, required=True, help="percentiles inside the brain [%%], JSON")
    parser.add_argument("--volumes", required=True, help="packed cohort, NPY (output)")
    parser.add_argument("--percentiles", required=True, help="intensities at the percentiles, NPY (output)")
    args = parser.parse_args(argv)
    table = pd.read_csv(args.table, sep="\t", dtype={"scan": str})
    paths = [args.folder / scan / "volume.nii.gz" for scan in table.loc[table["used"], "scan"]]
    with written_whole(args.volumes) as partial:
        try:
            read_off = pack(paths, partial, args.at)
        except ValueError as error:
            sys.exit(str(error))
    with written_whole(args.percentiles) as partial:
        np.save(partial, read_off)
    print(f"{len(paths)} of {len(table)} scans packed.")


if __name__ == "__main__":
    call_command(main)
