"""What may be told of a cohort: counts and means, no names."""

from __future__ import annotations

from typing import Any

import pandas as pd

#: Subjects of whom a mean or a count of sexes may be handed on; that of fewer would show too much of each.
FEWEST = 5
#: Sexes by the words of sheets, in small letters.
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
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
        For each class its number of scans and of subjects; `age_mean` and `age_sd` over subjects [years], None where
        they are known of fewer than `FEWEST`; and the number of subjects of each `sex` (F, M or unknown), empty where
        there are fewer than `FEWEST` subjects. A subject with scans of both classes counts in both.
    """
    counts = {}
    for label, name in enumerate((classes["negative"], classes["positive"])):
        scans = part[part["label"] == label]
        scans = scans.assign(sex=scans["sex"].astype("string").str.strip().str.lower().map(SEXES))
        subjects = scans.groupby("subject").agg(age=("age", "mean"), sex=("sex", "first"))
        ages, sexes = subjects["age"].dropna(), subjects["sex"].fillna(UNKNOWN).value_counts().sort_index()
        told = len(ages) >= FEWEST
        counts[str(name)] = {
            "scans": len(scans),
            "subjects": len(subjects),
            "age_mean": round(float(ages.mean()), 1) if told else None,
            "age_sd": round(float(ages.std()), 1) if told else None,
            "sex": {str(sex): int(number) for sex, number in sexes.items()} if len(subjects) >= FEWEST else {},
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


def count_named(table: pd.DataFrame) -> dict[str, int]:
    """Count the scans that did not take part, and those that did although a check failed.

    Parameters
    ----------
    table : pandas.DataFrame
        From `judge_scans`: `used`, and `reason`, which is missing where there is nothing to say.

    Returns
    -------
    dict of str to int
        `left_out`, by checks or by name, and `kept`, by name.
    """
    return {"left_out": int((~table["used"]).sum()), "kept": int((table["used"] & table["reason"].notna()).sum())}
