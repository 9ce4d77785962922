"""Measure what the simulated disease took from each region, beside what it was planned to take.

The plan says which regions are affected. How much a cohort shows of it differs from the plan, because people of equal
health differ too and because what shrinks or widens nearby moves tissue out of a region.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.simulate.anatomy import LOST_ELSEWHERE, MOST_LOST


def read_truths(folder: Path, sheet: pd.DataFrame) -> pd.DataFrame:
    """Read the truth of every scan.

    Parameters
    ----------
    folder : pathlib.Path
        Root of the truth, in which `simulate_scan` wrote.
    sheet : pandas.DataFrame
        Columns scan, subject, session.

    Returns
    -------
    pandas.DataFrame
        Severity [0..1] and volumes [ml] of each scan.
    """
    paths = [folder / row.subject / row.session / "anat" / f"{row.scan}_truth.json" for row in sheet.itertuples()]
    truths = [json.loads(path.read_text()) for path in paths]
    return pd.DataFrame([{"severity": truth["severity"], **truth["volumes_ml"]} for truth in truths])


def measure_losses(truths: pd.DataFrame, regions: list[str]) -> pd.DataFrame:
    """Estimate the part of each region that is lost at severity 1.

    Parameters
    ----------
    truths : pandas.DataFrame
        From `read_truths`.
    regions : list of str
        Columns of `truths` to look at.

    Returns
    -------
    pandas.DataFrame
        Columns region; planned, the part of the volume that was meant to be lost; measured, by a straight line through
        the region's share of the brain against severity: its fall from severity 0 to 1 over its value at 0.

    Raises
    ------
    ValueError
        If all scans are of one severity.
    """
    severity = truths["severity"].to_numpy()
    if np.ptp(severity) == 0:
        raise ValueError("What the disease takes cannot be measured where all scans are of one severity.")
    shares = truths[regions].div(truths["brain"], axis=0).to_numpy()  # of the brain, since heads differ in size
    slope, start = np.polyfit(severity, shares, 1)
    planned = [MOST_LOST.get(region, LOST_ELSEWHERE) for region in regions]
    return pd.DataFrame({"region": regions, "planned": planned, "measured": -slope / start})


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", required=True, help="sheet of the simulated scans, TSV")
    parser.add_argument("--folder", type=Path, required=True, help="root of the truth of the scans")
    parser.add_argument("--losses", required=True, help="part that each region lost, TSV (output)")
    args = parser.parse_args(argv)
    truths = read_truths(args.folder, pd.read_csv(args.sheet, sep="\t", dtype=str))
    try:
        table = measure_losses(truths, list(read_atlas(*locate_aal2()).names))
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.losses) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6f")


if __name__ == "__main__":
    call_command(main)
