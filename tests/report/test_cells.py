from neurobar.report.cells import difference_cell, mean_cell

NAN = float("nan")


def test_a_mean_says_when_it_is_undefined():
    assert mean_cell(80.04, 2.96) == "80.0 ± 3.0"
    assert mean_cell(80.0, None) == "80.0"
    assert mean_cell(None, None) == "–"
    assert mean_cell(NAN, NAN, undefined=5) == "undefined"
    assert mean_cell(50.0, 1.0, undefined=2) == "50.0 ± 1.0 (undefined in 2)"


def test_an_interval_stands_in_brackets_unless_a_fold_is_undefined():
    assert mean_cell(80.0, 3.0, interval=(-0.04, 90.0)) == "80.0 ± 3.0 [0.0, 90.0]"
    assert mean_cell(80.0, 3.0, interval=(NAN, NAN)) == "80.0 ± 3.0 [undefined]"
    assert mean_cell(80.0, 3.0, interval=(NAN, NAN), undefined=1) == "80.0 ± 3.0 (undefined in 1)"


def test_a_difference_has_a_sign_unless_it_is_zero():
    assert difference_cell(1.25, interval=(-10.04, 3)) == "+1.2 [−10.0, 3.0]"
    assert difference_cell(-1.5, interval=(-3, 0.0)) == "−1.5 [−3.0, 0.0]"
    assert difference_cell(-0.01, interval=(-0.04, 10.0)) == "0.0 [0.0, 10.0]"
    assert difference_cell(10.0, interval=(NAN, NAN), undefined=2) == "+10.0 (undefined in 2)"
    assert difference_cell(NAN, interval=(NAN, NAN), undefined=5) == "undefined"
