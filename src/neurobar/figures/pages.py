"""Web pages that stand alone: one file, nothing fetched, everything from outside escaped."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import pandas as pd

from neurobar.data.files import written_whole

STYLE = """
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd; vertical-align: top; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
thead th { border-bottom: 2px solid #222; }
table.sortable thead th { cursor: pointer; }
table.sortable thead th::after { content: " \\2195"; color: #999; }
img { max-width: 100%; } .caption { color: #444; max-width: 60rem; } .warning { border-left: 4px solid #D55E00; padding: .3rem 1rem; }
"""  # noqa: E501
#: Sorts a table by the column whose head is clicked: numbers as numbers, the other way round at the second click.
SORTING = """
for (const head of document.querySelectorAll("table.sortable thead th")) {
  head.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0], column = head.cellIndex;
    const sign = head.dataset.sign = head.dataset.sign === "1" ? "-1" : "1";
    const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const words = new Intl.Collator(undefined, {numeric: true});
    const compare = (a, b) => a !== "" && b !== "" && !isNaN(a) && !isNaN(b) ? a - b : words.compare(a, b);
    body.append(...[...body.rows].sort((a, b) => sign * compare(key(a), key(b))));
  });
}
"""


def write_page(path: str | Path, title: str, body: str) -> None:
    """Write a page.

    Parameters
    ----------
    path : path
    title : str
        As it is to be read; it is escaped here.
    body : str
        HTML, whose parts from outside are escaped already.
    """
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    text = f'<!DOCTYPE html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}'
    with written_whole(path) as partial:
        partial.write_text(f"{text}<script>{SORTING}</script></body></html>\n", encoding="utf-8")


def paragraph(text: str, kind: str = "caption") -> str:
    """Turn words into a paragraph.

    Parameters
    ----------
    text : str
        Escaped here.
    kind : str
        Class of the paragraph: caption or warning.

    Returns
    -------
    str
    """
    return f'<p class="{kind}">{escape(text)}</p>'


def table_of(table: pd.DataFrame, *, sortable: bool = False, escaped: bool = False) -> str:
    """Turn a table into HTML.

    Parameters
    ----------
    table : pandas.DataFrame
        Its index is not shown.
    sortable : bool
        A click on a column's head sorts by it.
    escaped : bool
        True where cells are HTML already.

    Returns
    -------
    str
    """
    return table.to_html(index=False, border=0, escape=not escaped, classes="sortable" if sortable else None)


def picture(path: str | Path, alternative: str) -> str:
    """Embed a PNG or JPEG.

    Parameters
    ----------
    path : path
    alternative : str
        What it shows, for those who do not see it; escaped here.

    Returns
    -------
    str
    """
    kind = "jpeg" if Path(path).suffix in (".jpg", ".jpeg") else "png"
    encoded = base64.b64encode(Path(path).read_bytes()).decode()
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{escape(alternative)}">'
