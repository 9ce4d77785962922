"""Who is in each part of a split: scans, subjects, age, sex and site, of all and of each class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from neurobar.data.tables import read_table

#: Part that stands for all scans, and for all that are not tested.
ALL, DEVELOPMENT = "all", "development"
#: How sheets write a sex; other words count as unknown.
SEXES = {"f": 1.0, "female": 1.0, "m": 0.0, "male": 0.0}
MOST_SITES = 4  # that a cell of the page names


def read_sheet(sheet: str, cohort: dict[str, Any]) -> pd.DataFrame:
    """Read who stands in the sheet, also those whose label is ignored.

    Its rows were checked when the workflow was loaded and when the split was made.

    Parameters
    ----------
    sheet : path
        See `neurobar.data.sheets.read_scans`.
    cohort : dict
        The config's cohort; `label` names a column.

    Returns
    -------
    pandas.DataFrame of str
        Columns scan, subject, told (the value of the label; n/a where it is missing) and site (missing where there
        is none).
    """
    rows = read_table(sheet)
    listed = rows.assign(told=rows[cohort["label"]].fillna("n/a"))
    return listed.reindex(columns=["scan", "subject", "told", "site"])


def describe_subjects(scans: pd.DataFrame) -> pd.DataFrame:
    """Summarise each subject, so that those with many scans count once.

    Parameters
    ----------
    scans : pandas.DataFrame
        Columns subject, label, age [years], sex, site.

    Returns
    -------
    pandas.DataFrame
        Indexed by subject: label (of most of its scans; of the positive class where they are even), age (mean of
        its scans), female (1, 0, or missing where the sex is unknown) and site (of its first scan).
    """
    scans = scans.assign(female=scans["sex"].astype("string").str.strip().str.lower().map(SEXES).astype(float))
    return scans.groupby("subject", sort=True).agg(
        label=("label", lambda labels: int(labels.mean() >= 0.5)),
        age=("age", "mean"),
        female=("female", "first"),
        site=("site", "first"),
    )


def parts_of(scans: pd.DataFrame) -> dict[str, np.ndarray]:
    """List the parts of a split: all, test, development, and each fold.

    Parameters
    ----------
    scans : pandas.DataFrame
        The column part holds `test` or the number of a fold.

    Returns
    -------
    dict of str to bool (n,)
        For each part which scans are in it.
    """
    tested = (scans["part"] == "test").to_numpy()
    folds = sorted(map(int, set(scans["part"]) - {"test"}))
    every = {ALL: np.ones(len(scans), bool), "test": tested, DEVELOPMENT: ~tested}
    return every | {f"fold {fold}": (scans["part"] == str(fold)).to_numpy() for fold in folds}


def tabulate_groups(scans: pd.DataFrame, classes: tuple[str, str]) -> pd.DataFrame:
    """Count and describe each class in each part.

    Parameters
    ----------
    scans : pandas.DataFrame
        One scan on a row: scan, subject, label, age [years], sex, site, part.
    classes : (str, str)
        Names of class 0 and class 1.

    Returns
    -------
    pandas.DataFrame
        Columns part, class (`all` for both), scans, subjects, age_mean_years, age_sd_years, age_unknown, female,
        female_percent (of the subjects whose sex is known), sex_unknown and sites (`name (count)`, the largest first);
        all but the first of subjects.
    """
    rows = []
    for part, inside in parts_of(scans).items():
        for name, label in ((ALL, None), (classes[0], 0), (classes[1], 1)):
            group = scans[inside & ((scans["label"] == label).to_numpy() | (label is None))]
            rows.append({"part": part, "class": name, "scans": len(group)} | _describe_group(describe_subjects(group)))
    return pd.DataFrame(rows)


def readable_groups(groups: pd.DataFrame, *, sites: bool) -> pd.DataFrame:
    """Turn groups into the cells that a reader sees.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `tabulate_groups`.
    sites : bool
        Whether the sheet names sites.

    Returns
    -------
    pandas.DataFrame of str
    """
    rows = []
    for group in groups.to_dict("records"):
        unknown = {
            trait: f", {count}\N{NO-BREAK SPACE}unknown" if (count := group[f"{trait}_unknown"]) else ""
            for trait in ("age", "sex")
        }
        spread = "" if math.isnan(group["age_sd_years"]) else f" ± {group['age_sd_years']:.1f}"
        age = "–" if math.isnan(group["age_mean_years"]) else f"{group['age_mean_years']:.1f}{spread}{unknown['age']}"
        share = group["female_percent"]
        female = "–" if math.isnan(share) else f"{group['female']} ({share:.0f} %){unknown['sex']}"
        row = {"Part": group["part"], "Class": group["class"]}
        row |= {"Scans": str(group["scans"]), "Subjects": str(group["subjects"])}
        row |= {"Age [years]": age}
        row |= {"Female": female}
        rows.append(row | ({"Sites (subjects)": _first_sites(group["sites"])} if sites else {}))
    return pd.DataFrame(rows)


def _describe_group(subjects: pd.DataFrame) -> dict[str, Any]:
    known = subjects["female"].dropna()
    sites = (
        subjects["site"]
        .astype("string")
        .fillna("unknown")
        .value_counts()
        .sort_index()
        .sort_values(ascending=False, kind="stable")
    )
    return {
        "subjects": len(subjects),
        "age_mean_years": subjects["age"].mean(),
        "age_sd_years": subjects["age"].std(),
        "age_unknown": int(subjects["age"].isna().sum()),
        "female": int(known.sum()),
        "female_percent": 100 * known.mean(),
        "sex_unknown": len(subjects) - len(known),
        "sites": "; ".join(f"{site} ({count})" for site, count in sites.items()),
    }


def _first_sites(sites: str) -> str:
    named = sites.split("; ")
    more = f" and {len(named) - MOST_SITES} more" if len(named) > MOST_SITES else ""
    return ("; ".join(named[:MOST_SITES]) + more) or "–"
