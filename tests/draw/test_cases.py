import numpy as np
import pandas as pd
import pytest

from neurobar.draw.cases import draw_calibration, draw_confusion
from neurobar.draw.measured_tasks import RATES, RECALLS, MeasuredTask, bin_predictions

LABEL, PROBABILITY = np.array([0, 0, 1, 1]), np.array([0.05, 0.62, 0.64, 0.95])


@pytest.fixture
def task():
    return MeasuredTask(
        name="BAR + Recon",
        jobs=pd.DataFrame({"ece": [0.1, 0.2], "brier": [0.15, 0.15]}),
        hits=np.zeros((2, len(RATES))),
        precisions=np.zeros((2, len(RECALLS))),
        share=0.5,
        confusion=np.array([[6.5, 1.5], [0.0, 0.0]]),
        bins=bin_predictions(LABEL, PROBABILITY),
    )


def test_a_cell_holds_the_mean_number_and_the_percentage_of_its_true_class(task):
    figure = draw_confusion([task], [("CN", "AD")])
    (panel,) = figure.get_axes()
    cells = {text.get_position(): text.get_text() for text in panel.texts}  # predicted class across, true class down
    assert cells == {(0, 0): "6.5\n81 %", (1, 0): "1.5\n19 %", (0, 1): "0.0", (1, 1): "0.0"}
    assert [label.get_text() for label in panel.get_xticklabels()] == ["CN", "AD"]
    assert panel.images[0].get_array().tolist() == [[0.8125, 0.1875], [0, 0]]


def test_each_row_names_the_classes_of_its_cohort(task):
    one, other = draw_confusion([task, task], [("CN", "AD"), ("no", "yes")]).get_axes()
    assert [[label.get_text() for label in panel.get_yticklabels()] for panel in (one, other)] == [
        ["CN", "AD"],
        ["no", "yes"],
    ]


def test_calibration_shows_what_was_observed_the_share_of_each_bin_and_the_scores(task):
    (panel,) = draw_calibration([task]).get_axes()
    assert panel.lines[1].get_xydata().ravel().tolist() == pytest.approx([0.05, 0, 0.63, 0.5, 0.95, 1])
    assert [bar.get_height() for bar in panel.patches] == [0.25, 0.5, 0.25]
    assert [bar.get_x() for bar in panel.patches] == pytest.approx([0, 0.6, 0.9])
    assert panel.texts[0].get_text() == "ECE 0.15 ± 0.07\nBrier 0.15 ± 0.00"
    sizes = panel.collections[0].get_sizes()
    assert sizes[1] > sizes[0] == sizes[2]


@pytest.mark.parametrize(("number", "panels"), [(1, 1), (6, 6), (15, 15)])
def test_every_row_has_its_panel(task, number, panels):
    visible = [panel for panel in draw_calibration([task] * number).get_axes() if panel.get_visible()]
    assert len(visible) == panels
