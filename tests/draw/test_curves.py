import itertools

import numpy as np
import pandas as pd
import pytest

from neurobar.draw.curves import draw_curves, look_of
from neurobar.draw.measured_tasks import RATES, RECALLS, MeasuredTask


def task_of(name, hits, precisions, share=0.4):
    """Return a task whose curves are flat at the given heights, one for each fold."""
    scores = {"roc_auc": hits or [np.nan], "average_precision": precisions or [np.nan]}
    return MeasuredTask(
        name=name,
        jobs=pd.DataFrame(scores, dtype=float),
        hits=np.array([np.full(len(RATES), height) for height in hits]).reshape(-1, len(RATES)),
        precisions=np.array([np.full(len(RECALLS), height) for height in precisions]).reshape(-1, len(RECALLS)),
        share=share,
        confusion=np.zeros((2, 2)),
        bins=pd.DataFrame(),
    )


def words_in(figure):
    return [text.get_text() for panel in figure.get_axes() for text in panel.texts]


def test_the_mean_over_folds_lies_in_a_band_of_one_standard_deviation():
    figure = draw_curves([task_of("x", [0.5, 0.7], [0.9, 1.0])])
    roc, precision = figure.get_axes()
    mean = roc.lines[-1]
    assert mean.get_xydata()[0].tolist() == [0, 0]
    assert set(mean.get_ydata()[1:].round(9)) == {0.6}
    band = roc.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.6 - 0.02**0.5, 0.6 + 0.02**0.5))
    upper = precision.collections[0].get_paths()[0].vertices[:, 1].max()
    assert upper == 1  # not above what a precision can be
    assert words_in(figure) == ["AUC 0.60 ± 0.14", "AP 0.95 ± 0.07"]


def test_chance_is_the_diagonal_and_the_share_of_positive_scans():
    roc, precision = draw_curves([task_of("x", [0.5], [0.9], share=0.3)]).get_axes()
    assert roc.lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    assert precision.lines[0].get_ydata() == [0.3, 0.3]


def test_a_row_without_curves_says_so():
    figure = draw_curves([task_of("x", [], []), task_of("y", [0.5], [0.5])])
    assert words_in(figure)[:2] == ["AUC undefined", "AUC 0.50"]
    assert len(figure.get_axes()[0].lines[-1].get_xdata()) == 0


@pytest.mark.parametrize("number", [5, 15])
def test_many_rows_are_drawn_together_as_well_with_their_scores_in_the_legend(number):
    figure = draw_curves([task_of(f"row {place}", [place / 20, place / 20], [0.5, 0.5]) for place in range(number)])
    together, each = figure.subfigs
    legend = [text.get_text() for text in together.legends[0].get_texts()]
    assert [text.split("\n")[0] for text in legend] == [f"row {place}" for place in range(number)]
    assert "AUC 0.20 ± 0.00, AP 0.50 ± 0.00" in legend[4]
    left, right = together.get_axes()
    assert [line.get_ydata()[-1] for line in left.lines[:number]] == pytest.approx(np.arange(number) / 20)
    assert len([panel for panel in each.get_axes() if panel.get_visible()]) == 2 * number
    assert len(right.lines) == number + 1


def test_no_two_rows_look_alike_and_neighbours_differ_by_more_than_their_colour():
    looks = [(look_of(place)["color"], look_of(place)["linestyle"]) for place in range(32)]
    assert len(set(looks)) == 32
    assert all(one[1] != other[1] for one, other in itertools.pairwise(looks))
