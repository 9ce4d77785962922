import numpy as np
import pytest
import torch

from neurobar.transforms.boxes import draw_corners, draw_cuts, draw_shuffles, shuffle_voxels, voxels_in_boxes

SHAPE = (9, 11, 13)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_marked_voxels_equal_a_loop_over_boxes():
    sizes = torch.tensor([[[2, 3, 4], [5, 1, 2]], [[9, 11, 13], [1, 1, 1]], [[0, 2, 2], [3, 3, 3]]])
    corners = draw_corners(sizes, SHAPE, generator=generator())
    marked = voxels_in_boxes(corners, sizes, SHAPE)
    for scan in range(3):
        expected = np.zeros(SHAPE, bool)
        for corner, size in zip(corners[scan].tolist(), sizes[scan].tolist(), strict=True):
            expected[tuple(slice(c, c + s) for c, s in zip(corner, size, strict=True))] = True
        assert (marked[scan, 0].numpy() == expected).all()


def test_corners_reach_every_place_and_no_box_leaves_the_grid():
    sizes = torch.tensor([2, 3, 4]).expand(4000, 1, 3)
    corners = draw_corners(sizes, SHAPE, generator=generator())[:, 0]
    assert corners.min(0).values.tolist() == [0, 0, 0]
    assert corners.max(0).values.tolist() == [7, 8, 9]


def test_a_box_larger_than_the_grid_is_refused():
    with pytest.raises(ValueError, match="larger than the grid"):
        draw_shuffles(1, SHAPE, boxes={"count": 1, "size": 10}, generator=generator())


def test_cuts_are_holes_or_windows_with_equal_chance():
    boxes = {"count": 1, "size": 3}
    hidden = draw_cuts(2000, SHAPE, inner=boxes, outer=boxes, generator=generator()).flatten(1).sum(1)
    is_hole, is_window = hidden == 27, hidden == 9 * 11 * 13 - 27
    assert (is_hole | is_window).all()
    assert abs(float(is_hole.float().mean()) - 0.5) < 0.05


def test_shuffling_keeps_all_voxels_and_moves_only_those_in_boxes():
    volumes = torch.arange(2 * 9 * 11 * 13, dtype=torch.float32).view(2, 1, *SHAPE)
    before = volumes.clone()
    places, order = draw_shuffles(2, SHAPE, boxes={"count": 6, "size": 4}, generator=generator())
    shuffled = shuffle_voxels(volumes, places, order)
    assert torch.equal(volumes, before)
    for scan in range(2):
        assert torch.equal(shuffled[scan].flatten().sort().values, volumes[scan].flatten())
        moved = (shuffled[scan] != volumes[scan]).flatten().nonzero().flatten().tolist()
        assert moved
        assert set(moved) <= set(places[:, scan].flatten().tolist())


def test_shuffling_equals_its_definition_in_loops():
    volumes = torch.rand(2, 1, *SHAPE, generator=generator(1))
    places, order = draw_shuffles(2, SHAPE, boxes={"count": 3, "size": 5}, generator=generator())
    expected = volumes.clone().view(2, -1).tolist()
    for box in range(3):
        for scan in range(2):
            old = list(expected[scan])
            for place, rank in zip(places[box, scan].tolist(), order[box, scan].tolist(), strict=True):
                expected[scan][place] = old[places[box, scan, rank]]
    assert torch.equal(shuffle_voxels(volumes, places, order).view(2, -1), torch.tensor(expected))


def test_the_voxels_of_a_box_are_one_cube():
    places, _ = draw_shuffles(1, SHAPE, boxes={"count": 1, "size": 3}, generator=generator())
    z, y, x = np.unravel_index(places[0, 0].numpy(), SHAPE)
    assert len(set(zip(z, y, x, strict=True))) == 27
    assert [np.ptp(axis) for axis in (z, y, x)] == [2, 2, 2]
