import re

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from neurobar.draw.cohort_flow import draw_flow, follow_scans, group_reason, lay_out_flow

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": ["MCI"]}


def tables(failed="overlap is 0.2, below 0.88."):
    """Write a cohort of twelve scans: two ignored, three left out, one kept, seven in a test set and two folds."""
    told = ["CN", "AD"] * 5 + ["MCI", "MCI"]
    subjects = ["a", "b", "a", "c", "d", "e", "f", "g", "h", "i", "a", "j"]
    listed = pd.DataFrame({"scan": [f"s{i}" for i in range(12)], "subject": subjects, "told": told, "site": None})
    reasons = ["Kept in the config: overlap is 0.2, below 0.88.", None, failed, failed, "Excluded in the config."]
    packed = pd.DataFrame({"scan": listed["scan"][:10], "used": True, "reason": reasons + [None] * 5})
    packed.loc[2:4, "used"] = False
    parts = {"s0": "test", "s1": "test", "s5": "0", "s6": "0", "s7": "1", "s8": "1", "s9": "1"}
    folds = pd.DataFrame({"scan": list(parts), "label": [0, 1, 1, 0, 1, 0, 1], "part": list(parts.values())})
    return listed, packed, folds


@pytest.fixture
def scans():
    return follow_scans(*tables(), COHORT["ignored"])


def lines_of(scans, cohort=COHORT):
    boxes, _ = lay_out_flow(scans, cohort)
    return {box.lines[0]: box.lines[1:] for box in boxes}


@pytest.mark.parametrize(
    ("reason", "group"),
    [
        ("Excluded in the config.", "excluded in the config"),
        ("No credible registration was found in 8 attempts. overlap is 0.2, below 0.88.", "no credible registration"),
        ("It is said to be registered, but does not lie on the template.", "no credible registration"),
        ("overlap is 0.2, below 0.88. brain_ml is 2300.5, above 2100.", "overlap, brain_ml beyond limits"),
        ("overlap is nan, below 0.88.", "overlap beyond limits"),
        ("Whatever.", "other reasons"),
    ],
)
def test_each_reason_has_one_group(reason, group):
    assert group_reason(reason) == group


def test_each_scan_ends_in_one_place(scans):
    assert scans["stage"].tolist() == ["used", "used", *["check"] * 3, *["used"] * 5, "label", "label"]
    assert scans["scan"][scans["kept"]].tolist() == ["s0"]
    assert scans["group"].tolist()[-2:] == ["MCI", "MCI"]


def test_boxes_count_scans_and_subjects_at_each_step(scans):
    lines = lines_of(scans)
    assert lines["Sheet of scans"] == ["12 scans of 10 subjects"]
    ignored = lines["Left out: diagnosis ignored in the config"]
    assert ignored == ["2 scans, of which", "MCI: 2", "without a scan left: 1 subject"]
    assert lines["diagnosis CN or AD"] == ["10 scans of 9 subjects"]
    left_out = ["3 scans, of which", "overlap beyond limits: 2", "excluded in the config: 1"]
    assert lines["Left out by checks or by name"] == [*left_out, "without a scan left: 2 subjects"]
    taken = ["7 scans of 7 subjects", "CN: 3 scans of 3 subjects", "AD: 4 scans of 4 subjects"]
    assert lines["Take part"] == [*taken, "1 kept by name although a check failed"]
    assert lines["Test set"] == ["2 scans of 2 subjects", "CN: 1 scan of 1 subject", "AD: 1 scan of 1 subject"]
    assert lines["Fold 1"] == ["3 scans of 3 subjects", "CN: 1 of 1", "AD: 2 of 2"]


def test_the_folds_and_the_test_set_add_up(scans):
    lines = lines_of(scans)
    counts = {title: int(re.match(r"\d+", words[0]).group()) for title, words in lines.items() if words}
    assert counts["Fold 0"] + counts["Fold 1"] == counts["Development"]
    assert counts["Development"] + counts["Test set"] == counts["Take part"]
    assert counts["Take part"] + counts["Left out by checks or by name"] == counts["diagnosis CN or AD"]


def test_without_ignored_labels_there_is_no_box_for_them():
    listed, packed, folds = tables()
    lines = lines_of(follow_scans(listed[:10], packed, folds, []), COHORT | {"ignored": []})
    assert not [title for title in lines if "ignored" in title or title.startswith("diagnosis")]
    assert lines["Sheet of scans"] == ["10 scans of 9 subjects"]


def test_a_cohort_that_lost_none_says_so():
    listed, packed, folds = tables()
    used = packed["scan"].isin(folds["scan"])
    scans = follow_scans(listed[:10][used], packed[used].assign(reason=None), folds, [])
    assert lines_of(scans)["Left out by checks or by name"] == ["none"]
    assert len(lines_of(scans)["Take part"]) == 3


def test_many_reasons_are_joined_but_counted(scans):
    reasons = [f"m{i} is 0.2, below 0.88." for i in range(11)]
    listed = pd.DataFrame({"scan": [f"x{i}" for i in range(12)], "subject": "a", "told": "CN", "site": None})
    packed = pd.DataFrame({"scan": listed["scan"], "used": [False] * 11 + [True], "reason": [*reasons, None]})
    folds = pd.DataFrame({"scan": ["x11"], "label": [0], "part": ["0"]})
    left_out = lines_of(follow_scans(listed, packed, folds, []))["Left out by checks or by name"]
    assert left_out[0] == "11 scans, of which"
    assert sum(int(line.split(": ")[1]) for line in left_out[1:-1]) == 11
    assert left_out[-2] == "3 other groups: 3"


def test_a_fold_without_a_class_counts_none(scans):
    empty = scans[~((scans["part"] == "0") & (scans["label"] == 1))]
    assert lines_of(empty)["Fold 0"][1:] == ["CN: 1 of 1", "AD: 0 of 0"]


def test_no_box_lies_on_another_and_none_leaves_the_page(scans):
    boxes, _ = lay_out_flow(pd.concat([scans] * 2), COHORT | {"positive": "a class with a very long name" * 3})
    folds = next(box for box in boxes if box.lines[0].startswith("Folds"))
    outer = [box for box in boxes if box.top <= folds.top]
    for number, one in enumerate(outer):
        assert one.left >= 0
        assert one.left + one.width <= 180
        for other in outer[number + 1 :]:
            apart = one.left + one.width <= other.left or other.left + other.width <= one.left
            assert apart or one.bottom <= other.top or other.bottom <= one.top
    assert all(box.bottom <= folds.bottom for box in boxes)


@pytest.mark.parametrize("positive", ["AD", "a class with a name that is far too long for any box" * 2])
def test_words_stay_inside_their_boxes(scans, positive):
    figure = draw_flow(scans, COHORT | {"positive": positive})
    frames = [patch.get_window_extent() for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    renderer = FigureCanvasAgg(figure).get_renderer()
    words = [text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()]
    assert len(words) > 20
    for word in words:
        around = [frame for frame in frames if frame.contains(word.x0, (word.y0 + word.y1) / 2)]
        smallest = min(around, key=lambda frame: abs(frame.width * frame.height))
        assert word.x1 <= smallest.xmax
        assert smallest.ymin <= word.y0 <= word.y1 <= smallest.ymax
