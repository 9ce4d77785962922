import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from neurobar.commands.prediction_figures import choose_planes, draw_bars, draw_brain, draw_spread
from neurobar.figures.style import NEGATIVE, POSITIVE

CONFIG = {"classes": {"negative": "CN", "positive": "AD"}, "threshold": 0.4, "folds": [0, 3]}


@pytest.fixture
def regions():
    table = {"rank": [1, 2], "region": [2, 1], "name": ["Big_One", "Small"], "change": [-0.3, 0.1]}
    return pd.DataFrame(table | {"change_sd": [0.2, 0.1]})


def test_each_model_is_a_point_in_the_row_of_its_fold_beside_mean_and_threshold():
    models = pd.DataFrame({"fold": [0, 3, 3], "seed": [0, 0, 1], "probability": [0.2, 0.7, 0.9]})
    panel = draw_spread(models, CONFIG).axes[0]
    threshold, mean, points = panel.lines
    assert threshold.get_xdata() == [0.4, 0.4]
    assert mean.get_xdata() == pytest.approx([0.6, 0.6])
    assert [*zip(*points.get_data(), strict=True)] == [(0.2, 0), (0.7, 1), (0.9, 1)]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["fold 0", "fold 3"]


def test_bars_stand_in_the_order_of_the_table_with_the_colour_of_the_class_they_speak_for(regions):
    panel = draw_bars(regions, CONFIG).axes[0]
    assert [(bar.get_width(), to_hex(bar.get_facecolor()).upper()) for bar in panel.patches] == [
        (-0.3, NEGATIVE),
        (0.1, POSITIVE),
    ]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["Big One", "Small"]
    low, high = panel.get_ylim()
    assert low > high  # the first is above


def test_the_planes_are_those_that_show_most():
    strength = np.zeros((5, 6, 7))
    strength[1, 4, 2] = 0.5
    strength[3, :, 6] = 0.2
    assert [(plane.axis, plane.place) for plane in choose_planes(strength)] == [(0, 3), (1, 4), (2, 6)]


def test_a_region_is_the_more_opaque_the_more_it_changes(regions):
    atlas = np.zeros((12, 10, 11), np.uint8)
    atlas[2:5, 2:8, 2:8], atlas[7:10, 2:8, 2:8] = 1, 2
    volume = np.where(np.pad(np.ones((8, 6, 7)), 2), 1.0, 0).astype(np.float32)
    overlays = [panel.images[1].get_array() for panel in draw_brain(volume, atlas, regions, CONFIG).axes[:3]]
    opacity = {round(float(value), 3) for overlay in overlays for value in np.unique(overlay[..., 3])}
    assert opacity == {0.0, 0.283, 0.85}
