"""Split the subjects, never the scans, into a fixed test set and folds.

Two controls of validity go wrong on purpose: labels that are permuted among the subjects, which nothing can predict,
and scans that are split as if each were a subject of its own, which flatters whatever is measured.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.sheets import read_scans


def describe_subjects(scans: pd.DataFrame) -> pd.DataFrame:
    """Summarise each subject by what the split has to balance.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns subject, label, age, sex.

    Returns
    -------
    pandas.DataFrame
        Indexed by subject: label (that of most of its scans; of the positive class where they are even), age (mean)
        and sex (first).
    """
    return scans.groupby("subject", sort=True).agg(
        label=("label", lambda labels: int(labels.mean() >= 0.5)), age=("age", "mean"), sex=("sex", "first")
    )


def imbalance(subjects: pd.DataFrame, part: np.ndarray) -> float:
    """How much the parts of a split differ in age and sex.

    Parameters
    ----------
    subjects : pandas.DataFrame
        From `describe_subjects`.
    part : (n,)
        Part of each subject.

    Returns
    -------
    float
        The largest distance of a part's mean from the mean of all, in standard deviations, over age and each sex;
        unknown ages and sexes count as average.
    """
    traits = pd.get_dummies(subjects["sex"], dtype=float).assign(age=subjects["age"].astype(float))
    scaled = ((traits - traits.mean()) / traits.std().replace(0, np.nan)).fillna(0.0)
    return float(scaled.groupby(part).mean().abs().to_numpy().max())


def assign_parts(subjects: pd.DataFrame, *, test_share: float, folds: int, candidates: int, seed: int) -> pd.Series:
    """Give each subject its part: `test` or the number of a fold.

    Among many splits that are stratified by label, the one whose parts differ least in age and sex is kept, which
    works down to a handful of subjects, where strata of label, sex and age would be empty.

    Parameters
    ----------
    subjects : pandas.DataFrame
        From `describe_subjects`.
    test_share : float
        Part of the subjects in the test set [0..1].
    folds : int
    candidates : int
        Splits that are drawn.
    seed : int

    Returns
    -------
    pandas.Series of str
        Indexed by subject.

    Raises
    ------
    ValueError
        If a class has too few subjects to be in every part.
    """
    fewest = subjects["label"].value_counts().reindex([0, 1], fill_value=0).min()
    in_test = int(np.floor(fewest * test_share))
    if in_test < 1 or fewest - in_test < folds + 1:
        raise ValueError(
            f"The smaller class has {fewest} subjects: too few for a test set of {test_share:.0%} and {folds} folds; "
            "lower split.folds, or add scans."
        )
    drawn = (_draw_parts(subjects["label"], test_share, folds, (seed, number)) for number in range(candidates))
    return pd.Series(min(drawn, key=lambda part: imbalance(subjects, part)), index=subjects.index, name="part")


def permute_labels(scans: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give each subject, with all its scans, the label of a subject drawn without replacement.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns subject, label, age, sex.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The same scans with other labels; as many subjects have each label as before.
    """
    labels = describe_subjects(scans)["label"]
    permuted = pd.Series(np.random.default_rng((seed, len(labels))).permutation(labels), index=labels.index)
    return scans.assign(label=scans["subject"].map(permuted))


def split_scans(scans: pd.DataFrame, *, by: str, labels: str, seed: int, **settings: float) -> pd.DataFrame:
    """Give each scan its part and the label that is learned.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns scan, subject, label, age, sex.
    by : {"subject", "scan"}
        What stays together; `scan` lets the scans of one subject fall into different parts.
    labels : {"own", "permuted"}
    seed : int
    **settings
        Of `assign_parts`.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, label, age, sex, part.
    """
    if labels == "permuted":
        scans = permute_labels(scans, seed)
    units = describe_subjects(scans.assign(subject=scans[by]))
    parts = assign_parts(units, seed=seed, **settings)
    print(f"largest imbalance in age and sex: {imbalance(units, parts.to_numpy()):.2f} standard deviations")
    return scans.join(parts, on=by)[["scan", "subject", "label", "age", "sex", "part"]]


def _draw_parts(labels: pd.Series, test_share: float, folds: int, seeds: tuple[int, int]) -> np.ndarray:
    state = int(np.random.SeedSequence(seeds).generate_state(1)[0])
    part = np.full(len(labels), "test", dtype=object)
    shuffle = StratifiedShuffleSplit(1, test_size=test_share, random_state=state)
    rest = np.sort(next(shuffle.split(labels, labels))[0])
    kfold = StratifiedKFold(folds, shuffle=True, random_state=state)
    for fold, (_, chosen) in enumerate(kfold.split(rest, labels.iloc[rest])):
        part[rest[chosen]] = str(fold)
    return part


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", required=True, help="sheet of scans")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort, JSON")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--settings", type=json.loads, required=True, help="the settings of the split, JSON")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV (output)")
    args = parser.parse_args(argv)
    try:
        scans = read_scans(args.sheet, args.cohort)
        packed = pd.read_csv(args.table, sep="\t", dtype={"scan": str})
        scans = scans[scans["scan"].isin(packed.loc[packed["used"], "scan"])]
        table = split_scans(scans, **args.settings)
    except ValueError as error:
        sys.exit(str(error))
    with written_whole(args.folds) as partial:
        table.to_csv(partial, sep="\t", index=False, na_rep="n/a")
    print(table.groupby("part")[["subject", "scan"]].nunique().to_string())


if __name__ == "__main__":
    call_command(main)
