"""Compare the tasks of one table on the test scans that they share."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import combinations

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from neurobar.data.cohorts import part_of_fold, read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.predictions import LEVELS, place_of, read_predictions
from neurobar.evaluate.task_scores import TaskScores, parse_threshold, score_task
from neurobar.metrics.inference import bootstrap_p_value, corrected_t_test, percentile_interval

COUNTS = ("undefined", "undefined_replicates")
BETWEEN = ("task", "reference")
COMPARED = ("difference", "low", "high", *COUNTS, "p_bootstrap", "t", "p_ttest")


def pairs_of(tasks: list[str], reference: str | None) -> list[tuple[str, str]]:
    """List which tasks are compared.

    Parameters
    ----------
    tasks : list of str
    reference : str or None
        The task that all others are compared with; without one, every two tasks.

    Returns
    -------
    list of (task, reference)

    Raises
    ------
    ValueError
        If the reference is none of the tasks.
    """
    if reference is None:
        return [(later, earlier) for earlier, later in combinations(tasks, 2)]
    if reference not in tasks:
        raise ValueError(f"The reference {reference!r} is no task of the table ({', '.join(tasks)}).")
    return [(task, reference) for task in tasks if task != reference]


def test_over_train(folds: pd.DataFrame, trained: pd.DataFrame) -> dict[str, float]:
    """Compare the sizes of the test set and of the training sets.

    Parameters
    ----------
    folds, trained : pandas.DataFrame
        From `read_folds`: where the test set is, and the split with the training sets. They are the same but for a task
        that is applied to an external cohort.

    Returns
    -------
    dict of str to float
        For each of `LEVELS`, the number of test cases over the mean number of training cases of a fold.
    """
    numbers = sorted({*trained["part"]} - {"test"})
    test, training = folds[folds["part"] == "test"], [part_of_fold(trained, int(fold), "train") for fold in numbers]
    return {level: test[level].nunique() / np.mean([part[level].nunique() for part in training]) for level in LEVELS}


def compare_pair(
    task: TaskScores, reference: TaskScores, *, scores: list[str], ratios: dict[str, float]
) -> pd.DataFrame:
    """Compare two tasks fold by fold and draw by draw.

    Parameters
    ----------
    task, reference : TaskScores
    scores : list of str
        Names of the scores to compare.
    ratios : dict of str to float
        From `test_over_train`.

    Returns
    -------
    pandas.DataFrame
        For each level and score: `paired`, False where the scans, labels, folds or seeds of the two differ, so that
        nothing else is known; difference, the mean of task - reference over folds and seeds where both are defined,
        and `undefined`, how many are not; low and high, the 95 % interval when test subjects are drawn anew, and
        `undefined_replicates`, the draws left out; p_bootstrap; t and p_ttest over folds.
    """
    paired = task.tested.equals(reference.tested)
    rows = [
        {"level": level, "score": score, "paired": paired}
        | (_compare_score(task, reference, level, score, ratios[level]) if paired else {})
        for level in LEVELS
        for score in scores
    ]
    return pd.DataFrame(rows, columns=["level", "score", "paired", *COMPARED]).astype(dict.fromkeys(COUNTS, "Int64"))


def _compare_score(
    task: TaskScores, reference: TaskScores, level: str, score: str, ratio: float
) -> dict[str, float | int]:
    ours, theirs = (
        one.table[one.table["level"] == level].set_index(["seed", "fold"])[score] for one in (task, reference)
    )
    differences = ours - theirs
    drawn = (task.replicates[level, score] - reference.replicates[level, score]).mean(axis=0)  # (R,)
    low, high = percentile_interval(drawn)
    t, p_ttest = corrected_t_test(differences.groupby("fold").mean().to_numpy(), test_over_train=ratio)
    return {
        "difference": differences.mean(),
        "low": low,
        "high": high,
        "undefined": int(differences.isna().sum()),
        "undefined_replicates": int(np.isnan(drawn).sum()),
        "p_bootstrap": bootstrap_p_value(drawn),
        "t": t,
        "p_ttest": p_ttest,
    }


def correct_for_many(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Correct p values for the number of pairs in the table, within each level and score.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        From `compare_pair`, of all pairs.

    Returns
    -------
    pandas.DataFrame
        With `p_bootstrap_holm` and `p_ttest_holm`; undefined p values stay so and do not count.

    Notes
    -----
    Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    corrected = comparisons.copy()
    for test in ("p_bootstrap", "p_ttest"):
        corrected[f"{test}_holm"] = np.nan
        for _, p in corrected[test].dropna().groupby([corrected["level"], corrected["score"]]):
            corrected.loc[p.index, f"{test}_holm"] = multipletests(p, method="holm")[1]
    return corrected


def compare(args: argparse.Namespace) -> pd.DataFrame:
    """Compare all pairs of a table, and print which cannot be compared."""
    predictions = read_predictions(args.predictions)
    # In the order in which they are given, that of the table.
    tasks = list(dict.fromkeys(place_of(path)[0] for path in args.predictions))
    splits = zip(tasks, args.folds, args.trained, strict=True)
    ratios = {task: test_over_train(read_folds(folds), read_folds(trained)) for task, folds, trained in splits}
    pairs = pairs_of(tasks, args.reference)
    scored = {
        task: score_task(rows, threshold=args.threshold, **args.bootstrap) for task, rows in predictions.groupby("task")
    }
    compared = []
    for task, reference in pairs:
        pair = compare_pair(scored[task], scored[reference], scores=args.scores, ratios=ratios[task])
        compared.append(pair.assign(task=task, reference=reference))
        if not pair["paired"].all():
            print(f"{task} and {reference} were tested on different scans or labels: the pair is not compared.")
    table = pd.concat(compared) if compared else pd.DataFrame(columns=["level", "score", "paired", *COMPARED, *BETWEEN])
    table = correct_for_many(table.sort_values(["level", "score"], kind="stable", ignore_index=True))
    return table[["level", "score", *BETWEEN, *table.columns.drop(["level", "score", *BETWEEN])]]


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", nargs="+", required=True, help="tables of all tasks, folds and seeds, in order, TSV"
    )
    parser.add_argument("--folds", nargs="+", required=True, help="test scans of each task, in order, TSV")
    parser.add_argument(
        "--trained", nargs="+", required=True, help="split that each task was trained in, in order, TSV"
    )
    parser.add_argument("--reference", nargs="?", help="the task that all others are compared with; none: all pairs")
    parser.add_argument("--scores", nargs="+", required=True, help="scores to compare")
    parser.add_argument("--threshold", type=parse_threshold, required=True, help="a probability, or: selected")
    parser.add_argument("--bootstrap", type=json.loads, required=True, help="the config's bootstrap, JSON")
    parser.add_argument("--differences", required=True, help="difference of each pair and score, TSV (output)")
    args = parser.parse_args(argv)
    try:
        table = compare(args)
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.differences) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6f", na_rep="n/a")
    print(table.to_string(index=False, float_format="%.4f", na_rep="undefined"))


if __name__ == "__main__":
    call_command(main)
