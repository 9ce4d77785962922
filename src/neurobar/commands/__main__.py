"""neurobar: from raw T1-weighted heads to a classifier that can be trusted, and its use on new scans.

For example:
  neurobar index --bids /path/to/bids --output runs/mine/scans.tsv
  neurobar check --configfile runs/mine/study.yaml --directory runs/mine
  neurobar run --configfile runs/mine/study.yaml --directory runs/mine
  neurobar export --task bar_recon --output model/
  neurobar predict new_scan.nii.gz --model model/ --output prediction/
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from neurobar import __version__

#: For each command what it does; each is a module here with `add_arguments` and `run`.
COMMANDS = {
    "index": "write the sheet of scans of a BIDS data set",
    "check": "check settings, sheet and scans, and say how many jobs, hours and bytes a run will take",
    "run": "run a study up to its tables and its report",
    "export": "make a folder of a trained task that predict loads anywhere",
    "predict": "apply an exported model to new scans",
}
#: Commands that hand every option they do not know to Snakemake.
OPEN = {"check", "run", "export"}


def build_parser(argv: list[str]) -> argparse.ArgumentParser:
    """Build the command line; only the command that is asked for is imported.

    Parameters
    ----------
    argv : list of str
        The words after `neurobar`.

    Returns
    -------
    argparse.ArgumentParser
    """
    looks = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
    parser = argparse.ArgumentParser(prog="neurobar", description=__doc__, **looks)
    parser.add_argument("--version", action="version", version=f"neurobar {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        if name in argv[:1]:
            module = import_module(f"neurobar.commands.{name}")
            own = commands.add_parser(name, help=purpose, description=module.__doc__, **looks)
            module.add_arguments(own)
            own.set_defaults(run=module.run)
        else:
            commands.add_parser(name, help=purpose, add_help=False)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run one command, and end with one sentence where what it was given is at fault.

    Parameters
    ----------
    argv : list of str, optional
        The words of the command line; those of the shell where it is left out.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = build_parser(argv)
    args, further = parser.parse_known_args(argv)
    if further and args.command not in OPEN:
        parser.error(f"unrecognised arguments: {' '.join(further)}")
    args.further = further
    try:
        args.run(args)
    except (ValueError, OSError) as error:
        sys.exit(f"neurobar {args.command}: {error}")


if __name__ == "__main__":
    main()
