import numpy as np
import pytest
from matplotlib.colors import to_hex

from neurobar.draw.montage import KEPT, choose_evenly, draw_montage, shorten_name


@pytest.fixture
def volumes():
    """Return seven brains of ones on a grid of unequal axes; their right edge is brighter."""
    brain = np.zeros((12, 15, 18), np.float16)
    brain[2:10, 2:13, 2:15] = 1
    brain[8:10, 2:13, 2:15] = 3
    return [brain] * 7


@pytest.mark.parametrize(
    ("number", "most", "chosen"), [(3, 5, [0, 1, 2]), (9, 3, [0, 4, 8]), (1, 4, [0]), (5, 5, [0, 1, 2, 3, 4])]
)
def test_scans_are_chosen_evenly_with_both_ends(number, most, chosen):
    assert choose_evenly(number, most).tolist() == chosen


def test_many_scans_are_chosen_as_often_as_asked():
    assert len(choose_evenly(5000, 40)) == 40


def test_the_ends_of_a_long_name_stay():
    assert shorten_name("sub-01") == "sub-01"
    short = shorten_name("sub-0123456789_ses-0123456789", 11)
    assert short == "sub-0…56789"
    assert len(short) == 11


def test_each_scan_has_two_planes_with_its_sides(volumes):
    figure = draw_montage(volumes, [f"scan-{i}" for i in range(7)], [False] * 7)
    assert len(figure.axes) == 14
    for panel in figure.axes:
        assert {text.get_text(): text.get_position()[0] < 0.5 for text in panel.texts} == {"L": True, "R": False}
    assert [text.get_text() for text in figure.texts] == [f"scan-{i}" for i in range(7)]


def test_the_right_side_of_the_brain_is_on_the_right_of_every_picture(volumes):
    for panel in draw_montage(volumes, list("abcdefg"), [False] * 7).axes:
        shown = np.asarray(panel.images[0].get_array(), float)
        assert panel.images[0].origin == "lower"
        middle = shown.shape[1] // 2
        assert shown[:, middle:].max() == 3
        assert shown[:, :middle].max() == 1


def test_planes_of_a_scan_are_equally_high(volumes):
    axial, coronal = draw_montage(volumes[:1], ["a"], [False]).axes
    assert axial.images[0].get_array().shape == coronal.images[0].get_array().shape == (15, 10)


def test_a_scan_that_was_kept_has_a_frame_and_a_word(volumes):
    figure = draw_montage(volumes[:2], ["a", "b"], [False, True])
    framed = [panel.spines["left"].get_visible() for panel in figure.axes]
    assert framed == [False, False, True, True]
    assert to_hex(figure.axes[2].spines["top"].get_edgecolor()) == KEPT.lower()
    assert [text.get_text() for text in figure.texts] == ["a", "kept: b"]


def test_an_empty_volume_breaks_nothing(volumes):
    assert len(draw_montage([np.zeros_like(volumes[0])], ["a"], [False]).axes) == 2
