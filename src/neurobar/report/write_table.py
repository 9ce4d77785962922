"""Write one table of the study: mean and standard deviation over folds, beside the paper's figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.files import written_whole

SCORES = ("precision", "recall", "accuracy")
PAPER = "Paper: Seyfioglu et al., MICCAI 2022, AD against CN on ADNI."
SIMULATED = "These subjects are simulated: the figures show that the pipeline works, not how well it detects a disease."


def summarise(rows: list[dict[str, Any]], scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Summarise the scores of each row of a table.

    Parameters
    ----------
    rows : list of dict
        Rows of the config's table, with framework, method, task and the paper's figures [%].
    scores : dict of str to pandas.DataFrame
        For each task its scores [0..1] by fold and seed.

    Returns
    -------
    pandas.DataFrame
        framework, method, task, number of folds and seeds, and for each score `_mean`, `_sd` (over all folds and
        seeds, n - 1 in the denominator), `_undefined` (folds without a value), `_paper_mean` and `_paper_sd` [%].
    """
    summary = []
    for row in rows:
        table, paper = scores[row["task"]], row.get("paper", {})
        cells = {name: row[name] for name in ("framework", "method", "task")}
        cells |= {"folds": table["fold"].nunique(), "seeds": table["seed"].nunique()}
        for score in SCORES:
            values = 100 * table[score]
            cells |= {f"{score}_mean": values.mean(), f"{score}_sd": values.std()}
            cells[f"{score}_undefined"] = int(values.isna().sum())
            cells[f"{score}_paper_mean"], cells[f"{score}_paper_sd"] = paper.get(score, (None, None))
        summary.append(cells)
    return pd.DataFrame(summary)


def describe(folds: pd.DataFrame, packed: pd.DataFrame, *, seeds: int, study: str, caption: str, predicted: str) -> str:
    """Write the caption: what is compared, on whom, and what the figures mean.

    Parameters
    ----------
    folds : pandas.DataFrame
        The split.
    packed : pandas.DataFrame
        Table of the packed cohort.
    seeds : int
        Repetitions of every fold.
    study, caption, predicted : str
        Name of the cohort, what the table compares, and which classes are told apart.

    Returns
    -------
    str
    """
    test, rest = folds[folds["part"] == "test"], folds[folds["part"] != "test"]
    left_out = int((~packed["used"]).sum())
    kept = int((packed["used"] & packed["reason"].notna()).sum())
    return (
        f"{caption} [%]: {predicted}; mean ± standard deviation over {rest['part'].nunique()} folds"
        f"{f' and {seeds} seeds' if seeds > 1 else ''}, scored by scan. "
        f"Cohort: {study}; test set of {len(test)} scans of {test['subject'].nunique()} subjects, "
        f"{len(rest)} scans of {rest['subject'].nunique()} subjects to train and select; "
        f"{left_out} scans left out by their checks or by name"
        f"{f', {kept} kept by name although a check failed' if kept else ''}."
    )


def cell(mean: float | None, sd: float | None, *, undefined: int = 0) -> str:
    """Write a mean and its standard deviation; an undefined figure says so.

    Parameters
    ----------
    mean, sd : float or None
        In %.
    undefined : int
        Folds in which the score has no value.

    Returns
    -------
    str
    """
    if mean is None or pd.isna(mean):
        return "undefined" if undefined else "–"
    spread = "" if sd is None or pd.isna(sd) else f" ± {sd:.1f}"
    return f"{mean:.1f}{spread}" + (f" (undefined in {undefined})" if undefined else "")


def readable(summary: pd.DataFrame, *, paper: bool) -> pd.DataFrame:
    """Turn a summary into the cells that a reader sees.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summarise`.
    paper : bool
        Lay the paper's figures beside ours.

    Returns
    -------
    pandas.DataFrame of str
    """
    table = summary[["framework", "method"]].rename(columns=str.capitalize)
    for score in SCORES:
        table[score.capitalize()] = [
            cell(row[f"{score}_mean"], row[f"{score}_sd"], undefined=row[f"{score}_undefined"])
            for row in summary.to_dict("records")
        ]
        if paper:
            table[f"{score.capitalize()} (paper)"] = [
                cell(row[f"{score}_paper_mean"], row[f"{score}_paper_sd"]) for row in summary.to_dict("records")
            ]
    return table


def markdown(table: pd.DataFrame, caption: str) -> str:
    """Write a table in Markdown with its caption below.

    Parameters
    ----------
    table : pandas.DataFrame of str
    caption : str

    Returns
    -------
    str
    """
    rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    escaped = [[str(text).replace("|", r"\|") for text in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + f"\n\n{caption}\n"


def latex(table: pd.DataFrame, caption: str, label: str) -> str:
    """Write a table in LaTeX (booktabs).

    Parameters
    ----------
    table : pandas.DataFrame of str
    caption, label : str

    Returns
    -------
    str
    """
    marks = {"±": r"$\pm$", "–": "--"}
    plain = table.to_latex(index=False, escape=True, column_format="ll" + "r" * (table.shape[1] - 2))
    body = "".join(marks.get(letter, letter) for letter in plain)
    text = "".join(marks.get(letter, letter) for letter in caption.replace("%", r"\%").replace("_", r"\_"))
    return f"\\begin{{table}}\n\\centering\n\\caption{{{text}}}\n\\label{{tab:{label}}}\n{body}\\end{{table}}\n"


def write(args: argparse.Namespace) -> None:
    """Summarise the scores of a table and write it in three forms."""
    rows, cohort = args.table["rows"], args.cohort
    scores = {row["task"]: pd.read_csv(args.scores / row["task"] / "scores.tsv", sep="\t") for row in rows}
    summary = summarise(rows, scores)
    folds, packed = pd.read_csv(args.folds, sep="\t", dtype=str), pd.read_csv(args.packed, sep="\t")
    caption = describe(
        folds,
        packed,
        seeds=summary["seeds"].max(),
        study=args.study,
        caption=args.table["caption"],
        predicted=f"{cohort['label']}, {cohort['positive']} (positive) against {cohort['negative']}",
    )
    caption = " ".join([caption, *([PAPER] if args.paper else []), *([SIMULATED] if args.simulated else [])])
    table = readable(summary, paper=args.paper)
    figures = summary if args.paper else summary.loc[:, ~summary.columns.str.contains("_paper_")]
    for suffix, text in {
        ".csv": figures.to_csv(index=False, float_format="%.2f"),
        ".md": markdown(table, caption),
        ".tex": latex(table, caption, args.output.name),
    }.items():
        with written_whole(args.output.with_suffix(suffix)) as partial:
            partial.write_text(text, encoding="utf-8")
    print(markdown(table, caption))


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=json.loads, required=True, help="the config's table, JSON")
    parser.add_argument("--study", required=True, help="name of the cohort")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort, JSON")
    parser.add_argument("--paper", action="store_true", help="lay the paper's figures beside ours")
    parser.add_argument("--simulated", action="store_true", help="say that these subjects are simulated")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--packed", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--scores", type=Path, required=True, help="folder with {task}/scores.tsv")
    parser.add_argument("--output", type=Path, required=True, help="name of the table without its suffix (output)")
    write(parser.parse_args(argv))


if __name__ == "__main__":
    main()
