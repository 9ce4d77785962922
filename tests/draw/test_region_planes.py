import nibabel as nib
import numpy as np
import pytest

from neurobar.draw.region_planes import are_sides_one, choose_cuts, draw_planes, paint_regions


@pytest.fixture(scope="module")
def affine():
    """Return the affine of 2 mm voxels whose middle is near the origin."""
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = [-15, -23, -31]
    return affine


@pytest.fixture(scope="module")
def painted(affine):
    """Return a map with two regions on both sides, one of them much larger in value."""
    atlas = np.zeros((16, 24, 32), np.uint8)
    atlas[2:14, 3, 4:8] = 1
    atlas[2:14, 20, 26:29] = 2
    return nib.Nifti1Image(paint_regions(atlas, np.array([0.5, -0.1])), affine)


@pytest.fixture(scope="module")
def template(tmp_path_factory, affine):
    """Write a template of a grid of its own."""
    volume = np.zeros((20, 26, 30), np.float32)
    volume[2:18, 2:24, 2:28] = np.random.default_rng(0).uniform(0.5, 1, (16, 22, 26))
    path = tmp_path_factory.mktemp("template") / "template.nii.gz"
    nib.save(nib.Nifti1Image(volume, affine), path)
    return path


@pytest.fixture(scope="module")
def figure(painted, template):
    """Draw the map once for all tests."""
    return draw_planes(painted, template, "change of probability")


def test_each_voxel_has_the_value_of_its_region(small_atlas):
    values = paint_regions(small_atlas, np.array([0.1, -0.2, 0.3, 0.4, 0.5]))
    assert values[0, 0, 0] == 0
    for region, value in enumerate([0.1, -0.2, 0.3, 0.4, 0.5], start=1):
        assert set(values[small_atlas == region]) == {np.float32(value)}


def test_cuts_go_through_the_regions_apart_and_to_the_right(painted):
    assert choose_cuts(painted, 1) == [-17, 17]
    assert choose_cuts(painted, 1, number=1) == [-17]
    assert all(place >= 0 for place in choose_cuts(painted, 0))
    assert np.diff(choose_cuts(painted, 0)).min(initial=99) >= 10


def test_sides_are_one_where_values_are_on_both_and_need_not_mirror_exactly(painted, affine):
    assert are_sides_one(painted)
    shifted = np.roll(painted.get_fdata()[:8], 1, axis=1)
    leaning = nib.Nifti1Image(np.concatenate([shifted, painted.get_fdata()[8:]]), affine)
    assert are_sides_one(leaning)
    assert are_sides_one(nib.Nifti1Image(np.zeros((16, 24, 32)), affine))


def test_regions_of_one_side_each_are_cut_on_both(affine):
    values = np.zeros((16, 24, 32))
    values[2:5, 3, 4:8], values[11:14, 3, 4:8] = 0.5, -0.3
    values[:, 9, 4:6] = 0.1  # a region on both sides does not make the others merged
    sided = nib.Nifti1Image(values, affine)
    assert not are_sides_one(sided)
    assert choose_cuts(sided, 0) == [-11, 7]


def test_without_any_change_the_middle_is_shown(painted):
    assert choose_cuts(nib.Nifti1Image(np.zeros((16, 24, 32)), painted.affine), 2) == [0]


def test_planes_are_coloured_on_a_scale_around_zero_with_its_unit(figure, painted):
    bar = figure.get_axes()[-1]
    assert bar.get_ylabel() == "change of probability"
    assert bar.get_ylim() == pytest.approx((-0.5, 0.5))
    drawn = [image for panel in figure.get_axes() for image in panel.images if image.get_cmap().name == "RdBu_r"]
    assert len(drawn) == sum(len(choose_cuts(painted, axis)) for axis in range(3))
    shown = np.ma.concatenate([np.ma.ravel(image.get_array()) for image in drawn])
    assert (shown.min(), shown.max()) == pytest.approx((-0.1, 0.5))


def test_sides_are_marked_where_both_are_seen(figure, painted):
    words = [text.get_text() for panel in figure.get_axes() for text in panel.texts]
    seen = len(choose_cuts(painted, 1)) + len(choose_cuts(painted, 2))
    assert words.count("L") == words.count("R") == seen
    assert "y=-17" in words


def test_a_map_of_zeros_shows_the_template_alone(painted, template):
    zeros = nib.Nifti1Image(np.zeros((16, 24, 32), np.float32), painted.affine)
    figure = draw_planes(zeros, template, "change")
    maps = {image.get_cmap().name for panel in figure.get_axes() for image in panel.images}
    assert "gray" in maps
    assert "RdBu_r" not in maps
