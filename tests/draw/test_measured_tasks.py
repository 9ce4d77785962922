import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from neurobar.draw.measured_tasks import (
    RATES,
    RECALLS,
    bin_predictions,
    measure_task,
    spread,
    trace_hits,
    trace_precision,
)


@pytest.fixture
def cases():
    random = np.random.default_rng(3)
    label = np.arange(60) % 3 // 2  # a third are positive
    return label, (0.3 * label + 0.7 * random.random(60)).round(2)  # with ties


def predictions(rows, fold=0, seed=0):
    table = pd.DataFrame(rows, columns=["part", "label", "probability"])
    names = [f"{part}{number}" for number, part in enumerate(table["part"])]
    return table.assign(task="bar", fold=fold, seed=seed, scan=names, subject=names)


def test_the_area_below_the_traced_roc_curve_is_the_auc(cases):
    assert np.trapezoid(trace_hits(*cases), RATES) == pytest.approx(roc_auc_score(*cases), abs=0.01)


def test_a_roc_curve_has_its_values_found_by_hand():
    hits = trace_hits(np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1]))
    assert hits[RATES < 0.499].tolist() == [0.5] * 50
    assert hits[RATES >= 0.5].tolist() == [1] * 51


def test_precision_is_that_of_the_highest_threshold_which_reaches_a_recall(cases):
    label, probability = cases

    def by_definition(recall):
        for threshold in sorted(set(probability), reverse=True):
            found = probability >= threshold
            if label[found].sum() >= recall * label.sum() - 1e-9:
                return label[found].mean()

    assert trace_precision(*cases).tolist() == pytest.approx([by_definition(recall) for recall in RECALLS])
    assert trace_precision(*cases).mean() == pytest.approx(average_precision_score(*cases), abs=1e-9)


def test_bins_hold_what_was_predicted_and_observed():
    bins = bin_predictions(np.array([0, 1, 1, 1]), np.array([0.02, 0.06, 0.5, 1.0]))
    assert bins.to_numpy().tolist() == [[0, 2, 0.04, 0.5], [5, 1, 0.5, 1], [9, 1, 1, 1]]


def test_errors_are_averaged_over_folds_and_each_fold_may_choose_its_threshold():
    rows = [("test", 1, 0.7), ("test", 1, 0.2), ("test", 0, 0.6), ("test", 0, 0.1), ("test", 0, 0.3)]
    chosen = [[("select", 1, 0.9), ("select", 0, 0.66)], [("select", 1, 0.25), ("select", 0, 0.2)]]
    both = pd.concat([predictions(rows + chosen[fold], fold) for fold in (0, 1)])
    assert measure_task(both, name="x", threshold="0.5").confusion.tolist() == [[2, 1], [1, 1]]
    # From 0.78 in the first fold nothing is positive, from 0.225 in the second three scans are.
    assert measure_task(both, name="x", threshold="selected").confusion.tolist() == [[2, 1], [1.5, 0.5]]
    first = both[both["fold"] == 0]
    assert measure_task(first, name="x", threshold="selected").confusion.tolist() == [[3, 0], [2, 0]]


def test_scores_are_kept_for_each_fold_and_seed():
    rows = [("test", 1, 0.7), ("test", 0, 0.2)]
    task = measure_task(
        pd.concat([predictions(rows), predictions(rows[::-1], seed=1), predictions(rows, fold=2)]),
        name="x",
        threshold="0.5",
    )
    assert task.jobs[["seed", "fold"]].to_numpy().tolist() == [[0, 0], [0, 2], [1, 0]]
    assert task.jobs["brier"].tolist() == pytest.approx([(0.3**2 + 0.2**2) / 2] * 3)
    assert len(task.hits) == len(task.precisions) == 3
    assert task.share == 0.5
    assert task.bins["count"].sum() == 6


@pytest.mark.parametrize(("label", "curves"), [(0, (0, 0)), (1, (0, 1))])
def test_a_test_set_of_one_class_has_no_curve_but_errors_and_calibration(label, curves):
    task = measure_task(predictions([("test", label, 0.7), ("test", label, 0.2)]), name="x", threshold="0.5")
    assert (len(task.hits), len(task.precisions)) == curves
    assert task.confusion[label].tolist() == [1, 1]
    assert task.confusion.sum() == 2
    assert task.bins["observed"].tolist() == [label, label]


def test_a_threshold_that_cannot_be_chosen_is_refused():
    with pytest.raises(ValueError, match="one class"):
        measure_task(predictions([("test", 1, 0.7), ("select", 1, 0.2)]), name="x", threshold="selected")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.8, 0.9], "0.85 ± 0.07"),
        ([0.8], "0.80"),
        ([0.8, None, 0.9], "0.85 ± 0.07 (undefined in 1)"),
        ([None, None], "undefined"),
    ],
)
def test_the_spread_of_a_score_tells_what_is_undefined(values, text):
    assert spread(pd.Series(values, dtype=float)) == text
