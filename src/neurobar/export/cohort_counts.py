"""What may be told of a cohort: counts and means, no names."""

from __future__ import annotations

from typing import Any

import pandas as pd

UNKNOWN = "unknown"


def count_part(part: pd.DataFrame, classes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Count the scans and subjects of each class in one part of a cohort.

    Parameters
    ----------
    part : pandas.DataFrame
        Rows of the split: subject, label, age [years] and sex.
    classes : dict
        Names of the two: `negative` (label 0) and `positive` (label 1).

    Returns
    -------
    dict of str to dict
        For each class its number of scans and of subjects, `age_mean` and `age_sd` over subjects [years], None where
        unknown, and the number of subjects of each sex. A subject with scans of both classes counts in both.
    """
    counts = {}
    for label, name in enumerate((classes["negative"], classes["positive"])):
        scans = part[part["label"] == label]
        subjects = scans.groupby("subject").agg(age=("age", "mean"), sex=("sex", "first"))
        sexes = subjects["sex"].fillna(UNKNOWN).value_counts().sort_index()
        counts[str(name)] = {
            "scans": len(scans),
            "subjects": len(subjects),
            "age_mean": _rounded(subjects["age"].mean()),
            "age_sd": _rounded(subjects["age"].std()),
            "sex": {str(sex): int(number) for sex, number in sexes.items()},
        }
    return counts


def count_cohort(folds: pd.DataFrame, classes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Count who trained and selected the models, and who tested them.

    Parameters
    ----------
    folds : pandas.DataFrame
        From `read_folds`.
    classes : dict
        As for `count_part`.

    Returns
    -------
    dict of str to dict
        `development` and `test`, each as `count_part` has it.
    """
    is_test = folds["part"] == "test"
    return {"development": count_part(folds[~is_test], classes), "test": count_part(folds[is_test], classes)}


def _rounded(years: float) -> float | None:
    return None if pd.isna(years) else round(float(years), 1)
