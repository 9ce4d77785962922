import pandas as pd
import pytest

from neurobar.draw.scan_names import FAILED, cover_names, name_scans
from neurobar.preprocess.judge_scans import find_reasons

NAME = "ZQXsubject01"
CHECKS = pd.DataFrame({"scan": ["b", "a", "c"], "reason": ["", "overlap is 0.2, below 0.88.", ""]})


def covered(reason):
    return cover_names(name_scans(pd.DataFrame({"scan": [NAME], "reason": [reason]}), by="row"))["reason"][0]


def test_scans_are_called_by_their_names_or_by_their_rows():
    assert name_scans(CHECKS, by="scan")["named"].tolist() == ["b", "a", "c"]
    assert name_scans(CHECKS, by="row")["named"].tolist() == ["row 1", "row 2", "row 3"]


def test_where_names_are_covered_none_is_left_and_reasons_stay():
    table = cover_names(name_scans(CHECKS, by="row"))
    assert table["scan"].tolist() == ["row 1", "row 2", "row 3"]
    assert table["reason"].tolist() == CHECKS["reason"].tolist()


@pytest.mark.parametrize("value", [0.2, 12, -1.5, 1e-7, float("nan"), float("inf")])
@pytest.mark.parametrize("prepared", ["", "registered"])
@pytest.mark.parametrize("kept", ["", "Kept in the config: "])
def test_all_that_a_check_says_of_a_scan_is_said_whole(value, prepared, kept):
    measured = {"credible": False, "prepared": prepared, "starts": 5, "brain_ml": value}
    for limits in ([850, 2100.5], [1e-9, 1e-8]):
        reason = kept + " ".join(find_reasons(measured, {"brain_ml": limits}))
        assert covered(reason) == reason


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Excluded in the config.", "Excluded in the config."),
        (f"/home/{NAME}/x.nii.gz holds no image.", FAILED),
        (f"{NAME}: overlap is 0.2, below 0.88.", "overlap is 0.2, below 0.88."),
        (f"path is {NAME}, below 0.88.", FAILED),
        ("", ""),
    ],
)
def test_what_may_hold_a_name_is_not_said(reason, said):
    assert covered(reason) == said
