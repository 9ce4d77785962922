import numpy as np
import pandas as pd
import pytest

from neurobar.draw.differences import draw_differences, paired_differences

COLUMNS = ["level", "score", "task", "reference", "paired", "difference", "low", "high"]
ROWS = [
    ["scan", "accuracy", "two", "one", True, 0.1, 0.05, 0.2],
    ["scan", "accuracy", "three", "one", True, np.nan, np.nan, np.nan],
    ["scan", "accuracy", "four", "one", False, np.nan, np.nan, np.nan],
    ["scan", "roc_auc", "two", "one", True, -0.3, -0.4, -0.1],
    ["scan", "roc_auc", "three", "one", True, 0.0, -0.1, 0.1],
    ["scan", "roc_auc", "four", "one", False, np.nan, np.nan, np.nan],
    ["subject", "accuracy", "two", "one", True, 0.9, 0.9, 0.9],
]
NAMES = {"one": "First", "two": "Second", "three": "Third", "four": "Fourth"}


@pytest.fixture
def table():
    tested = {"p_bootstrap_holm": [0.0005] + [0.4] * 6, "p_ttest_holm": [0.03] + [np.nan] * 6, "undefined": 0}
    return pd.DataFrame(ROWS, columns=COLUMNS).assign(**tested)


def test_differences_by_scan_of_paired_rows_are_drawn_in_points(table):
    rows = paired_differences(table, NAMES, "one")
    assert rows["pair"].tolist() == ["Second", "Third"] * 2
    assert rows["difference"].tolist() == pytest.approx([10, np.nan, -30, 0], nan_ok=True)
    assert rows["high"].tolist() == pytest.approx([20, np.nan, -10, 10], nan_ok=True)


def test_without_a_reference_a_pair_names_both_rows(table):
    assert paired_differences(table, NAMES, None)["pair"].tolist()[0] == "Second − First"


def test_a_panel_shows_difference_interval_zero_and_both_p_values(table):
    accuracy, auc = draw_differences(paired_differences(table, NAMES, "one"), "First", "").get_axes()
    assert (accuracy.get_title(), auc.get_title()) == ("Accuracy", "ROC AUC")
    assert auc.lines[0].get_xdata() == [0, 0]
    assert auc.lines[1].get_xydata().ravel().tolist() == pytest.approx([-30, 0, 0, 1])
    (interval, _) = auc.collections[0].get_segments()
    assert interval.ravel().tolist() == pytest.approx([-40, 0, -10, 0])
    words = [text.get_text() for text in accuracy.texts]
    assert words == ["< 0.001\n0.030", "undefined", "0.400\nundefined", "p draws\np t-test"]
    assert [label.get_text() for label in accuracy.get_yticklabels()] == ["Second", "Third"]


def test_the_axis_names_the_row_that_others_are_compared_with(table):
    rows = paired_differences(table, NAMES, "one")
    assert draw_differences(rows, "First", "").get_supxlabel() == "difference from First [percentage points]"
    assert draw_differences(rows, None, "").get_supxlabel() == "difference [percentage points]"


def test_where_nothing_is_paired_the_figure_says_so(table):
    rows = paired_differences(table.assign(paired=False), NAMES, "one")
    figure = draw_differences(rows, "First", "There is none.")
    assert [text.get_text() for text in figure.texts] == ["There is none."]
    assert not figure.get_axes()
