"""Small pictures of the rows of a table, side by side."""

from __future__ import annotations

import math
from textwrap import fill

MOST = 5  # pictures beside each other on a page
MARGIN_MM, LETTER_MM = 6.0, 1.6  # between the titles of two pictures, and width of a letter of 7.5 points
TITLE_POINTS = 7.5


def lay_out(number: int) -> tuple[int, int]:
    """Decide how many columns and rows of small pictures there are, so that the rows are about equally full.

    Parameters
    ----------
    number : int
        Of pictures.

    Returns
    -------
    columns, rows : int
    """
    rows = math.ceil(number / MOST)
    return math.ceil(number / rows), rows


def title_of(name: str, width_mm: float) -> str:
    """Break a name into lines that fit above a small picture.

    Parameters
    ----------
    name : str
    width_mm : float
        Of the picture with what belongs to it.

    Returns
    -------
    str
    """
    return fill(name, max(8, int((width_mm - MARGIN_MM) / LETTER_MM)))
