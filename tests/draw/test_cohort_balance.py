import numpy as np
import pandas as pd
import pytest

from neurobar.draw.cohort_balance import MOST_POINTS, draw_balance


@pytest.fixture
def scans():
    """Return forty subjects, one of whom was scanned twice, in a test set and three folds."""
    subjects = [*range(40), 0]
    return pd.DataFrame(
        {
            "subject": subjects,
            "label": [i % 2 for i in subjects],
            "age": [60.0 + i for i in subjects],
            "sex": ["F" if i % 8 < 4 else "M" for i in subjects],
            "site": None,
            "part": [["test", "0", "1", "2"][i % 8 // 2] for i in subjects],
        }
    )


def points_of(panel, marker):
    return [line for line in panel.lines if line.get_marker() == marker and len(line.get_xdata())]


def test_each_subject_is_one_point_of_its_class(scans):
    above, _ = draw_balance(scans, ("CN", "AD")).axes
    for marker, label in (("o", 0), ("^", 1)):
        ages = np.concatenate([line.get_ydata() for line in points_of(above, marker)])
        assert sorted(ages) == sorted(60.0 + i for i in range(40) if i % 2 == label)


def test_points_lie_over_their_part(scans):
    above, below = draw_balance(scans, ("CN", "AD")).axes
    first = points_of(above, "o")[0]
    assert np.abs(first.get_xdata()).max() < 0.5
    assert set(first.get_ydata()) == {60, 68, 76, 84, 92}
    assert [text.get_text() for text in below.get_xticklabels()][:2] == ["test\nn = 10", "fold 0\nn = 10"]


def test_shares_of_women_stand_below(scans):
    _, below = draw_balance(scans, ("CN", "AD")).axes
    assert [line.get_ydata()[0] for line in points_of(below, "D")] == [100, 100, 0, 0]
    assert below.lines[0].get_ydata()[0] == 50


def test_large_groups_are_boxes_with_what_lies_outside(scans):
    many = pd.concat([scans.assign(subject=scans["subject"] + 100 * i) for i in range(30)])
    above, _ = draw_balance(many, ("CN", "AD")).axes
    assert sum(many["part"] == "test") > 2 * MOST_POINTS
    assert points_of(above, "o") == []


def test_a_class_that_is_missing_in_a_fold_and_unknown_values_break_nothing(scans):
    scans = scans[~((scans["part"] == "1") & (scans["label"] == 1))]
    scans = scans.assign(age=scans["age"].where(scans["part"] != "2"), sex=scans["sex"].where(scans["part"] != "0"))
    above, below = draw_balance(scans, ("CN", "AD")).axes
    assert len(points_of(above, "^")) == 2
    assert len(points_of(below, "D")) == 3


def test_a_sheet_without_age_and_sex_says_so(scans):
    above, below = draw_balance(scans.assign(age=np.nan, sex=None), ("CN", "AD")).axes
    assert above.texts[0].get_text() == "The sheet names no age."
    assert below.texts[0].get_text() == "The sheet names no sex."
