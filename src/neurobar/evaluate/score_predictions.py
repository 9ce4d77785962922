"""Score the predictions of one task on the test set, for each fold and seed, and say how sure the means are."""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.predictions import read_predictions
from neurobar.evaluate.task_scores import TaskScores, parse_threshold, score_task
from neurobar.metrics.inference import percentile_interval


def summarise(scores: TaskScores) -> pd.DataFrame:
    """Summarise the scores of a task over its folds and seeds.

    Parameters
    ----------
    scores : TaskScores

    Returns
    -------
    pandas.DataFrame
        For each level and score: number of folds and seeds; mean and sd (n - 1 in the denominator) over those folds
        and seeds where it is defined, and `undefined`, how many are not; low and high, the 95 % interval of the mean
        over all folds and seeds when test subjects are drawn anew; `undefined_replicates` of the `replicates` drawn
        were left out, because the score is undefined in some fold or seed.
    """
    rows = []
    for (level, score), replicates in scores.replicates.items():
        table = scores.table[scores.table["level"] == level]
        means = replicates.mean(axis=0)  # (R,)
        low, high = percentile_interval(means)
        row = {"level": level, "score": score, "folds": table["fold"].nunique(), "seeds": table["seed"].nunique()}
        row |= {"mean": table[score].mean(), "sd": table[score].std(), "low": low, "high": high}
        row |= {"undefined": table[score].isna().sum(), "undefined_replicates": np.isnan(means).sum()}
        rows.append(row | {"replicates": len(means)})
    return pd.DataFrame(rows)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", nargs="+", required=True, help="tables of all folds and seeds of the task, TSV"
    )
    parser.add_argument("--threshold", type=parse_threshold, required=True, help="a probability, or: selected")
    parser.add_argument("--bootstrap", type=json.loads, required=True, help="the config's bootstrap, JSON")
    parser.add_argument("--scores", required=True, help="scores of each level, fold and seed, TSV (output)")
    parser.add_argument("--summary", required=True, help="mean, spread and interval of each score, TSV (output)")
    args = parser.parse_args(argv)
    try:
        scores = score_task(read_predictions(args.predictions), threshold=args.threshold, **args.bootstrap)
    except ValueError as error:
        sys.exit(str(error))
    summary = summarise(scores)
    for path, table in {args.scores: scores.table, args.summary: summary}.items():
        with written_whole(path) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.6f", na_rep="n/a")
    print(summary.to_string(index=False, float_format="%.4f", na_rep="undefined"))


if __name__ == "__main__":
    call_command(main)
