"""Write one table of the study: our figures beside the paper's, and how its rows differ."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.cohorts import read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.studies import name_tasks
from neurobar.figures.pages import paragraph, table_of, write_page
from neurobar.figures.words import name_of, p_cell, unbroken
from neurobar.report.captions import (
    ENOUGH,
    FEW,
    OTHER_SPLITS,
    PAPER,
    SIMULATED,
    TAUGHT,
    UNDEFINED,
    describe_apart,
    describe_classes,
    describe_cohort,
    describe_differences,
    describe_figures,
)
from neurobar.report.cells import difference_cell, mean_cell
from neurobar.report.markup import latex, markdown


def summarise(rows: list[dict[str, Any]], summaries: dict[str, pd.DataFrame], *, paper: bool) -> pd.DataFrame:
    """Lay the scores of all tasks of a table side by side.

    Parameters
    ----------
    rows : list of dict
        Rows of the config's table, with framework, method, task and the paper's figures [%].
    summaries : dict of str to pandas.DataFrame
        For each task its scores [0..1], as `score_predictions` summarised them.
    paper : bool
        Lay the paper's figures beside ours.

    Returns
    -------
    pandas.DataFrame
        framework, method, task, number of folds and seeds, replicates of the bootstrap, and for each score, by scan
        and, with the prefix `subject_`, by subject, the columns `_mean`, `_sd`, `_low`, `_high` [%], `_undefined`
        and `_undefined_replicates`; `_paper_mean` and `_paper_sd` [%] where the paper has the score.
    """
    printed = [score for row in rows for score in row.get("paper", {})] if paper else []
    table = []
    for row in rows:
        summary = summaries[row["task"]]
        cells = {name: row[name] for name in ("framework", "method", "task")}
        cells |= summary[["folds", "seeds", "replicates"]].iloc[0].to_dict()
        for figures in summary.to_dict("records"):
            name = ("subject_" if figures["level"] == "subject" else "") + figures["score"]
            cells |= {f"{name}_{part}": 100 * figures[part] for part in ("mean", "sd", "low", "high")}
            cells |= {f"{name}_{part}": figures[part] for part in ("undefined", "undefined_replicates")}
            if name in printed:
                cells[f"{name}_paper_mean"], cells[f"{name}_paper_sd"] = row.get("paper", {}).get(name, (None, None))
        table.append(cells)
    return pd.DataFrame(table)


def readable(summary: pd.DataFrame, scores: list[str]) -> pd.DataFrame:
    """Turn a summary into the cells that a reader sees.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summarise`.
    scores : list of str
        Names of the scores to show.

    Returns
    -------
    pandas.DataFrame of str
    """
    table = summary[["framework", "method"]].rename(columns=str.capitalize)
    rows = summary.to_dict("records")
    for score in scores:
        table[name_of(score)] = [
            mean_cell(
                row[f"{score}_mean"],
                row[f"{score}_sd"],
                interval=(row[f"{score}_low"], row[f"{score}_high"]),
                undefined=row[f"{score}_undefined"],
            )
            for row in rows
        ]
        if f"{score}_paper_mean" in summary:
            table[f"{name_of(score)} (paper)"] = [
                mean_cell(row[f"{score}_paper_mean"], row[f"{score}_paper_sd"]) for row in rows
            ]
    return table


def readable_differences(differences: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Turn differences by scan into the cells that a reader sees.

    Parameters
    ----------
    differences : pandas.DataFrame
        As `compare_tasks` wrote them.
    names : dict of str to str
        For each task its name for readers.

    Returns
    -------
    pandas.DataFrame of str
    """
    rows = differences[(differences["level"] == "scan") & differences["paired"]]
    cells = [
        (
            names[row["task"]],
            names[row["reference"]],
            name_of(row["score"]),
            difference_cell(
                100 * row["difference"],
                interval=(100 * row["low"], 100 * row["high"]),
                undefined=int(row["undefined"]),
            ),
            p_cell(row["p_bootstrap_holm"]),
            p_cell(row["p_ttest_holm"]),
        )
        for row in rows.to_dict("records")
    ]
    return pd.DataFrame(cells, columns=["Method", "Against", "Score", "Difference", "p (draws)", "p (t-test)"])


def count_cohorts(args: argparse.Namespace) -> list[tuple[str, pd.DataFrame]]:
    """Describe each cohort of the table as its first row has it, and return the split of that row beside."""
    predicted, counted = describe_classes(args.cohorts[0]), {}
    for cohort, folds, packed in zip(args.cohorts, args.folds, args.packed, strict=True):
        if packed not in counted:
            classes, split = describe_classes(cohort), read_folds(folds)
            study = cohort["study"] if classes == predicted else f"{cohort['study']} ({classes})"
            counted[packed] = (describe_cohort(split, pd.read_csv(packed, sep="\t"), study=study), split)
    return list(counted.values())


def caption_of(args: argparse.Namespace, summary: pd.DataFrame, shown: pd.DataFrame, apart: str) -> str:
    """Write the caption of the table itself, of which `shown` holds the cells; `apart` says what is not compared."""
    table, predicted = args.table, describe_classes(args.cohorts[0])
    cohorts, splits = zip(*count_cohorts(args), strict=True)
    fewest = min(folds.loc[folds["part"] == "test", "subject"].nunique() for folds in splits)
    is_own = all((folds["part"] != "test").any() for folds in splits)
    sentences = [
        f"{table['caption']} [%]: {predicted}; {describe_figures(summary, threshold=args.threshold)}",
        FEW if fewest < ENOUGH else "",
        table.get("note", ""),
        UNDEFINED if shown.apply(lambda column: column.str.contains("undefined")).to_numpy().any() else "",
        *cohorts,
        OTHER_SPLITS if len({*args.folds}) > len(cohorts) else "",
        PAPER if args.paper and summary.columns.str.contains("_paper_").any() else "",
        (SIMULATED if is_own else TAUGHT) if args.simulated else "",
        apart,
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def write(args: argparse.Namespace) -> None:
    """Summarise a table and write it in every form, with the differences of its rows."""
    rows = args.table["rows"]
    summaries = {path.parent.name: pd.read_csv(path, sep="\t") for path in args.summaries}
    summary, differences = summarise(rows, summaries, paper=args.paper), pd.read_csv(args.differences, sep="\t")
    shown, names = readable(summary, args.scores), name_tasks(rows)
    compared = readable_differences(differences, names)
    apart = "" if len(compared) else describe_apart(differences, names)
    parts = [(shown, caption_of(args, summary, shown, apart), args.output.name)]
    if len(compared):
        parts.append((compared, describe_differences(differences, names), f"{args.output.name}_differences"))
    text = "\n".join(markdown(table, caption) for table, caption, _ in parts)
    for suffix, content in {
        ".csv": summary.to_csv(index=False, float_format="%.2f"),
        ".differences.csv": differences.to_csv(index=False, float_format="%.6f"),
        ".md": text,
        ".tex": "\n".join(latex(*part) for part in parts),
    }.items():
        with written_whole(args.output.with_name(args.output.name + suffix)) as partial:
            partial.write_text(content, encoding="utf-8")
    body = "".join(table_of(table.map(unbroken)) + paragraph(caption) for table, caption, _ in parts)
    write_page(args.output.with_name(args.output.name + ".html"), args.table["caption"], body)
    print(text)


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=json.loads, required=True, help="the config's table, JSON")
    parser.add_argument("--cohorts", type=json.loads, required=True, help="name and classes of each row's cohort, JSON")
    parser.add_argument("--scores", nargs="+", required=True, help="scores to show")
    parser.add_argument("--threshold", required=True, help="the threshold at which tasks were scored, for the caption")
    parser.add_argument("--paper", action="store_true", help="lay the paper's figures beside ours")
    parser.add_argument("--simulated", action="store_true", help="say that the study's subjects are simulated")
    parser.add_argument("--folds", nargs="+", required=True, help="part of each scan for each row, TSV")
    parser.add_argument("--packed", nargs="+", required=True, help="table of the packed cohort for each row, TSV")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="{task}/summary.tsv of all tasks")
    parser.add_argument("--differences", required=True, help="paired differences of the table's tasks, TSV")
    parser.add_argument("--output", type=Path, required=True, help="name of the table without its suffix (output)")
    write(parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
