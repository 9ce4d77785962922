"""Captions: what is compared, on whom, and what the figures mean."""

from __future__ import annotations

from typing import Any

import pandas as pd

PAPER = "Paper: Seyfioglu et al., MICCAI 2022, AD against CN on ADNI."
WORKS = "the figures show that the pipeline works, not how well it detects a disease."
SIMULATED = f"These subjects are simulated: {WORKS}"
TAUGHT = f"The models learned from simulated subjects: {WORKS}"
UNDEFINED = "Undefined: the score divides by zero there; a mean is then over the other folds and has no interval."
FEW = "So few test subjects make it too short: of 8 subjects it holds the truth in 87 % of samples, of 60 in 94 %."
ENOUGH = 60  # test subjects from which an interval is about as long as it should be
OTHER_SPLITS = "Counts are those of the first row of each cohort; other rows have splits of their own."
SELECTED = "at the threshold of the best balanced accuracy on the fold that selects the model"


def describe_figures(summary: pd.DataFrame, *, threshold: str) -> str:
    """Say what a figure of the table is.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns folds, seeds and replicates.
    threshold : str
        A probability, or `selected`.

    Returns
    -------
    str
    """
    seeds = summary["seeds"].max()
    positive = SELECTED if threshold == "selected" else f"positive from a probability of {float(threshold):g}"
    return (
        f"mean ± standard deviation over {summary['folds'].max()} folds{f' and {seeds} seeds' if seeds > 1 else ''} "
        "and 95 % interval of the mean, "
        f"scored by scan, {positive}. The interval is from {summary['replicates'].max()} draws of the test subjects; "
        "it does not cover the chance of training."
    )


def describe_classes(cohort: dict[str, Any]) -> str:
    """Say what is predicted.

    Parameters
    ----------
    cohort : dict
        Column of the label and its classes: label, positive and negative.

    Returns
    -------
    str
    """
    return f"{cohort['label']}, {cohort['positive']} (positive) against {cohort['negative']}"


def describe_cohort(folds: pd.DataFrame, packed: pd.DataFrame, *, study: str) -> str:
    """Count the scans and subjects of the study, or of an external cohort.

    Parameters
    ----------
    folds : pandas.DataFrame
        The split; of an external cohort all scans are the test set.
    packed : pandas.DataFrame
        Table of the packed cohort.
    study : str
        Name of the cohort.

    Returns
    -------
    str
    """
    test, rest = folds[folds["part"] == "test"], folds[folds["part"] != "test"]
    left_out = int((~packed["used"]).sum())
    kept = int((packed["used"] & packed["reason"].notna()).sum())
    learned = f"{len(rest)} scans of {rest['subject'].nunique()} subjects to train and select"
    return (
        f"Cohort: {study}; test set of {len(test)} scans of {test['subject'].nunique()} subjects, "
        f"{learned if len(rest) else 'none of whom was trained on'}; "
        f"{left_out} scans left out by their checks or by name"
        f"{f', {kept} kept by name although a check failed' if kept else ''}."
    )


def describe_apart(differences: pd.DataFrame, names: dict[str, str]) -> str:
    """Say which pairs of rows are not compared.

    Parameters
    ----------
    differences : pandas.DataFrame
        All pairs, as `compare_tasks` wrote them.
    names : dict of str to str
        For each task its name for readers.

    Returns
    -------
    str
        Empty where all pairs are.
    """
    apart = differences.loc[~differences["paired"], ["task", "reference"]].drop_duplicates()
    pairs = "; ".join(f"{names[task]} and {names[reference]}" for task, reference in apart.itertuples(index=False))
    return f"Not compared, for want of the same test scans and labels: {pairs}." if pairs else ""


def describe_differences(differences: pd.DataFrame, names: dict[str, str]) -> str:
    """Say what a difference of the table is, and which pairs have none.

    Parameters
    ----------
    differences : pandas.DataFrame
        All pairs, as `compare_tasks` wrote them.
    names : dict of str to str
        For each task its name for readers.

    Returns
    -------
    str
    """
    return (
        "Paired differences [percentage points]: method less the one it is compared with, on the same test scans; mean "
        "over folds and 95 % interval from the same draws of the test subjects. p: two-sided, corrected for the number "
        "of pairs (Holm), from the draws, and from the corrected resampled t-test over folds (Nadeau and Bengio 2003), "
        "which does not cover the choice of test subjects, the same in all folds. " + describe_apart(differences, names)
    ).strip()
