import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from neurobar.draw.class_tokens import OTHERS, UNKNOWN, draw_tokens, group_sites, project_tokens
from neurobar.figures.style import COLOURS, NEGATIVE, POSITIVE


@pytest.fixture
def table():
    places = np.random.default_rng(1).normal(size=(7, 2))
    table = pd.DataFrame(places, columns=["pc_1", "pc_2"])
    table["part"] = ["train", "train", "select", "test", "test", "train", "test"]
    table["label"] = [0, 1, 0, 0, 1, 1, 1]
    table["age"] = [60, 70, 80, np.nan, 65, 75, 85]
    return table.assign(site=["a", "b", None, "a", "b", "b", "b"])


def places_of(scatters):
    return np.concatenate([scatter.get_offsets() for scatter in scatters]).round(6).tolist()


def test_a_projection_keeps_the_directions_of_largest_variance():
    random = np.random.default_rng(0)
    directions = np.linalg.qr(random.normal(size=(5, 5)))[0]
    tokens = random.normal(size=(400, 5)) * [8, 2, 0.1, 0.1, 0.1] @ directions + 3
    places, explained = project_tokens(tokens.astype(np.float32))
    assert np.abs(np.corrcoef(places[:, 0], tokens @ directions[0])[0, 1]) > 0.99
    assert explained[0] == pytest.approx(64 / 68, abs=0.02)
    assert explained.sum() == pytest.approx(1, abs=0.01)


def test_equal_tokens_lie_on_one_spot():
    places, explained = project_tokens(np.full((4, 3), 0.7, np.float32))
    assert not places.any()
    assert not explained.any()


def test_small_sites_share_a_colour_where_there_are_many():
    sites = pd.Series([f"site {number}" for number in range(9) for _ in range(9 - number)] + [None])
    grouped = group_sites(sites)
    assert grouped.value_counts()[["site 0", "site 5", OTHERS, UNKNOWN]].tolist() == [9, 4, 3 + 2 + 1, 1]
    assert "site 6" not in set(grouped)
    assert group_sites(pd.Series(["b", None, "a"])).tolist() == ["b", UNKNOWN, "a"]


def test_classes_differ_by_colour_and_filling_and_the_test_set_by_marker(table):
    panel = draw_tokens(table, np.array([0.8, 0.1]), ("CN", "AD")).get_axes()[0]
    chosen = [(0, False), (1, False), (0, True), (1, True)]
    for scatter, (label, is_test) in zip(panel.collections, chosen, strict=True):
        rows = table[(table["label"] == label) & ((table["part"] == "test") == is_test)]
        assert places_of([scatter]) == rows[["pc_1", "pc_2"]].to_numpy().round(6).tolist()
        assert to_hex(scatter.get_edgecolor()[0]).upper() == (NEGATIVE, POSITIVE)[label].upper()
        assert len(scatter.get_facecolor()) == label
        assert len(scatter.get_paths()[0].vertices) == (4 if is_test else 26)  # triangle and circle
    assert panel.get_xlabel() == "component 1 (80 % of variance)"
    assert panel.get_ylabel() == "component 2 (10 % of variance)"


def test_ages_share_one_scale_and_an_unknown_one_is_grey(table):
    panel = draw_tokens(table, np.zeros(2), ("CN", "AD")).get_axes()[1]
    coloured = [scatter for scatter in panel.collections if scatter.get_array() is not None]
    assert {scatter.get_clim() for scatter in coloured} == {(60, 85)}
    assert sorted(np.concatenate([scatter.get_array() for scatter in coloured])) == [60, 65, 70, 75, 80, 85]
    assert panel.get_title() == "age (grey: unknown)"
    assert len(places_of(panel.collections)) == 7


def test_each_site_has_a_colour_and_an_unknown_one_is_grey(table):
    panels = draw_tokens(table, np.zeros(2), ("CN", "AD")).get_axes()
    others, test = panels[2].collections
    colours = [to_hex(colour).upper() for colour in others.get_facecolor()]
    assert colours == [COLOURS[0], COLOURS[1], "#BFBFBF", COLOURS[1]]
    assert [to_hex(colour).upper() for colour in test.get_facecolor()] == [COLOURS[0], COLOURS[1], COLOURS[1]]
    assert [text.get_text() for text in panels[5].get_legend().get_texts()] == ["a", "b", UNKNOWN]


def test_what_the_sheet_does_not_tell_the_panels_say(table):
    panels = draw_tokens(table.assign(site=None, age=np.nan), np.zeros(2), ("CN", "AD")).get_axes()
    assert [panel.get_title() for panel in panels[1:3]] == ["age (the sheet has none)", "site (the sheet has none)"]
    assert [len(places_of(panel.collections)) for panel in panels[:3]] == [7, 7, 7]
