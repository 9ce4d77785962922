"""List the scans of an external cohort that take part: all of them are one test set, and none is ever trained on."""

from __future__ import annotations

import argparse
import json
import sys

import pandas as pd

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.sheets import read_scans


def list_tested(scans: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Choose the scans that passed their checks, and put them into the test set.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `read_scans`.
    table : pandas.DataFrame
        Who takes part; columns scan and used.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, label, age, sex, part, as `make_folds` writes them; part is `test` everywhere.
    """
    tested = scans[scans["scan"].isin(table.loc[table["used"], "scan"])].assign(part="test")
    return tested[["scan", "subject", "label", "age", "sex", "part"]]


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", required=True, help="sheet of the external cohort")
    parser.add_argument("--cohort", type=json.loads, required=True, help="its label and classes, JSON")
    parser.add_argument("--table", required=True, help="table of the packed cohort, TSV")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV (output)")
    args = parser.parse_args(argv)
    try:
        scans = read_scans(args.sheet, args.cohort)
    except ValueError as error:
        sys.exit(str(error))
    tested = list_tested(scans, pd.read_csv(args.table, sep="\t", dtype={"scan": str}))
    with written_whole(args.folds) as partial:
        tested.to_csv(partial, sep="\t", index=False, na_rep="n/a")
    print(tested.groupby("label")[["subject", "scan"]].nunique().to_string())


if __name__ == "__main__":
    call_command(main)
