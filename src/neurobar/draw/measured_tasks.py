"""What the figures of one task show: its curves, its errors and its calibration on the test set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from neurobar.metrics.classification import best_threshold, bins_of, classification_scores

#: False positive rates and recalls at which the curves of folds are averaged.
RATES = np.linspace(0, 1, 101)
RECALLS = np.linspace(0.01, 1, 100)


@dataclass(frozen=True)
class MeasuredTask:
    """One task on its test scans, in J folds and seeds.

    Attributes
    ----------
    name : str
        For readers.
    jobs : pandas.DataFrame
        Columns seed, fold and the scores of `classification_scores`; NaN where undefined. J rows.
    hits : float (J', G)
        True positive rate at each of `RATES`, in the J' folds and seeds whose test set has both classes.
    precisions : float (J'', G)
        Precision at each of `RECALLS`, in those whose test set has a positive scan.
    share : float
        Part of the test scans that are positive [0..1], which is the precision of chance.
    confusion : float (2, 2)
        Mean number of test scans over folds and seeds: true class in rows, predicted class in columns.
    bins : pandas.DataFrame
        From `bin_predictions`, over all folds and seeds together.
    """

    name: str
    jobs: pd.DataFrame
    hits: np.ndarray
    precisions: np.ndarray
    share: float
    confusion: np.ndarray
    bins: pd.DataFrame


def trace_hits(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Follow the ROC curve.

    Parameters
    ----------
    label : int (n,)
        0 or 1; both occur.
    probability : float (n,)
        Predicted probability of class 1.

    Returns
    -------
    float (G,)
        True positive rate at each of `RATES`, the highest where the curve rises.

    Notes
    -----
    Source: Fawcett, Pattern Recognition Letters 27, 2006, algorithm 3 (vertical averaging).
    """
    false, true, _ = roc_curve(label, probability)
    return np.interp(RATES, false, true)


def trace_precision(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Follow the precision-recall curve, in steps: what lies between two points of it cannot be reached.

    Parameters
    ----------
    label : int (n,)
        0 or 1; 1 occurs.
    probability : float (n,)
        Predicted probability of class 1.

    Returns
    -------
    float (G,)
        Precision at the highest threshold that reaches each of `RECALLS`; its mean is near the average precision.

    Notes
    -----
    Source: Davis and Goadrich, ICML 2006, on why straight lines between the points would be wrong.
    """
    precision, recall, _ = precision_recall_curve(label, probability)
    # Rounded, since 0.29 as a step of the grid and as 29 of 100 cases may differ in their last digits.
    reached = np.searchsorted(recall[::-1].round(9), RECALLS.round(9))
    return precision[::-1][reached]


def bin_predictions(label: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Compare predicted probabilities with what was observed.

    Parameters
    ----------
    label : int (n,)
        0 or 1.
    probability : float (n,)
        Predicted probability of class 1.

    Returns
    -------
    pandas.DataFrame
        One row for each bin of the calibration error that holds a prediction: bin, count, the mean predicted
        probability, and observed, the share of positive cases.
    """
    table = pd.DataFrame({"bin": bins_of(probability), "predicted": probability, "observed": label})
    groups = table.groupby("bin", as_index=False)
    return groups.agg(count=("observed", "size"), predicted=("predicted", "mean"), observed=("observed", "mean"))


def measure_task(predictions: pd.DataFrame, *, name: str, threshold: str) -> MeasuredTask:
    """Measure a task, scan by scan.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Rows of one task from `read_predictions`.
    name : str
        For readers.
    threshold : str
        Probability from which a scan counts as positive, or `selected`: the one of the best balanced accuracy on the
        part `select` of the same fold and seed.

    Returns
    -------
    MeasuredTask

    Raises
    ------
    ValueError
        If the predictions cannot be scored or a threshold cannot be chosen.
    """
    jobs, hits, precisions, confusion = [], [], [], np.zeros((2, 2))
    groups = predictions.groupby(["seed", "fold"])
    for (seed, fold), cases in groups:
        parts = {part: _columns(cases[cases["part"] == part]) for part in ("select", "test")}
        cut = best_threshold(**parts["select"]) if threshold == "selected" else float(threshold)
        scores = classification_scores(**parts["test"], threshold=cut)
        jobs.append({"seed": seed, "fold": fold, **scores})
        label, probability = parts["test"].values()
        hits += [trace_hits(label, probability)] if 0 < label.mean() < 1 else []
        precisions += [trace_precision(label, probability)] if label.any() else []
        np.add.at(confusion, (label, (probability >= cut).astype(int)), 1 / len(groups))
    label, probability = _columns(predictions[predictions["part"] == "test"]).values()
    return MeasuredTask(
        name=name,
        jobs=pd.DataFrame(jobs),
        hits=np.array(hits).reshape(-1, len(RATES)),
        precisions=np.array(precisions).reshape(-1, len(RECALLS)),
        share=float(label.mean()),
        confusion=confusion,
        bins=bin_predictions(label, probability),
    )


def spread(values: pd.Series) -> str:
    """Write the mean of a score and its standard deviation over folds and seeds.

    Parameters
    ----------
    values : pandas.Series of float
        [0..1]; NaN where undefined, these are left out.

    Returns
    -------
    str
        In the words of a legend; `undefined` where no value is left.
    """
    if values.isna().all():
        return "undefined"
    undefined = int(values.isna().sum())
    sd = f" ± {values.std():.2f}" if values.count() > 1 else ""
    return f"{values.mean():.2f}{sd}" + (f" (undefined in {undefined})" if undefined else "")


def _columns(cases: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: cases[name].to_numpy() for name in ("label", "probability")}
