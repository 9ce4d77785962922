"""Tests of whether two groups of subjects differ in age, sex, class and site."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from neurobar.draw.cohort_groups import ALL, DEVELOPMENT, describe_subjects, parts_of
from neurobar.figures.words import p_cell

DRAWS, SEED = 9999, 0  # of sites among subjects
AT_ONCE = 200  # draws that are in memory together, whatever the number of subjects
#: What a difference is measured in, and how a mean becomes it.
UNITS = {"age": ("years", 1.0), "female": ("% female", 100.0), "label": ("% class 1", 100.0)}


def standardised_difference(first: pd.Series, second: pd.Series) -> float:
    """Measure how far the means of two groups are apart.

    Parameters
    ----------
    first, second : pandas.Series of float
        A trait of each subject; 0 and 1 for one that is there or not. No value is missing.

    Returns
    -------
    float
        Mean of `first` less that of `second`, over the root of the mean of their variances; undefined (NaN) where
        neither varies, or a group is empty.

    Notes
    -----
    Source: Austin, Statistics in Medicine 28 (2009), 3083-3107.
    """
    if not len(first) or not len(second):
        return math.nan
    binary = set(first) | set(second) <= {0, 1}
    degrees = 0 if binary or min(len(first), len(second)) < 2 else 1
    spread = math.sqrt((first.var(ddof=degrees) + second.var(ddof=degrees)) / 2)
    return float((first.mean() - second.mean()) / spread) if spread > 0 else math.nan


def compare_numbers(first: pd.Series, second: pd.Series) -> float:
    """Return the two-sided p of the Mann-Whitney test; undefined (NaN) for groups of fewer than two.

    Parameters
    ----------
    first, second : pandas.Series of float
        No value is missing.

    Returns
    -------
    float
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    if pd.concat([first, second]).nunique() == 1:
        return 1.0
    return float(stats.mannwhitneyu(first, second, alternative="two-sided").pvalue)


def compare_kinds(first: pd.Series, second: pd.Series) -> tuple[str, float]:
    """Test whether kinds are as frequent in one group as in the other.

    Parameters
    ----------
    first, second : pandas.Series
        A kind of each subject; none is missing.

    Returns
    -------
    name : str
        Fisher's exact test for two kinds, else the chi-squared test, whose p is from permutations, since it holds
        for few subjects too.
    p : float
        Two-sided; undefined (NaN) where a group is empty.
    """
    kinds = sorted({*first} | {*second})
    table = np.array([[(group == kind).sum() for kind in kinds] for group in (first, second)])
    name = "Fisher, exact" if len(kinds) <= 2 else f"chi-squared, {DRAWS} permutations"
    if not table.sum(1).all():
        return name, math.nan
    if len(kinds) == 1:
        return name, 1.0
    if len(kinds) == 2:
        return name, float(stats.fisher_exact(table).pvalue)
    drawing = stats.PermutationMethod(n_resamples=DRAWS, batch=AT_ONCE, rng=np.random.default_rng(SEED))
    return name, float(stats.chi2_contingency(table, correction=False, method=drawing).pvalue)


def compare_groups(first: pd.DataFrame, second: pd.DataFrame, traits: list[str]) -> list[dict[str, Any]]:
    """Compare two groups in some traits.

    Parameters
    ----------
    first, second : pandas.DataFrame
        From `describe_subjects`.
    traits : list of str
        Among age, female, label and site. One that no subject has, and a site that all have, is passed over.

    Returns
    -------
    list of dict
        trait, n_first, n_second (subjects in which it is known), first and second (means, in `UNITS`; undefined for
        a site), difference (standardised), test and p.
    """
    rows = []
    for trait in traits:
        one, other = first[trait].dropna(), second[trait].dropna()
        if pd.concat([one, other]).nunique() < (2 if trait == "site" else 1):
            continue
        row = {"trait": trait, "n_first": len(one), "n_second": len(other)}
        if trait == "site":
            row |= {"first": math.nan, "second": math.nan, "difference": math.nan}
        else:
            scale = UNITS[trait][1]
            row |= {"first": scale * one.mean(), "second": scale * other.mean()}
            row |= {"difference": standardised_difference(one.astype(float), other.astype(float))}
        test, p = ("Mann-Whitney", compare_numbers(one, other)) if trait == "age" else compare_kinds(one, other)
        rows.append(row | {"test": test, "p": p})
    return rows


def compare_parts(scans: pd.DataFrame, classes: tuple[str, str], label: str) -> pd.DataFrame:
    """Compare the test set with the rest, and the classes among all and in both.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns subject, label, age [years], sex, site, part.
    classes : (str, str)
        Names of class 0 and class 1.
    label : str
        Column that is predicted; classes that are sexes are not compared by sex.

    Returns
    -------
    pandas.DataFrame
        Columns groups, trait, n_first, n_second, first, second, difference, test, p.
    """
    parts = parts_of(scans)
    by_class = [trait for trait in ("age", "female", "site") if {"female": "sex"}.get(trait, trait) != label]
    pairs = {"test set against development": (parts["test"], parts[DEVELOPMENT], ["age", "female", "label", "site"])}
    for part, words in ((ALL, ""), ("test", " in the test set"), (DEVELOPMENT, " in development")):
        ones, zeros = (parts[part] & (scans["label"] == code).to_numpy() for code in (1, 0))
        pairs[f"{classes[1]} against {classes[0]}{words}"] = (ones, zeros, by_class)
    rows = []
    for groups, (first, second, traits) in pairs.items():
        compared = compare_groups(describe_subjects(scans[first]), describe_subjects(scans[second]), traits)
        rows += [{"groups": groups} | row for row in compared]
    return pd.DataFrame(rows)


def readable_balance(balance: pd.DataFrame, classes: tuple[str, str]) -> pd.DataFrame:
    """Turn tests into the cells that a reader sees.

    Parameters
    ----------
    balance : pandas.DataFrame
        From `compare_parts`.
    classes : (str, str)
        Names of class 0 and class 1.

    Returns
    -------
    pandas.DataFrame of str
    """
    names = {"age": "age", "female": "sex", "label": "class", "site": "site"}
    cells = []
    for row in balance.to_dict("records"):
        unit = UNITS.get(row["trait"], ("", 1))[0].replace("class 1", classes[1])
        means = " against ".join("–" if math.isnan(mean) else f"{mean:.1f}" for mean in (row["first"], row["second"]))
        difference = "–" if math.isnan(row["difference"]) else f"{row['difference']:+.2f}".replace("+0.00", "0.00")
        cells.append(
            {
                "Groups": row["groups"],
                "Trait": names[row["trait"]],
                "Subjects": f"{row['n_first']}\N{NO-BREAK SPACE}against\N{NO-BREAK SPACE}{row['n_second']}",
                "Mean or share": "–" if row["trait"] == "site" else f"{means} {unit}",
                "Standardised difference": difference.replace("-0.00", "0.00").replace("-", "−"),
                "Test": row["test"],
                "p": p_cell(row["p"]),
            }
        )
    return pd.DataFrame(cells)
