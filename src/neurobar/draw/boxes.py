"""Boxes of words with arrows between them, placed in millimetres on a page."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from neurobar.figures.style import PAGE_MM, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 7.5
LINE_MM, LETTER_MM, BOLD_MM, PAD_MM = 3.6, 1.45, 1.75, 2.0  # of letters of that size


@dataclass(frozen=True)
class Box:
    """Lines of words in a frame.

    Attributes
    ----------
    left, top, width, height : float
        From the upper left corner of the page [mm].
    lines : list of str
    headings : int
        How many of the lines, from the first, are the heading.
    fill : str
        Colour.
    """

    left: float
    top: float
    width: float
    height: float
    lines: list[str]
    headings: int = 1
    fill: str = "white"

    @property
    def bottom(self) -> float:
        """Return where the box ends [mm]."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """Return where its middle is between left and right [mm]."""
        return self.left + self.width / 2


def box_of(left: float, top: float, width: float, lines: list[str], fill: str = "white") -> Box:
    """Wrap lines into a frame that is as high as they are.

    Parameters
    ----------
    left, top, width : float
        See `Box`.
    lines : list of str
        The first is the heading.
    fill : str

    Returns
    -------
    Box
    """
    room = width - 2 * PAD_MM
    heading = wrap(lines[0], int(room / BOLD_MM))
    wrapped = heading + [part for line in lines[1:] for part in wrap(line, int(room / LETTER_MM))]
    return Box(left, top, width, LINE_MM * len(wrapped) + 2 * PAD_MM, wrapped, len(heading), fill)


def draw_boxes(boxes: list[Box], arrows: list[list[tuple[float, float]]]) -> Figure:
    """Draw boxes and arrows as wide as a page.

    Parameters
    ----------
    boxes : list of Box
        Later ones lie over earlier ones.
    arrows : list of list of (float, float)
        Corners of each, from its start to its tip [mm].

    Returns
    -------
    matplotlib.figure.Figure
        As high as the boxes.
    """
    height = max(box.bottom for box in boxes) + 1
    figure = new_figure(height_mm=height)
    figure.set_layout_engine("none")  # places are in millimetres already
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_MM), ylim=(height, 0))
    axes.set_axis_off()
    for corners in arrows:
        axes.plot(*zip(*corners, strict=True), color="0.3", linewidth=0.8, zorder=0)
        looks = {"arrowstyle": "-|>", "color": "0.3", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", corners[-1], corners[-2], arrowprops=looks)
    for box in boxes:
        _draw_box(axes, box)
    return figure


def _draw_box(axes: Axes, box: Box) -> None:
    frame = {"facecolor": box.fill, "edgecolor": "0.3", "linewidth": 0.8}
    axes.add_patch(Rectangle((box.left, box.top), box.width, box.height, **frame))
    for number, line in enumerate(box.lines):
        place = (box.left + PAD_MM, box.top + PAD_MM + (number + 0.5) * LINE_MM)
        weight = "bold" if number < box.headings else "normal"
        axes.text(*place, line, va="center", fontsize=POINTS, fontweight=weight)
