"""How every figure looks, and how it is written: for the screen, for print, and with its caption."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from neurobar.data.files import written_whole

#: Colours that the colour-blind can tell apart. Source: Okabe and Ito, Color Universal Design, 2008.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
#: Of class 0 and class 1, in every figure.
NEGATIVE, POSITIVE = COLOURS[0], COLOURS[1]
#: Width of a page of a journal [mm].
PAGE_MM = 180.0
RESOLUTION = 200  # dots for each inch of the PNG
INCH_MM = 25.4
LOOKS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "legend.frameon": False,
    "pdf.fonttype": 42,  # letters stay letters
    "image.interpolation": "nearest",
    "text.parse_math": False,  # a dollar in a name is a dollar
}


def new_figure(*, width_mm: float = PAGE_MM, height_mm: float) -> Figure:
    """Start a figure in the project's looks.

    Parameters
    ----------
    width_mm, height_mm : float

    Returns
    -------
    matplotlib.figure.Figure
        With the constrained layout; it belongs to no window and no global state.
    """
    mpl.rcParams.update(LOOKS)
    return Figure(figsize=(width_mm / INCH_MM, height_mm / INCH_MM), layout="constrained")


def save_figures(
    figures: dict[str, tuple[Figure, str]],
    folder: str | Path,
    captions: str | Path,
    pages: dict[str, str] | None = None,
) -> None:
    """Write figures as PNG and PDF, and all captions into one table; equal figures give equal bytes.

    Parameters
    ----------
    figures : dict of str to (matplotlib.figure.Figure, str)
        For each name a figure and its caption: one sentence that names the cohort, the numbers, and what bands and
        bars are.
    folder : path
        Where `{name}.png` and `{name}.pdf` go.
    captions : path
        TSV with the columns figure and caption.
    pages : dict of str to str, optional
        Captions of web pages that were written into the same folder.
    """
    for name, (figure, _) in figures.items():
        with written_whole(Path(folder, f"{name}.png")) as partial:
            figure.savefig(partial, dpi=RESOLUTION, metadata={"Software": None})
        with written_whole(Path(folder, f"{name}.pdf")) as partial:
            figure.savefig(partial, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    said = {name: caption for name, (_, caption) in figures.items()} | (pages or {})
    lines = {name: " ".join(caption.split()) for name, caption in said.items()}
    sentences = {name: line[:1].upper() + line[1:] for name, line in lines.items()}
    with written_whole(captions) as partial:
        pd.DataFrame(sentences.items(), columns=["figure", "caption"]).to_csv(
            partial, sep="\t", index=False, quoting=csv.QUOTE_NONE
        )
