"""The page that lists all scans of one call."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from neurobar.commands.exported import Exported
from neurobar.commands.prediction_page import show_model, warn
from neurobar.export.card_parts import write_probability
from neurobar.figures.pages import paragraph, table_of, write_page


def write_overview(path: Path, table: pd.DataFrame, exported: Exported) -> None:
    """Write the page that lists all scans.

    Parameters
    ----------
    path : pathlib.Path
    table : pandas.DataFrame
        From `tabulate`.
    exported : Exported
    """
    positive = exported.config["classes"]["positive"]
    shown = pd.DataFrame({"Scan": [f'<a href="{quote(scan)}/index.html">{escape(scan)}</a>' for scan in table["scan"]]})
    for column, title in {
        "probability": f"Probability of {positive}",
        "sd": "SD",
        "lowest": "Lowest",
        "highest": "Highest",
    }.items():
        shown[escape(title)] = [write_probability(value) for value in table[column]]
    shown["Counts as"] = ["–" if pd.isna(name) else escape(name) for name in table["decision"]]
    shown["No answer because"] = table["reason"].map(escape)
    caption = (
        f"One row for each scan: mean, standard deviation (sd) and range over {len(exported.members)} models; what it "
        f"counts as by the study's threshold of {write_probability(exported.config['threshold'])}."
    )
    body = [*warn(exported), table_of(shown, sortable=True, escaped=True), paragraph(caption), *show_model(exported)]
    write_page(path, f"Predictions of {len(table)} scan{'' if len(table) == 1 else 's'}", "".join(body))
