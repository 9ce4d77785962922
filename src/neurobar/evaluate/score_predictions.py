"""Score the predictions of one task on the test set, for each fold and seed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

import pandas as pd

from neurobar.data.files import written_whole
from neurobar.metrics.classification import threshold_scores

PLACE = re.compile(r"/fold-(\d+)/seed-(\d+)/")


def score(predictions: dict[str, pd.DataFrame], *, threshold: float) -> pd.DataFrame:
    """Score each fold and seed.

    Parameters
    ----------
    predictions : dict of str to pandas.DataFrame
        For each path, which tells fold and seed, the columns subject, part, label and probability.
    threshold : float
        Probability from which a scan counts as positive.

    Returns
    -------
    pandas.DataFrame
        Columns fold, seed, subjects, scans and the scores on the test set [0..1]; undefined scores are missing.
    """
    rows = []
    for path, table in predictions.items():
        fold, seed = map(int, PLACE.search(path).groups())
        test = table[table["part"] == "test"]
        scores = threshold_scores(
            label=test["label"].to_numpy(), probability=test["probability"].to_numpy(), threshold=threshold
        )
        rows.append({"fold": fold, "seed": seed, "subjects": test["subject"].nunique(), "scans": len(test), **scores})
    return pd.DataFrame(rows).sort_values(["seed", "fold"], ignore_index=True)


def read_predictions(paths: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Read the tables of `predict_scans`, by their paths."""
    return {path: pd.read_csv(path, sep="\t", dtype={"scan": str, "subject": str}) for path in paths}


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", nargs="+", required=True, help="tables of all folds and seeds of the task, TSV"
    )
    parser.add_argument("--threshold", type=float, required=True, help="probability that counts as positive")
    parser.add_argument("--scores", required=True, help="scores of each fold and seed, TSV (output)")
    args = parser.parse_args(argv)
    scores = score(read_predictions(args.predictions), threshold=args.threshold)
    with written_whole(args.scores) as partial:
        scores.to_csv(partial, sep="\t", index=False, float_format="%.6f", na_rep="n/a")


if __name__ == "__main__":
    main()
