"""What several commands of this stage are told."""

from __future__ import annotations

import argparse


def add_prepared(parser: argparse.ArgumentParser) -> None:
    """Add the option that says what was done to a scan before it came here, as the sheet has it."""
    # A workflow writes nothing for an empty value.
    text = "stripped, registered and unbiased, with + between them"
    parser.add_argument("--prepared", nargs="?", const="", default="", help=text)
