"""The page on which a person looks through the checks of all scans, with a picture of each."""

from __future__ import annotations

import base64
import io
import math
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from neurobar.figures.pages import paragraph, write_page

#: Browsers show no page of more than 2 MB inside another, as the report shows its pages. There it is encoded, which
#: makes four bytes of three; so rows and their pictures may have this much, and the rest of the page 20 kB [bytes].
ROOM = 1_480_000
ROOM_OF_ROWS = 500_000  # without their pictures: about a thousand scans
#: Width [pixels] and quality [%] of an embedded picture: the first of these at which all pictures have room.
SIZES = ((640, 80), (640, 60), (540, 55), (440, 50), (340, 45), (240, 40))
#: What each measure means, for those who point at its name.
MEANINGS = {
    "similarity": "mean squared local correlation with the template after the deformation [0..1]",
    "overlap": "Dice of the brain on the grid with the template's [0..1]",
    "correlation": "of the intensities with the template's, where both are brain [-1..1]",
    "brain_ml": "inside of the skull [ml]",
    "bias_range": "99th over 1st percentile of the bias field",
    "clipped": "part of the brain at the largest value that the image holds [0..1]",
    "missing": "part of the brain without signal [0..1]",
    "outside": "part of the brain beyond the field of view [0..1]",
}
#: A picture fills the window while it is open; a click, or the Enter key, opens and closes it.
STYLE = """<style>
body { max-width: none; } .checks { overflow-x: auto; } .checks td:first-child { white-space: nowrap; }
.checks td { padding: .2rem .5rem; } .checks tr.out td:nth-child(3) { font-weight: bold; }
.checks .reason { text-align: left; } .checks td.reason:not(:empty) { min-width: 14rem; }
.checks td.beyond { font-weight: bold; color: #B04A00; }
.checks th small { display: block; font-weight: normal; white-space: nowrap; }
details.scan summary { list-style: none; cursor: zoom-in; } details.scan img { width: 7rem; display: block; }
details.scan[open] summary { position: fixed; inset: 0; z-index: 1; cursor: zoom-out; background: rgba(0, 0, 0, .85);
  display: flex; align-items: center; justify-content: center; }
details.scan[open] img { width: min(95vw, 50rem); max-height: 95vh; object-fit: contain; }
</style>"""
HOW_TO_READ = (
    "Scans stand in the order in which they want to be looked at: those with a reason first, then by how near they "
    "came to a limit. Way to limit: 0 is the median of the cohort, 1 the limit of the measure beside it. ▼ and ▲ "
    "mark measures below the smallest and above the largest value that passes; limits stand below each name. "
    "A click on a name sorts by it; a click on a picture enlarges it, and another closes it. Each picture stands in "
    "full size beside its scan: results/preprocess/{scan}/check.png."
)


def scale_picture(path: Path, width: int, quality: int) -> bytes:
    """Scale a picture down.

    Parameters
    ----------
    path : pathlib.Path
    width : int
        The most it may have [pixels].
    quality : int
        Of the JPEG [%].

    Returns
    -------
    bytes
        A JPEG.
    """
    with Image.open(path) as picture:
        height = max(1, round(picture.height * width / picture.width))
        small = picture.convert("RGB")
        if picture.width > width:
            small = small.resize((width, height), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def scale_pictures(paths: dict[str, Path], room: int = ROOM) -> dict[str, bytes]:
    """Scale pictures down to what a page of a report can hold, as little as need be.

    Parameters
    ----------
    paths : dict of str to pathlib.Path
        For each scan its picture.
    room : int
        What they may have on the page, embedded [bytes].

    Returns
    -------
    dict of str to bytes
        JPEGs of one size; where even the smallest have no room, as many of the first as have.
    """
    for size in SIZES:
        pictures, left = {}, room
        for scan, path in paths.items():
            picture = scale_picture(path, *size)
            left -= len(_embed(picture, scan).encode())
            if left < 0:
                break
            pictures[scan] = picture
        else:
            break
    return pictures


def fit_page(
    checks: pd.DataFrame, limits: dict[str, list[float | None]], paths: dict[str, Path]
) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """Choose as many scans and pictures as a page of a report can hold.

    Parameters
    ----------
    checks : pandas.DataFrame
        As for `write_checks`.
    limits : dict
        For each measure, [smallest, largest].
    paths : dict of str to pathlib.Path
        Of the scans whose picture is wanted, in the order of `checks`.

    Returns
    -------
    listed : pandas.DataFrame
        The first rows of `checks`.
    pictures : dict of str to bytes
        From `scale_pictures`, of some of them.
    """
    sizes = np.cumsum([len(_row_of(row, limits, None).encode()) for row in checks.to_dict("records")], dtype=int)
    listed = checks[: int((sizes <= ROOM_OF_ROWS).sum())]
    left = ROOM - int(sizes[len(listed) - 1] if len(listed) else 0)
    return listed, scale_pictures({scan: paths[scan] for scan in listed["scan"] if scan in paths}, left)


def side_of_limits(value: float, limits: list[float | None]) -> str:
    """Mark a measure that is beyond its limits.

    Parameters
    ----------
    value : float
        NaN where there is nothing to measure.
    limits : list of two float or None
        Smallest and largest; None where there is none.

    Returns
    -------
    str
        ▼ below, ▲ above, else empty.
    """
    smallest, largest = limits
    if smallest is not None and value < smallest:
        return "▼"
    return "▲" if largest is not None and value > largest else ""


def write_checks(
    path: Path,
    checks: pd.DataFrame,
    limits: dict[str, list[float | None]],
    pictures: dict[str, bytes],
    captions: list[str],
) -> None:
    """Write the page.

    Parameters
    ----------
    path : pathlib.Path
    checks : pandas.DataFrame
        From `judge_scans`, in its order: scan, used, reason (empty where there is none), approach, towards, measures.
    limits : dict
        For each measure, [smallest, largest].
    pictures : dict of str to bytes
        JPEGs of the scans whose picture the page holds.
    captions : list of str
        What stands above the table.
    """
    names = ("Scan", "Picture", "Takes part", "Reason", "Way to limit", "Nearest limit")
    heads = [f'<th class="{name.lower().split()[-1]}">{name}</th>' for name in names]
    heads += [_head_of(name, pair) for name, pair in limits.items()]
    rows = [_row_of(row, limits, pictures.get(row["scan"])) for row in checks.to_dict("records")]
    table = f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(rows)}</tbody>"
    body = STYLE + "".join(map(paragraph, [*captions, HOW_TO_READ]))
    write_page(path, "Checks", f'{body}<div class="checks"><table class="sortable">{table}</table></div>')


def _head_of(name: str, limits: list[float | None]) -> str:
    smallest, largest = (None if limit is None else f"{limit:g}" for limit in limits)
    said = f"{smallest} to {largest}" if smallest and largest else f"≥ {smallest}" if smallest else f"≤ {largest}"
    if smallest is largest is None:
        said = "no limit"
    return f'<th title="{escape(MEANINGS.get(name, name))}">{escape(name)}<small>{said}</small></th>'


def _row_of(row: dict[str, Any], limits: dict[str, list[float | None]], picture: bytes | None) -> str:
    kept = " (kept)" if row["used"] and row["reason"] else ""
    shown = "–" if picture is None else _embed(picture, row["scan"])
    cells = f"<td>{escape(row['scan'])}</td><td>{shown}</td><td>{'yes' if row['used'] else 'no'}{kept}</td>"
    cells += f'<td class="reason">{escape(row["reason"])}</td>{_cell(row["approach"])}<td>{escape(row["towards"])}</td>'
    cells += "".join(_cell(row[name], side_of_limits(row[name], pair)) for name, pair in limits.items())
    return f"{'<tr>' if row['used'] else '<tr class=out>'}{cells}</tr>"


def _cell(value: float, side: str = "") -> str:
    if math.isnan(value):
        return '<td data-value="">–</td>'
    return f'<td data-value="{value:g}"{" class=beyond" if side else ""}>{value:.4g}{side and " " + side}</td>'


def _embed(picture: bytes, scan: str) -> str:
    encoded = base64.b64encode(picture).decode()
    image = f'<img src="data:image/jpeg;base64,{encoded}" alt="Planes of {escape(scan)}: raw head, brain on the grid">'
    return f'<details class="scan"><summary>{image}</summary></details>'
