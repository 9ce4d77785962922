"""Draw the class tokens of all scans in two dimensions, by label, age and site.

The scans are those of fold 0, standardised by its landmarks as its classifier learned to see them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.tables import read_table
from neurobar.draw.class_tokens import draw_tokens, project_tokens
from neurobar.draw.montage import choose_evenly
from neurobar.draw.sentences import count_scans, name_study
from neurobar.figures.style import save_figures
from neurobar.models.classifier import Classifier
from neurobar.training.classifiers import load_classifier
from neurobar.training.command import FoldOfCohort, cohort_parser, open_fold, run_command

MOST = 1000  # scans that a reader can still tell apart
#: A drawing job reserves no GPU; words of the command line may say otherwise.
ALONE = ("--fold", "0", "--seed", "0", "--machine", '{"device": "cpu", "cohort": "streamed"}')


def list_scans(fold: FoldOfCohort) -> pd.DataFrame:
    """List the scans of a fold, part by part.

    Parameters
    ----------
    fold : FoldOfCohort

    Returns
    -------
    pandas.DataFrame
        Rows of the split, `part` being train, select or test.
    """
    rows = [fold.rows(part).assign(part=part) for part in ("train", "select", "test")]
    return pd.concat(rows, ignore_index=True)


@torch.inference_mode()
def encode_scans(fold: FoldOfCohort, model: Classifier, names: pd.Series, *, batch: int) -> np.ndarray:
    """Compute the class token of each scan.

    Parameters
    ----------
    fold : FoldOfCohort
    model : Classifier
        On the device, in evaluation mode.
    names : pandas.Series of str
        n scans.
    batch : int
        Scans at once.

    Returns
    -------
    float32 (n, E)
        What the MLP of the classifier is given.
    """
    scans = fold.scans_of(names, "drawn")
    chunks = np.array_split(np.arange(len(scans)), range(batch, len(scans), batch))
    with fold.device.autocast():
        # Without a copy, each token would keep those of all patches of its scan in memory.
        tokens = [model.encoder(scans.take(chunk).float())[:, 0].clone() for chunk in chunks]
    return torch.cat(tokens).float().cpu().numpy()


def read_sites(sheet: str, scans: pd.Series) -> pd.Series:
    """Find the site of some scans.

    Parameters
    ----------
    sheet : path
        The sheet of scans; it need not have the column site.
    scans : pandas.Series of str

    Returns
    -------
    pandas.Series of str
        In the order of `scans`; missing where unknown.
    """
    table = read_table(sheet)
    return scans.map(table.set_index("scan").reindex(columns=["site"])["site"]).astype(object)


def write_caption(args: argparse.Namespace, rows: pd.DataFrame, number: int) -> str:
    """Say whose tokens of which classifier are seen.

    Parameters
    ----------
    args : argparse.Namespace
        Of this command.
    rows : pandas.DataFrame
        The scans that are drawn.
    number : int
        Scans of the fold.

    Returns
    -------
    str
    """
    which = f"fold {args.fold} and seed {args.seed}"
    chosen = "" if len(rows) == number else f", evenly chosen of {number} scans"
    return (
        f"Class tokens of the classifier of {which}, projected onto their first two principal components: "
        f"{count_scans(rows)}{chosen}, {name_study(args.cohort)}; triangles are test scans, circles those that trained "
        "or selected the classifier."
    )


def run_job(args: argparse.Namespace) -> None:
    """Encode, project, draw and write."""
    fold = open_fold(args, alone=True)
    model = load_classifier(args.classifier).to(fold.device.place)
    listed = list_scans(fold)
    rows = listed.iloc[choose_evenly(len(listed), MOST)].reset_index(drop=True)
    places, explained = project_tokens(
        encode_scans(fold, model, rows["scan"], batch=args.settings["finetune"]["batch"])
    )
    table = rows[["scan", "subject", "part", "label", "age"]].assign(site=read_sites(args.sheet, rows["scan"]))
    table[["pc_1", "pc_2"]] = places
    figure = draw_tokens(table, explained, (args.cohort["negative"], args.cohort["positive"]))
    caption = write_caption(args, rows, len(listed))
    save_figures({"tokens": (figure, caption)}, args.figures, args.captions)
    with written_whole(Path(args.figures, "tokens.csv")) as partial:
        table.to_csv(partial, index=False, float_format="%.6g", na_rep="n/a")


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--sheet", required=True, help="sheet of scans, for their sites")
    parser.add_argument("--classifier", required=True, help="weights, safetensors")
    parser.add_argument("--cohort", type=json.loads, required=True, help="the config's cohort and study, JSON")
    parser.add_argument("--figures", required=True, help="folder of the figures (output)")
    parser.add_argument("--captions", required=True, help="their captions, TSV (output)")
    run_command(run_job, parser.parse_args([*ALONE, *(sys.argv[1:] if argv is None else argv)]))


if __name__ == "__main__":
    call_command(main)
