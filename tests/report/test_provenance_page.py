import pytest

from neurobar.report.provenance_page import describe_code, list_values, tabulate_rules

COSTS = {"jobs": 2, "seconds_median": 1.25, "seconds_sum": 2.5, "last_ended": "2026-01-01T10:00:09+00:00"}


@pytest.mark.parametrize(
    ("commit", "clean", "said"),
    [
        ("abc123", True, "commit abc123, with nothing changed since)"),
        ("abc123", False, "commit abc123, with changes since that are not in it)"),
        ("abc123", None, "commit abc123)"),
        (None, None, "commit not known)"),
    ],
)
def test_the_code_is_named_with_what_was_changed_since(commit, clean, said):
    told = {"commit": {"commit": commit, "clean": clean}, "versions": {"neurobar": "1.2", "python": "3.11.2"}}
    sentence = describe_code(told | {"written": "2026-01-01T10:00:00+00:00"})
    assert f"Made with neurobar 1.2 ({said} and Python 3.11.2; written 2026-01-01 10:00:00 UTC." in sentence


def test_rules_stand_in_the_order_in_which_they_began():
    rules = {
        "b": COSTS | {"first_started": "2026-01-01T10:00:07+00:00", "largest_rss_mb": None},
        "a": COSTS | {"first_started": "2026-01-01T10:00:08+00:00", "largest_rss_mb": 12.6},
        "c": COSTS | {"first_started": "2025-12-31T10:00:09+00:00", "largest_rss_mb": 1},
    }
    table = tabulate_rules(rules)
    assert table["Rule"].tolist() == ["c", "b", "a"]
    assert table["Memory [MB]"].tolist() == ["1", "–", "13"]
    assert table.iloc[0].tolist()[1:4] == ["2", "1.2", "2.5"]


def test_values_at_any_depth_have_a_row_with_their_way():
    shown = list_values({"a": {"b": {"c": 1.5}, "d": []}, "e": None, "f": {}, "g": "word"})
    rows = [row.replace("<td>", " ").split() for row in shown.replace("</td>", " ").split("<tr>")[1:]]
    assert [row[:2] for row in rows] == [["a.b.c", "1.5"], ["a.d", "[]"], ["e", "–"], ["f", "{}"], ["g", "word"]]
