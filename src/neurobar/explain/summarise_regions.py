"""Summarise the explanations of one task: what its predictions owe to each region in the whole cohort."""

from __future__ import annotations

import argparse
import json

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.explain.region_means import MEASURES, read_explanations, resample_means
from neurobar.metrics.inference import percentile_interval


def summarise_group(explanations: pd.DataFrame, *, replicates: int, seed: int) -> pd.DataFrame:
    """Summarise some scans.

    Parameters
    ----------
    explanations : pandas.DataFrame
        From `read_explanations`, at least one scan.
    replicates : int
        Draws of the subjects.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row for each region: region, subjects and scans (their number), and for each measure its rank (1 has the
        highest mean; `change_rank`, ...), its mean (`change`) and the 95 % interval of that (`change_low`,
        `change_high`) when subjects are drawn anew.
    """
    counts = {"subjects": explanations["subject"].nunique(), "scans": explanations["scan"].nunique()}
    summary = pd.DataFrame({"region": explanations["region"].unique(), **counts})
    for measure in MEASURES:
        means = resample_means(explanations, measure, replicates=replicates, seed=seed).to_numpy()  # (R + 1, K)
        intervals = [percentile_interval(drawn) for drawn in means[1:].T]
        summary[f"{measure}_rank"] = (-pd.Series(means[0])).rank(method="first").astype(int)
        summary[measure] = means[0]
        summary[[f"{measure}_low", f"{measure}_high"]] = intervals
    return summary.sort_values("change_rank", ignore_index=True)


def summarise(explanations: pd.DataFrame, bootstrap: dict[str, int]) -> pd.DataFrame:
    """Summarise the scans of class 1, and all scans.

    Parameters
    ----------
    explanations : pandas.DataFrame
        From `read_explanations`.
    bootstrap : dict
        `replicates` and `seed`.

    Returns
    -------
    pandas.DataFrame
        The column group (positive, then all) and those of `summarise_group`, by rank; a group without scans is absent.
    """
    groups = {"positive": explanations[explanations["label"] == 1], "all": explanations}
    summaries = [
        summarise_group(scans, **bootstrap).assign(group=group) for group, scans in groups.items() if len(scans)
    ]
    table = pd.concat(summaries, ignore_index=True)
    return table[["group", *table.columns.drop("group")]]


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--explanations", nargs="+", required=True, help="tables of all folds and seeds, TSV")
    parser.add_argument("--bootstrap", type=json.loads, required=True, help="the config's bootstrap, JSON")
    parser.add_argument("--regions", required=True, help="what the cohort owes to each region, TSV (output)")
    args = parser.parse_args(argv)
    table = summarise(read_explanations(args.explanations), args.bootstrap)
    with written_whole(args.regions) as partial:
        table.to_csv(partial, sep="\t", index=False, float_format="%.6g", na_rep="n/a")


if __name__ == "__main__":
    call_command(main)
