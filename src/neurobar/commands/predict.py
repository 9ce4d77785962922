"""Apply an exported model to new scans: preprocess, check, predict, explain, and write a page for each.

A scan that does not pass the checks of the study gets no probability. Not for clinical use.

For example:
  neurobar predict scan_T1w.nii.gz --model model/ --output prediction/
  neurobar predict folder_of_scans/ --model model/ --output predictions/ --cores 8
  neurobar predict scans.tsv --model model/ --output predictions/

A sheet has the columns scan and path, and may have prepared and mask, as the sheet of a study has them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.commands.ensembles import Ensemble
from neurobar.commands.exported import Exported, open_exported
from neurobar.commands.overview_page import write_overview
from neurobar.commands.prediction_page import write_prediction_page, write_refusal
from neurobar.commands.predictions import Prediction, tabulate
from neurobar.commands.prepare_scan import KEPT, prepare_beside
from neurobar.commands.scan_lists import list_scans
from neurobar.data.files import written_whole
from neurobar.data.sheets import check_masks
from neurobar.export.card_parts import write_probability
from neurobar.preprocess.judge_scans import find_reasons
from neurobar.training.devices import choose_device

TABLE, PAGE = "predictions.tsv", "index.html"
#: What an earlier call may have left in the folder of a scan.
WRITTEN = (*KEPT, "prediction.json", "regions.tsv", "index.html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("scans", nargs="+", metavar="SCAN", help="NIfTI file, folder of such, or sheet (.tsv, .csv)")
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="what `neurobar export` wrote")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder for each scan goes in here")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where models compute (auto)")
    parser.add_argument("--cores", type=int, default=count_cores(), help="scans side by side (all)")


def count_cores() -> int:
    """Count the cores that this process may use, as far as the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(args: argparse.Namespace) -> None:
    """Predict all scans and write a folder for each, a table and a page that lists them.

    Parameters
    ----------
    args : argparse.Namespace
        From `add_arguments`.

    Raises
    ------
    ValueError
        If the model is not whole, a scan cannot be found, or no scan could be predicted.
    """
    if args.cores < 1:
        raise ValueError("--cores is 1 or more.")
    exported = open_exported(args.model)
    scans = list_scans(args.scans, output=args.output, taken=(TABLE, PAGE))
    if exported.config["preprocess"]["skull_strip"] == "supplied":
        check_masks("The list of scans", scans)
    # One region may change the probability by less than bfloat16 can tell.
    ensemble = Ensemble(exported, choose_device(device=args.device, threads=args.cores, precision="float32"))
    for name in (TABLE, PAGE):  # of an earlier call: they would list its answers if this one is broken off
        (args.output / name).unlink(missing_ok=True)
    predictions = []
    for answer in predict_each(scans.to_dict("records"), ensemble, args):
        prediction = write_answer(answer, exported)
        print(describe(prediction), flush=True)
        predictions.append(prediction)
    write_table(args.output, tabulate(predictions), exported)
    if all(prediction.models is None for prediction in predictions):
        raise ValueError(f"no scan could be predicted; the first, {predictions[0].scan}: {predictions[0].reason}")


def predict_each(scans: list[dict[str, Any]], ensemble: Ensemble, args: argparse.Namespace) -> Iterator[Prediction]:
    """Prepare scans side by side, and ask the models about each as its turn comes.

    Parameters
    ----------
    scans : list of dict
        Rows of `list_scans`.
    ensemble : Ensemble
    args : argparse.Namespace
        Of the command.

    Yields
    ------
    Prediction
        In the order of the scans.
    """
    settings, device = ensemble.exported.config["preprocess"], ensemble.device.place.type
    told = {"fetched": ensemble.exported.fetched, "settings": settings, "device": device}
    folders = [empty_folder(args.output.absolute() / scan["scan"]) for scan in scans]
    # HD-BET takes all cores, whatever it is told.
    with ThreadPoolExecutor(1 if settings["skull_strip"] == "hd_bet" else args.cores) as pool:
        waiting = [
            pool.submit(prepare_beside, scan, folder=folder, **told)
            for scan, folder in zip(scans, folders, strict=True)
        ]
        try:
            for scan, folder, prepared in zip(scans, folders, waiting, strict=True):
                yield predict_scan(scan, folder, prepared.result(), ensemble)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def empty_folder(folder: Path) -> Path:
    """Make a folder, or remove from it what an earlier call wrote, so that no old answer stands beside a new one.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path
        The same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in WRITTEN:
        (folder / name).unlink(missing_ok=True)
    return folder


def predict_scan(scan: dict[str, Any], folder: Path, failure: str | None, ensemble: Ensemble) -> Prediction:
    """Judge a prepared scan, and ask the models about it where it passes.

    Parameters
    ----------
    scan : dict
        A row of `list_scans`.
    folder : pathlib.Path
        What preprocessing wrote of it.
    failure : str or None
        Why it could not be prepared.
    ensemble : Ensemble

    Returns
    -------
    Prediction
    """
    config = ensemble.exported.config
    about = {"scan": scan["scan"], "path": scan["path"], "folder": folder, "config": config}
    if failure:
        return Prediction(**about, reason=failure)
    if reasons := find_reasons(Prediction(**about).check, config["preprocess"]["limits"]):
        return Prediction(**about, reason=" ".join(reasons))
    try:
        models, regions = ensemble.ask(folder / "volume.nii.gz")
    except (ValueError, OSError, RuntimeError) as error:  # PyTorch's own are runtime errors: no memory, for one
        return Prediction(**about, reason=str(error))
    return Prediction(**about, models=models, regions=regions)


def write_answer(prediction: Prediction, exported: Exported) -> Prediction:
    """Write what is known of a scan; a page that cannot be drawn costs the scan its answer, and no other scan.

    Parameters
    ----------
    prediction : Prediction
    exported : Exported

    Returns
    -------
    Prediction
        The same, or without an answer where there is no page that shows it.
    """
    try:
        write_prediction_page(prediction, exported)
    except Exception as error:  # whatever a drawing stumbles over
        reason = f"{prediction.reason} Its page could not be drawn: {str(error) or type(error).__name__}".strip()
        prediction = replace(prediction, reason=reason, models=None, regions=None)
        write_refusal(prediction, exported)
    prediction.write()
    return prediction


def describe(prediction: Prediction) -> str:
    """Say in one line what came out."""
    if prediction.models is None:
        return f"{prediction.scan}: no probability. {prediction.reason}"
    said, positive = prediction.figures(), prediction.config["classes"]["positive"]
    return (
        f"{prediction.scan}: probability of {positive} {write_probability(said['probability'])}, "
        f"{write_probability(said['lowest'])} to {write_probability(said['highest'])} over {len(prediction.models)} "
        f"models ({prediction.folder / PAGE})"
    )


def write_table(output: Path, table: pd.DataFrame, exported: Exported) -> None:
    """Write the table of all scans and the page that shows it."""
    with written_whole(output / TABLE) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6f", na_rep="n/a")
    write_overview(output / PAGE, table, exported)
