import numpy as np
import pytest
from matplotlib.figure import Figure

from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE
from neurobar.figures.planes import (
    Plane,
    aspect_of,
    colour_regions,
    crop_plane,
    crop_to,
    cut_plane,
    outline,
    place_mm_of,
    plane_at,
    show_plane,
)

SHAPE = (3, 4, 5)


@pytest.fixture
def volume():
    """Return a volume whose values tell their voxel: 100 for each to the right, 10 forwards, 1 upwards."""
    x, y, z = np.indices(SHAPE)
    return 100 * x + 10 * y + z


@pytest.fixture
def panel():
    return Figure().subplots()


@pytest.mark.parametrize(
    ("plane", "first", "right", "up"),
    [(Plane(0, 2), 200, 10, 1), (Plane(1, 3), 30, 100, 1), (Plane(2, 4), 4, 100, 10)],
    ids=["sagittal", "coronal", "axial"],
)
def test_columns_run_to_the_right_or_forwards_and_rows_up_or_forwards(volume, plane, first, right, up):
    picture = cut_plane(volume, plane)
    assert picture[0, 0] == first
    assert picture[0, 1] - first == right
    assert picture[1, 0] - first == up


def test_colours_stay_with_their_voxels(volume):
    picture = cut_plane(np.stack([volume, -volume], -1), Plane(1, 2))
    assert picture.shape == (5, 3, 2)
    assert picture[4, 1].tolist() == [124, -124]


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_lies_within_half_a_voxel_of_the_place_that_is_asked_for(axis, factor):
    shape = tuple(length // factor for length in GRID_SHAPE)
    for place_mm in (-70.3, -18.0, 0.5, 33.9, 60.0):
        plane = plane_at(axis, place_mm, shape)
        assert abs(place_mm_of(plane, shape) - place_mm) <= factor * 1.0
    assert place_mm_of(Plane(axis, 7)) == GRID_AFFINE[axis] @ [7, 7, 7, 1]


def test_a_place_beyond_the_grid_is_its_first_or_last_plane():
    assert plane_at(2, -500.0, (3, 4, 5)) == (2, 0)
    assert plane_at(1, 500.0, (3, 4, 5)) == (1, 3)


def test_the_box_is_as_small_as_the_mask_and_its_margin_allow(volume):
    mask = (volume == 112) | (volume == 213)
    assert crop_to(mask, 0) == (slice(1, 3), slice(1, 2), slice(2, 4))
    assert crop_to(mask, 1) == (slice(0, 3), slice(0, 3), slice(1, 5))
    assert crop_to(volume < 0) == (slice(0, 3), slice(0, 4), slice(0, 5))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_cropped_plane_is_the_plane_of_the_cropped_volume(volume, axis):
    box = (slice(1, 3), slice(1, 4), slice(0, 4))
    cropped = crop_plane(cut_plane(volume, Plane(axis, 1)), Plane(axis, 1), box)
    box_of_plane = list(box)
    box_of_plane[axis] = slice(0, None)
    assert np.array_equal(cropped, cut_plane(volume[tuple(box_of_plane)], Plane(axis, 1)))
    assert cropped.shape[0] / cropped.shape[1] == aspect_of(Plane(axis, 1), box)


def test_left_is_on_the_left_where_the_first_axis_runs_to_the_right(volume, panel):
    show_plane(panel, cut_plane(volume, Plane(1, 0)), Plane(1, 0))
    places = {text.get_text(): text.get_position()[0] for text in panel.texts}
    assert places["L"] < 0.5 < places["R"]
    low, high = panel.get_ylim()
    assert low < high
    panel.clear()
    show_plane(panel, cut_plane(volume, Plane(0, 0)), Plane(0, 0))
    assert {text.get_text() for text in panel.texts} == {"P", "A"}


def test_the_outline_runs_along_the_edges_of_the_masks_voxels(panel):
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = mask[1, 3] = True
    outline(panel, mask)
    segments = panel.collections[0].get_segments()
    assert len(segments) == 6  # around two voxels, without the edge between them
    ends = np.concatenate(segments)
    assert ends.min(0).tolist() == [1.5, 0.5]
    assert ends.max(0).tolist() == [3.5, 1.5]
    assert all(np.abs(np.diff(segment, axis=0)).sum() == 1 for segment in segments)


def test_a_mask_that_touches_the_edge_is_outlined_there_too(panel):
    outline(panel, np.ones((2, 3), bool))
    assert len(panel.collections[0].get_segments()) == 10


def test_regions_side_by_side_differ_in_colour_and_background_is_transparent():
    atlas = np.zeros((4, 9, 6), np.uint8)
    atlas[:, 1:8, 1:5] = np.array([1, 7, 4, 2, 8, 5, 3])[:, None]  # with six colours, 1 and 7, 2 and 8 have one turn
    atlas[:2, 1:8, 3] = 6  # beside all others
    colours = colour_regions(atlas)
    assert colours.shape == (9, 4)
    assert colours[0, 3] == 0
    assert (colours[1:, 3] == 1).all()
    for axis in range(3):
        one, other = np.moveaxis(atlas, axis, 0)[:-1].ravel(), np.moveaxis(atlas, axis, 0)[1:].ravel()
        beside = (one != other) & (one > 0) & (other > 0)
        assert (colours[one[beside]] != colours[other[beside]]).any(1).all()


def test_regions_that_do_not_touch_take_turns_in_the_colours():
    atlas = np.zeros((2, 12, 3), np.uint8)
    atlas[:, 1::2] = np.arange(1, 7)[:, None]
    assert len(np.unique(colour_regions(atlas)[1:], axis=0)) == 6
