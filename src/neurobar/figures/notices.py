"""Figures that have nothing to show but why there is nothing to see."""

from __future__ import annotations

from textwrap import fill

from matplotlib.figure import Figure

from neurobar.figures.style import new_figure


def figure_of_words(sentence: str) -> Figure:
    """Write a sentence in place of a figure.

    Parameters
    ----------
    sentence : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(height_mm=20)
    figure.text(0.5, 0.5, fill(sentence, 100), ha="center", va="center", color="#444444")
    return figure
