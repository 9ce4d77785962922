"""Score an explanation by whether it finds the regions that the disease of a simulated cohort took from."""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.explain.region_means import MEASURES, read_explanations, resample_means
from neurobar.metrics.inference import percentile_interval
from neurobar.metrics.rankings import precision_at, rank_correlation

FIRST = 10  # regions of which the precision is asked


def align_truth(losses: pd.DataFrame, regions: pd.Series) -> pd.DataFrame:
    """Bring the true losses into the order of the explanation.

    Parameters
    ----------
    losses : pandas.DataFrame
        From `measure_losses`: region, planned and measured.
    regions : pandas.Series of str

    Returns
    -------
    pandas.DataFrame
        One row for each region: planned, measured, and `atrophied`, True where more was planned to be lost than
        anywhere: what a region loses by chance in a small cohort is as much as the least affected were planned to lose.

    Raises
    ------
    ValueError
        If a region has no truth.
    """
    unknown = sorted({*regions} - {*losses["region"]})
    if unknown:
        raise ValueError(f"The truth knows no region {unknown[0]!r}; is it of another atlas?")
    truth = losses.set_index("region").loc[regions]
    return truth.assign(atrophied=truth["planned"] > truth["planned"].min())


def score(explanations: pd.DataFrame, losses: pd.DataFrame, bootstrap: dict[str, int]) -> pd.DataFrame:
    """Score the mean explanation of the scans of class 1.

    Parameters
    ----------
    explanations : pandas.DataFrame
        From `read_explanations`.
    losses : pandas.DataFrame
        From `measure_losses`.
    bootstrap : dict
        `replicates` and `seed`.

    Returns
    -------
    pandas.DataFrame
        For each measure, the precision among its ten highest regions, of those that were planned to be atrophied, and
        its rank correlation with the measured loss: measure, score, value, its 95 % interval low and high when test
        subjects are drawn anew, what chance gives, the best possible, and the number of regions, atrophied ones,
        subjects and scans.

    Raises
    ------
    ValueError
        If there is no scan of class 1, or the truth is of other regions.
    """
    positive = explanations[explanations["label"] == 1]
    if positive.empty:
        raise ValueError("No test scan is of class 1, so there is no atrophy to find.")
    truth = align_truth(losses, pd.Series(positive["region"].unique()))
    atrophied = truth["atrophied"].to_numpy()
    counts = {"regions": len(truth), "atrophied": atrophied.sum()}
    counts |= {"subjects": positive["subject"].nunique(), "scans": positive["scan"].nunique()}
    limits = {"chance": atrophied.mean(), "best": min(atrophied.sum(), FIRST) / FIRST}
    rows = []
    for measure in MEASURES:
        means = resample_means(positive, measure, **bootstrap).to_numpy()  # (R + 1, K)
        precision = precision_at(values=means, relevant=atrophied, count=FIRST)
        correlation = rank_correlation(values=means, truth=truth["measured"].to_numpy())
        rows += [
            {"measure": measure, "score": f"precision_at_{FIRST}", **_interval(precision), **limits, **counts},
            {"measure": measure, "score": "rank_correlation", **_interval(correlation), "chance": 0, "best": 1}
            | counts,
        ]
    return pd.DataFrame(rows)


def _interval(values: np.ndarray) -> dict[str, float]:
    low, high = percentile_interval(values[1:])
    return {"value": values[0], "low": low, "high": high}


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--explanations", nargs="+", required=True, help="tables of all folds and seeds, TSV")
    parser.add_argument("--losses", required=True, help="what the disease took from each region, TSV")
    parser.add_argument("--bootstrap", type=json.loads, required=True, help="the config's bootstrap, JSON")
    parser.add_argument("--scores", required=True, help="scores of the explanation, TSV (output)")
    args = parser.parse_args(argv)
    try:
        table = score(read_explanations(args.explanations), pd.read_csv(args.losses, sep="\t"), args.bootstrap)
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.scores) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g", na_rep="n/a")


if __name__ == "__main__":
    call_command(main)
