"""Scores of what an exported model answers: the mean probability of all folds and seeds."""

from __future__ import annotations

import pandas as pd

from neurobar.metrics.classification import classification_scores
from neurobar.metrics.inference import draw_counts, percentile_interval
from neurobar.metrics.replicates import replicate_scores

#: What a row of the scores is about: single models, as the study's tables have it, or the mean of their probabilities.
SINGLE, MEAN = "single models", "mean of the models"


def score_mean(predictions: pd.DataFrame, *, threshold: float, replicates: int, seed: int) -> pd.DataFrame:
    """Score the mean probability of all models on the test set, by scan.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `read_predictions`, one task.
    threshold : float
        Probability from which a scan counts as positive.
    replicates : int
        Draws of the test subjects.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        Columns of (`MEAN`), score, mean (its value), and its 95 % interval low and high when test subjects are drawn
        anew.

    Raises
    ------
    ValueError
        If the predictions cannot be scored.
    """
    tested = predictions[predictions["part"] == "test"]
    scans = tested.groupby(["subject", "scan", "label"], as_index=False)["probability"].mean()
    places, subjects = pd.factorize(scans["subject"])
    weights = draw_counts(subjects=len(subjects), replicates=replicates, seed=seed)[:, places]
    scored = {name: scans[name].to_numpy() for name in ("label", "probability")} | {"threshold": threshold}
    drawn = replicate_scores(**scored, weights=weights)
    rows = []
    for score, value in classification_scores(**scored).items():
        low, high = percentile_interval(drawn[score])
        rows.append({"of": MEAN, "score": score, "mean": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def join_scores(summary: pd.DataFrame, of_mean: pd.DataFrame) -> pd.DataFrame:
    """Lay the scores of single models and of their mean under one another.

    Parameters
    ----------
    summary : pandas.DataFrame
        The task's summary of `score_predictions`.
    of_mean : pandas.DataFrame
        From `score_mean`.

    Returns
    -------
    pandas.DataFrame
        Columns of, score, mean, sd (over folds and seeds; none for the mean of the models), low and high.
    """
    single = summary[summary["level"] == "scan"].assign(of=SINGLE)
    return pd.concat([single, of_mean])[["of", "score", "mean", "sd", "low", "high"]].reset_index(drop=True)
