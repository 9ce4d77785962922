"""Draw how each scan came through preprocessing, unusual ones first, and what standardisation does.

READS the checks of all scans and their pictures, the packed cohort, the split and the landmarks of its fold 0.
WRITES `checks.html`, and as figures `montage` (planes of scans on the grid) and `histograms` (of intensities).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from neurobar.data.cohorts import Cohort, read_cohort, read_folds
from neurobar.data.endings import call_command
from neurobar.draw import histograms, montage
from neurobar.draw.check_page import fit_page, write_checks
from neurobar.draw.histograms import draw_histograms, measure_histograms
from neurobar.draw.montage import choose_evenly, draw_montage
from neurobar.draw.scan_names import NAMED_BY_ROW, cover_names, name_scans
from neurobar.draw.sentences import count_scans, name_study
from neurobar.figures.style import save_figures
from neurobar.training.scans import read_landmarks

MOST_NAMES = 10  # scans left out that a caption names


def read_checks(path: str) -> pd.DataFrame:
    """Read the checks of all scans, in their order.

    Parameters
    ----------
    path : path
        The file of `judge_scans`.

    Returns
    -------
    pandas.DataFrame
        `reason` is empty where there is none.
    """
    checks = pd.read_csv(path, sep="\t", dtype={"scan": str, "reason": str, "towards": str})
    return checks.fillna({"reason": "", "towards": ""})


def describe_checks(checks: pd.DataFrame, *, listed: int, shown: int, is_full: bool) -> str:
    """Count who takes part, who is listed and whose picture is shown.

    Parameters
    ----------
    checks : pandas.DataFrame
        From `read_checks`.
    listed : int
        Scans on the page, the first of `checks`.
    shown : int
        Pictures on the page.
    is_full : bool
        True where the page had no room for all pictures that were asked for.

    Returns
    -------
    str
    """
    failed = checks["reason"] != ""
    left_out, kept = int((~checks["used"]).sum()), int((checks["used"] & failed).sum())
    counts = f"{len(checks)} scans checked, {left_out} left out, {kept} kept by name although a check failed"
    if shown == len(checks):
        return f"{counts}; the page holds a picture of each."
    why = "as many as it has room for" if is_full else "setting report.pictures"
    pictures = f"{counts}; the page holds pictures of {shown} of them, the most unusual ({why})."
    if listed == len(checks):
        return pictures
    return f"{pictures} It lists the first {listed} scans; results/preprocess/checks.tsv has all."


def name_left_out(checks: pd.DataFrame) -> str:
    """Name the scans that are not in the packed cohort.

    Parameters
    ----------
    checks : pandas.DataFrame
        From `name_scans`.

    Returns
    -------
    str
    """
    names = checks.loc[~checks["used"], "named"].tolist()
    if not names:
        return "No scan was left out."
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"Left out, so not shown: {', '.join(names[:MOST_NAMES])}{more}."


def draw_planes(cohort: Cohort, checks: pd.DataFrame, folds: pd.DataFrame, study: str) -> tuple[Any, str]:
    """Draw planes of scans from the most unusual to the most usual, and say what is seen.

    Parameters
    ----------
    cohort : Cohort
    checks : pandas.DataFrame
        From `name_scans`.
    folds : pandas.DataFrame
        The split, which counts subjects.
    study : str
        Name of the cohort.

    Returns
    -------
    figure : matplotlib.figure.Figure
    caption : str
    """
    used = checks[checks["used"]]
    chosen = used.iloc[choose_evenly(len(used), montage.MOST)]
    rows = cohort.rows_of(chosen["scan"])
    kept = (chosen["reason"] != "").tolist()
    figure = draw_montage((cohort.volumes[row] for row in rows), chosen["named"].tolist(), kept)
    taken = "all scans" if len(chosen) == len(used) else f"{len(chosen)} scans, evenly chosen"
    caption = (
        f"{study}, {count_scans(folds)}: an axial (z = {montage.CUTS[0][1]:g} mm) and a coronal (y = "
        f"{montage.CUTS[1][1]:g} mm) plane of {taken}, on the grid from the most unusual to the most usual; L and R "
        "are the subject's left and right"
        f"{', frames mark scans kept although a check failed' if any(kept) else ''}. {name_left_out(checks)}"
    )
    return figure, caption


def draw_intensities(
    cohort: Cohort, folds: pd.DataFrame, landmarks: torch.Tensor, told: dict[str, Any]
) -> tuple[Any, str]:
    """Draw histograms of scans before and after standardisation, and say what is seen.

    Parameters
    ----------
    cohort : Cohort
    folds : pandas.DataFrame
        The split, which knows classes.
    landmarks : float (P,)
        The standard landmarks of fold 0.
    told : dict
        The config's cohort.

    Returns
    -------
    figure : matplotlib.figure.Figure
    caption : str
    """
    rows = choose_evenly(len(cohort.scans), histograms.MOST)
    labels = folds.set_index("scan")["label"].loc[np.array(cohort.scans)[rows]].to_numpy()
    measured = measure_histograms(cohort, rows, landmarks)
    figure = draw_histograms(measured, labels, (str(told["negative"]), str(told["positive"])))
    taken = "all scans" if len(rows) == len(cohort.scans) else f"{len(rows)} scans, evenly chosen"
    caption = (
        f"{name_study(told)}, {count_scans(folds)}: intensities inside the brain of {taken}, before and after "
        "standardisation by the landmarks that fold 0 learned from its training scans alone; thin lines are scans, "
        "thick lines means of each class."
    )
    return figure, caption


def draw(args: argparse.Namespace) -> None:
    """Draw the page and both figures."""
    checks, folds = name_scans(read_checks(args.checks), by=args.names), read_folds(args.folds)
    cohort = read_cohort(args.volumes, args.percentiles, args.table)
    first = checks[: args.most]
    paths = {name: args.folder / scan / "check.png" for name, scan in zip(first["named"], first["scan"], strict=True)}
    pictures = {name: path for name, path in paths.items() if path.is_file()}  # an excluded scan has none
    study, covered = name_study(args.cohort), args.names == "row"
    listed, shown = fit_page(cover_names(checks) if covered else checks, args.limits, pictures)
    is_full = len(shown) < len(pictures)
    said = f"{study}: {describe_checks(checks, listed=len(listed), shown=len(shown), is_full=is_full)}"
    notes = [NAMED_BY_ROW] if covered else []
    write_checks(args.figures / "checks.html", listed, args.limits, shown, [said, *notes])
    montage_of, caption = draw_planes(cohort, checks, folds, study)
    drawn = {
        "montage": (montage_of, " ".join([caption, *notes])),
        "histograms": draw_intensities(cohort, folds, read_landmarks(args.landmarks), args.cohort),
    }
    save_figures(drawn, args.figures, args.captions, pages={"checks": said})


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checks", required=True, help="checks of all scans, unusual ones first, TSV")
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder of the pictures, a folder for each scan in it"
    )
    parser.add_argument("--limits", type=json.loads, required=True, help="smallest and largest of each measure, JSON")
    parser.add_argument("--most", type=int, required=True, help="scans whose picture the page holds")
    parser.add_argument("--volumes", required=True, help="packed cohort, NPY")
    parser.add_argument("--percentiles", required=True, help="intensities of each scan at the percentiles, NPY")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--landmarks", required=True, help="standard landmarks of fold 0, JSON")
    parser.add_argument("--names", choices=("scan", "row"), default="scan", help="what pages and figures call a scan")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort and study, JSON")
    parser.add_argument("--figures", type=Path, required=True, help="folder of figures (output)")
    parser.add_argument("--captions", required=True, help="caption of each figure, TSV (output)")
    draw(parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
