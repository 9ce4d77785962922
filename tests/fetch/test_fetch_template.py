"""The template and the head that is grown around it."""

import json
from itertools import pairwise

import numpy as np
import pytest

from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE, read_volume
from neurobar.fetch.fetch_template import LAYERS, grow_head, main, measure_depth


@pytest.fixture(scope="module")
def ball():
    """Return a mask with unequal axes."""
    places = np.indices((40, 44, 48)) - np.array([20, 21, 23])[:, None, None, None]
    return (places**2).sum(axis=0) < 10**2


def test_depth_is_positive_inside_and_half_a_voxel_at_the_surface(ball):
    depth = measure_depth(ball, 2.0)
    assert np.array_equal(depth > 0, ball)
    assert depth[ball].min() == 1
    assert depth[~ball].max() == -1


def test_layers_follow_each_other_outwards(ball):
    depth = measure_depth(ball, 1.0)
    head = grow_head(np.full(ball.shape, 0.9, np.float32), depth)
    outwards = head[20:, 21, 23]
    order = [outwards[0]] + [value for before, value in pairwise(outwards) if value != before]
    assert np.allclose(order[: len(LAYERS) + 1], [0.9, *(intensity for _, intensity in LAYERS)])
    assert head[depth < -LAYERS[-1][0]].max() == 0


@pytest.mark.slow
def test_the_carried_template_lies_inside_the_grid(tmp_path):
    names = ("template", "mask", "head", "depth")
    outputs = [word for name in names for word in (f"--{name}", str(tmp_path / f"{name}.nii.gz"))]
    main([*outputs, "--sha256", "--record", str(tmp_path / "template.json")])
    assert json.loads((tmp_path / "template.json").read_text()) == {"head": "computed", "sha256": None}
    mask, affine = read_volume(tmp_path / "mask.nii.gz")
    brain, _ = read_volume(tmp_path / "template.nii.gz")
    assert np.array_equal(brain > 0, mask > 0)
    assert mask.sum() * 8 / 1000 == pytest.approx(1883, rel=0.02)
    corners = np.argwhere(mask)
    for corner in (corners.min(0), corners.max(0)):
        voxel = np.linalg.inv(GRID_AFFINE) @ [*(affine @ [*corner, 1])]
        assert (voxel[:3] >= 2).all()
        assert (voxel[:3] <= np.array(GRID_SHAPE) - 3).all()
