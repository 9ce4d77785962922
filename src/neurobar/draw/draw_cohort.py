"""Draw how scans became a test set and folds, and tabulate who is in each.

READS the sheet of scans, the table of who takes part, and the split.
WRITES `flow` (boxes and arrows) and `balance` (age and sex) as figures, `groups.html` and `groups.csv`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.draw.cohort_balance import FEWEST_IN_BOX, MOST_POINTS, draw_balance
from neurobar.draw.cohort_flow import draw_flow, follow_scans
from neurobar.draw.cohort_groups import read_sheet, readable_groups, tabulate_groups
from neurobar.draw.group_comparisons import compare_parts, readable_balance
from neurobar.draw.sentences import count_scans, name_study
from neurobar.figures.pages import paragraph, table_of, write_page
from neurobar.figures.style import save_figures

EXPLAINED = (
    "Each test is on subjects, not on scans, is two-sided and is not corrected for how many there are. A small p says "
    "that a difference as large as this would be rare if chance alone had put subjects into the two groups; it does "
    "not say that the difference is large, nor that it matters. A large p does not say that the groups are alike, "
    "least of all where they are small. The size of a difference is the standardised one: the first mean less the "
    "second, over the root of the mean variance; beyond 0.1 either way it is often called an imbalance. The split was "
    "chosen among many as the one most alike in age and sex, so p between test set and development tends to be larger "
    "than a single draw would make it."
)
COUNTED = (
    "Ages, sexes and sites are of subjects: the mean age of a subject's scans, its first sex and its first site. Age "
    "is mean ± standard deviation; the share of women is of the subjects whose sex is known."
)
ONLY_CLASS = (
    "Beside the class there is nothing to compare: neither age nor sex is in the sheet, nor more than one site."
)
PERMUTED = "The classes of this split are permuted among the subjects on purpose; they are not those of the sheet."


def is_permuted(listed: pd.DataFrame, folds: pd.DataFrame, cohort: dict[str, Any]) -> bool:
    """Tell whether the split gives scans other classes than the sheet.

    Parameters
    ----------
    listed : pandas.DataFrame
        From `read_sheet`.
    folds : pandas.DataFrame
        The split.
    cohort : dict
        The config's cohort.

    Returns
    -------
    bool
    """
    told = folds["scan"].map(listed.dropna(subset="scan").drop_duplicates("scan").set_index("scan")["told"])
    names = folds["label"].map({0: str(cohort["negative"]), 1: str(cohort["positive"])})
    return bool((told != names).any())


def describe_overlap(folds: pd.DataFrame) -> str:
    """Say in a sentence which subjects are counted more than once.

    Parameters
    ----------
    folds : pandas.DataFrame
        The split.

    Returns
    -------
    str
        Empty where each subject has one part and one class.
    """
    each = folds.groupby("subject")[["part", "label"]].nunique().gt(1).sum()
    words = [
        f"{each[name]} in several {what}" for name, what in (("part", "parts"), ("label", "classes")) if each[name]
    ]
    return f"Subjects that are counted more than once: {', '.join(words)}." if words else ""


def caption_figures(
    scans: pd.DataFrame, folds: pd.DataFrame, cohort: dict[str, Any], notes: list[str]
) -> dict[str, str]:
    """Write the captions.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `follow_scans`.
    folds : pandas.DataFrame
        The split.
    cohort : dict
        The config's cohort.
    notes : list of str
        Sentences that every caption ends with.

    Returns
    -------
    dict of str to str
        Of flow, balance and groups.
    """
    number = folds.loc[folds["part"] != "test", "part"].nunique()
    name = name_study(cohort)
    said = {
        "flow": f"{name}: way of the {count_scans(scans)} in the sheet to the test set and {number} folds, in which "
        f"{count_scans(folds)} take part; in the boxes of folds, n of m are scans of subjects.",
        "balance": f"{name}, {count_scans(folds)}: age by part (n subjects) and class, and share of women. Points are "
        f"subjects (of groups beyond {MOST_POINTS} only those outside the whiskers), thick lines medians, boxes the "
        f"middle half (of groups from {FEWEST_IN_BOX}), whiskers 1.5 times its length at most, diamonds shares with "
        "95 % Wilson intervals, and the dashed line is the share of all.",
        "groups": f"{name}, {count_scans(folds)}: who is in the test set and the folds, with tests on subjects of "
        "whether parts and classes are alike.",
    }
    return {figure: " ".join([words, *notes]) for figure, words in said.items()}


def write_groups(folder: Path, folds: pd.DataFrame, cohort: dict[str, Any], caption: str) -> None:
    """Write who is in each part, as a page and as a table.

    Parameters
    ----------
    folder : pathlib.Path
    folds : pandas.DataFrame
        The split, with the column site.
    cohort : dict
        The config's cohort.
    caption : str
    """
    classes = (str(cohort["negative"]), str(cohort["positive"]))
    groups, balance = tabulate_groups(folds, classes), compare_parts(folds, classes, cohort["label"])
    with written_whole(folder / "groups.csv") as partial:
        groups.round(2).to_csv(partial, index=False, na_rep="n/a")
    readable = readable_groups(groups, sites=bool(folds["site"].notna().any()))
    body = (
        paragraph(caption)
        + f'<div class="words">{table_of(readable)}</div>'
        + paragraph(COUNTED)
        + "<h2>Are parts and classes alike?</h2>"
    )
    if {*balance["trait"]} <= {"label"}:
        body += paragraph(ONLY_CLASS)
    body += f'<div class="words">{table_of(readable_balance(balance, classes))}</div>' + paragraph(EXPLAINED)
    write_page(folder / "groups.html", "Groups", body)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", required=True, help="sheet of scans")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort and study, JSON")
    parser.add_argument("--figures", type=Path, required=True, help="folder of figures (output)")
    parser.add_argument("--captions", required=True, help="caption of each figure, TSV (output)")
    args = parser.parse_args(argv)
    listed, folds = read_sheet(args.sheet, args.cohort), read_folds(args.folds)
    packed = pd.read_csv(args.table, sep="\t", dtype={"scan": str, "reason": str})
    scans = follow_scans(listed, packed, folds, args.cohort["ignored"])
    sites = listed.dropna(subset="scan").drop_duplicates("scan").set_index("scan")["site"]
    folds = folds.assign(site=folds["scan"].map(sites))
    permuted = [PERMUTED] if is_permuted(listed, folds, args.cohort) else []
    notes = [note for note in [*permuted, describe_overlap(folds)] if note]
    said = caption_figures(scans, folds, args.cohort, notes)
    figures = {
        "flow": draw_flow(scans, args.cohort),
        "balance": draw_balance(folds, (str(args.cohort["negative"]), str(args.cohort["positive"]))),
    }
    write_groups(args.figures, folds, args.cohort, said["groups"])
    drawn = {name: (figure, said[name]) for name, figure in figures.items()}
    save_figures(drawn, args.figures, args.captions, pages={"groups": said["groups"]})


if __name__ == "__main__":
    call_command(main)
