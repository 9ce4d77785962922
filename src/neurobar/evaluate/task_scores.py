"""All scores of one task: of each fold and seed, and of each draw of its test subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurobar.data.predictions import predictions_by_level
from neurobar.metrics.classification import best_threshold, classification_scores
from neurobar.metrics.inference import draw_counts
from neurobar.metrics.replicates import replicate_scores

#: The word for a threshold that each fold chooses on the scans that select its model.
SELECTED = "selected"


@dataclass(frozen=True)
class TaskScores:
    """Scores of one task on its test set.

    Attributes
    ----------
    table : pandas.DataFrame
        Columns level, seed, fold, subjects, scans, threshold and the scores; NaN where undefined.
    replicates : dict of (str, str) to float (J, R)
        For each level and score, its value in each fold and seed, in the order of `table`, and draw of subjects.
    tested : pandas.DataFrame
        Columns seed, fold, subject, scan and label of what was tested.
    """

    table: pd.DataFrame
    replicates: dict[tuple[str, str], np.ndarray]
    tested: pd.DataFrame


def parse_threshold(text: str) -> float | str:
    """Read a threshold: a probability, or the word for one that is chosen.

    Parameters
    ----------
    text : str

    Returns
    -------
    float or str

    Raises
    ------
    ValueError
        If it is neither a number nor that word.
    """
    return text if text == SELECTED else float(text)


def score_task(predictions: pd.DataFrame, *, threshold: float | str, replicates: int, seed: int) -> TaskScores:
    """Score a task in every fold and seed, by scan and by subject, as it is and for many draws of its test subjects.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Rows of one task from `read_predictions`.
    threshold : float or str
        Probability from which a case counts as positive, or `selected`: the best one on the part `select` of the
        same fold, seed and level.
    replicates : int
        Draws R of the test subjects; all folds, seeds and levels see the same.
    seed : int
        Of the draws.

    Returns
    -------
    TaskScores

    Raises
    ------
    ValueError
        If the predictions cannot be scored or a threshold cannot be chosen.
    """
    tested = predictions[predictions["part"] == "test"]
    subjects = np.unique(tested["subject"].to_numpy(object))
    draws = draw_counts(subjects=len(subjects), replicates=replicates, seed=seed)
    rows, drawn = [], {}
    for level, cases in predictions_by_level(predictions).items():
        for (job_seed, fold), job in cases.groupby(["seed", "fold"]):
            test = job[job["part"] == "test"]
            cut = _cut(job[job["part"] == "select"]) if threshold == SELECTED else threshold
            scored = _columns(test) | {"threshold": cut}
            counts = {"subjects": test["subject"].nunique(), "scans": test["scans"].sum()}
            scores = classification_scores(**scored)
            rows.append({"level": level, "seed": job_seed, "fold": fold, **counts, "threshold": cut, **scores})
            weights = draws[:, np.searchsorted(subjects, test["subject"].to_numpy(object))]
            for score, values in replicate_scores(**scored, weights=weights).items():
                drawn.setdefault((level, score), []).append(values)
    tested = tested[["seed", "fold", "subject", "scan", "label"]].reset_index(drop=True)
    return TaskScores(pd.DataFrame(rows), {key: np.stack(values) for key, values in drawn.items()}, tested)


def _cut(selecting: pd.DataFrame) -> float:
    return best_threshold(**_columns(selecting))


def _columns(cases: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: cases[name].to_numpy() for name in ("label", "probability")}
