"""Draw the curves, confusion and calibration of each row of a table, and the differences between rows."""

from __future__ import annotations

import argparse
import json
import sys

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.endings import call_command
from neurobar.data.predictions import read_predictions
from neurobar.data.studies import name_tasks
from neurobar.draw.cases import draw_calibration, draw_confusion
from neurobar.draw.curves import draw_curves
from neurobar.draw.differences import NONE_PAIRED, NONE_ROW, draw_differences, paired_differences
from neurobar.draw.measured_tasks import MeasuredTask, measure_task
from neurobar.draw.sentences import count_jobs, count_scans, name_study
from neurobar.figures.style import save_figures

MODELS = ", by models of simulated subjects"
OTHER_SPLITS = " Counts are those of the first row of each cohort; other rows have splits of their own."
DIFFERENCES = (
    "difference by scan and 95 % interval from draws of the test subjects; p after Holm, from these draws and from the "
    "corrected t-test over folds"
)
SELECTED = "at the threshold of the best balanced accuracy on the fold that selects the model"


def measure_tasks(predictions: pd.DataFrame, names: dict[str, str], threshold: str) -> list[MeasuredTask]:
    """Measure the tasks of a table.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `read_predictions`.
    names : dict of str to str
        For each task its name for readers, in the order of the table.
    threshold : str
        A probability, or `selected`.

    Returns
    -------
    list of MeasuredTask
        In the order of the table.

    Raises
    ------
    ValueError
        If a task cannot be measured.
    """
    tasks = dict(list(predictions.groupby("task")))
    return [measure_task(tasks[task], name=name, threshold=threshold) for task, name in names.items()]


def describe_tests(cohorts: list[dict[str, str]], folds: list[str], *, is_simulated: bool) -> str:
    """Say on whom the rows of a table were tested, once for each cohort, as its first row has it.

    Parameters
    ----------
    cohorts : list of dict
        `study`, the name of the cohort, for each row.
    folds : list of path
        For each row the file with its test scans.
    is_simulated : bool
        True where the subjects of the study are; an external cohort has no scan but test scans.

    Returns
    -------
    str
    """
    first = {cohort["study"]: path for cohort, path in reversed(list(zip(cohorts, folds, strict=True)))}
    told = []
    for study in dict.fromkeys(cohort["study"] for cohort in cohorts):
        split = read_folds(first[study])
        test = split[split["part"] == "test"]
        is_own = len(test) < len(split)
        name = name_study({"study": study, "simulated": is_simulated and is_own})
        models = MODELS if is_simulated and not is_own else ""
        told.append(f"{name}, test set of {count_scans(test)}{models}")
    return "; ".join(told) + "." + (OTHER_SPLITS if len({*folds}) > len(told) else "")


def write_captions(args: argparse.Namespace, jobs: pd.DataFrame, *, is_paired: bool) -> dict[str, str]:
    """Write the captions of the four figures.

    Parameters
    ----------
    args : argparse.Namespace
        Of this command.
    jobs : pandas.DataFrame
        Folds and seeds of one row.
    is_paired : bool
        True where there is a difference to draw.

    Returns
    -------
    dict of str to str
    """
    tested = describe_tests(args.cohorts, args.folds, is_simulated=args.simulated)
    cut = SELECTED if args.threshold == "selected" else f"from a probability of {float(args.threshold):g}"
    # A cohort from elsewhere may call the class otherwise.
    positive = " or ".join(dict.fromkeys(str(cohort["positive"]) for cohort in args.cohorts))
    over = count_jobs(jobs)
    said = {
        "curves": f"ROC and precision-recall curves for {positive}, by scan, mean over {over} and band of ± 1 standard "
        "deviation; area (AUC) and average precision (AP) ± standard deviation; dotted: chance",
        "confusion": f"test scans by true and predicted class, {positive} {cut}, as mean number over {over} and "
        "percentage of the true class",
        "calibration": f"share of {positive} scans against their predicted probability in ten bins, predictions of "
        f"{over} together; grey bars and larger points: more of the predictions in a bin; calibration error (ECE) and "
        "Brier score ± standard deviation; dotted: perfect",
        "differences": DIFFERENCES if is_paired else "no paired difference",
    }
    return {figure: f"{args.table['caption']}: {words}; {tested}" for figure, words in said.items()}


def draw(args: argparse.Namespace) -> None:
    """Read, measure, draw and write."""
    names = name_tasks(args.table["rows"])
    tasks = measure_tasks(read_predictions(args.predictions), names, args.threshold)
    reference = args.table.get("reference")
    rows = paired_differences(pd.read_csv(args.differences, sep="\t"), names, reference)
    otherwise = NONE_ROW if len(names) == 1 else NONE_PAIRED
    classes = [(cohort["negative"], cohort["positive"]) for cohort in args.cohorts]
    figures = {
        "curves": draw_curves(tasks),
        "confusion": draw_confusion(tasks, classes),
        "calibration": draw_calibration(tasks),
        "differences": draw_differences(rows, names.get(reference), otherwise),
    }
    captions = write_captions(args, tasks[0].jobs, is_paired=len(rows) > 0)
    save_figures({name: (figure, captions[name]) for name, figure in figures.items()}, args.figures, args.captions)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", nargs="+", required=True, help="of all tasks, folds and seeds, in order, TSV")
    parser.add_argument("--folds", nargs="+", required=True, help="test scans of each task, in order, TSV")
    parser.add_argument("--differences", required=True, help="paired differences of the table's tasks, TSV")
    parser.add_argument("--table", type=json.loads, required=True, help="the config's table, JSON")
    parser.add_argument("--threshold", required=True, help="a probability, or: selected")
    parser.add_argument("--cohorts", type=json.loads, required=True, help="name and classes of each row's cohort, JSON")
    parser.add_argument("--simulated", action="store_true", help="say that the study's subjects are simulated")
    parser.add_argument("--figures", required=True, help="folder of the figures (output)")
    parser.add_argument("--captions", required=True, help="their captions, TSV (output)")
    try:
        draw(parser.parse_args(argv))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    call_command(main)
