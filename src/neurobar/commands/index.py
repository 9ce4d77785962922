"""Write the sheet of scans of a BIDS data set: one row for each T1w image, with what is known of its subject.

For example:
  neurobar index --bids /path/to/bids --output runs/mine/scans.tsv
"""

from __future__ import annotations

import argparse

from neurobar.index import index_bids


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options, which are those of the stage."""
    index_bids.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Write the sheet and say what is in it."""
    sheet = index_bids.write_sheet(args.bids, args.output, args.suffix)
    print(f"{args.output}: {len(sheet)} scans of {sheet['subject'].nunique()} subjects.")
