"""Tables in Markdown and in LaTeX."""

from __future__ import annotations

import re

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
        "|": "$|$",
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    }
)
#: What Markdown reads as a mark anywhere: escape, code, emphasis, struck word, address of a link; and underscores
#: around words, but not inside them.
MARKS = re.compile(r"[\\`*~]|(?<=\])[(\[]|(?<!\w)_|_(?!\w)")
#: What opens a tag or an entity; "< 0.001" does not.
TAGS = {"<": "&lt;", "&": "&amp;"}
OPENING = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")
#: What makes a heading, a quotation, a list or the target of a link of a paragraph that starts with it.
START = re.compile(r"^(\d*)(?=[#>+.)\[-])")


def plain_markdown(words: str) -> str:
    """Let Markdown show words as they are.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
        On one line.
    """
    line = OPENING.sub(lambda found: TAGS[found[0]], " ".join(words.splitlines()).strip())
    return MARKS.sub(r"\\\g<0>", line)


def plain_latex(words: str) -> str:
    """Let LaTeX show words as they are.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
        On one line. A bracket or a star at its start would be read as an option of the line break before it.
    """
    line = " ".join(words.splitlines()).translate(LATEX)
    return f"{{{line[0]}}}{line[1:]}" if line.startswith(("[", "*")) else line


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
    escaped = [[plain_markdown(str(text)).replace("|", r"\|") for text in row] for row in rows]
    said = START.sub(r"\1\\", plain_markdown(caption))
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + f"\n\n{said}\n"


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
    escaped = table.map(plain_latex).rename(columns=plain_latex)
    body = escaped.to_latex(index=False, escape=False, column_format="ll" + "r" * (table.shape[1] - 2))
    said = plain_latex(caption)
    return f"\\begin{{table}}\n\\centering\n\\caption{{{said}}}\n\\label{{tab:{label}}}\n{body}\\end{{table}}\n"
