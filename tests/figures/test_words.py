import pytest

from neurobar.figures.words import name_of, p_cell, unbroken


@pytest.mark.parametrize(
    ("p", "text"), [(0.0009, "< 0.001"), (0.001, "0.001"), (1.0, "1.000"), (float("nan"), "undefined")]
)
def test_a_small_p_value_is_not_written_as_zero(p, text):
    assert p_cell(p) == text


def test_scores_have_names_for_readers():
    assert [name_of(score) for score in ("roc_auc", "balanced_accuracy", "ece")] == [
        "ROC AUC",
        "Balanced accuracy",
        "Calibration error",
    ]


def test_a_cell_breaks_before_its_interval_alone():
    assert unbroken("80.0 ± 3.0 [0.0, 90.0]").split(" ") == ["80.0\u00a0±\u00a03.0", "[0.0,\u00a090.0]"]
