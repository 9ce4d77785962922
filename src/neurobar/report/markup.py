"""Tables in Markdown and in LaTeX."""

from __future__ import annotations

import pandas as pd

#: What LaTeX reads as a command, or does not have in its plain fonts.
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "<": "$<$",
        ">": "$>$",
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    }
)


def markdown(table: pd.DataFrame, caption: str) -> str:
    """Write a table in Markdown with its caption below.

    Parameters
    ----------
    table : pandas.DataFrame of str
    caption : str

    Returns
    -------
    str
    """
    rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    escaped = [[str(text).replace("|", r"\|") for text in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + f"\n\n{caption}\n"


def latex(table: pd.DataFrame, caption: str, label: str) -> str:
    """Write a table in LaTeX (booktabs).

    Parameters
    ----------
    table : pandas.DataFrame of str
        The first two columns hold words, the others figures.
    caption, label : str

    Returns
    -------
    str
    """
    escaped = table.map(lambda text: text.translate(LATEX)).rename(columns=lambda name: name.translate(LATEX))
    body = escaped.to_latex(index=False, escape=False, column_format="ll" + "r" * (table.shape[1] - 2))
    text = caption.translate(LATEX)
    return f"\\begin{{table}}\n\\centering\n\\caption{{{text}}}\n\\label{{tab:{label}}}\n{body}\\end{{table}}\n"
