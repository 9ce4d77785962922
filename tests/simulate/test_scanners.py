import numpy as np
import pytest

from neurobar.simulate.scanners import SITES, add_noise, contrast_table, draw_bias, draw_pose, grid_affine, record_head


@pytest.fixture
def generator():
    return np.random.default_rng(4)


@pytest.mark.parametrize("name", SITES)
def test_the_intensities_of_a_site_are_those_of_t1(name):
    site = SITES[name]
    air, fluid, bone, marrow, fat, *_ = contrast_table(site)
    assert air == 0
    assert bone < fluid < site.grey < 1 < fat
    assert marrow < 1


def test_a_pose_is_rigid_and_keeps_within_its_limits(generator):
    for _ in range(50):
        pose = draw_pose(30.0, 6.0, generator)
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    assert np.allclose(draw_pose(0.0, 0.0, generator), np.eye(4))


def test_the_field_of_view_is_centred():
    site = SITES["west"]
    affine = grid_affine(site)
    first, last = affine[:3, 3], (affine @ (*(np.array(site.shape) - 1), 1))[:3]
    assert np.allclose(last - first, (np.array(site.shape) - 1) * site.spacing_mm)
    assert np.allclose((first + last) / 2, (0, -8, -16))


def test_drift_is_positive_smooth_and_grows_with_its_strength(generator):
    weak, strong = (draw_bias((20, 24, 31), strength, np.random.default_rng(1)) for strength in (0.1, 0.3))
    assert weak.min() > 0
    assert np.abs(np.diff(np.log(strong), axis=2)).max() < 0.2
    assert np.allclose(np.log(strong), 3 * np.log(weak), atol=1e-4)
    assert np.all(draw_bias((3, 4, 5), 0.0, generator) == 1)


def test_noise_is_rician(generator):
    background = add_noise(np.zeros((30, 40, 50), np.float32), 2.0, generator)
    head = add_noise(np.full((30, 40, 50), 100, np.float32), 2.0, generator)
    assert background.mean() == pytest.approx(2 * np.sqrt(np.pi / 2), rel=0.02)
    assert head.std() == pytest.approx(2, rel=0.02)


def test_recorded_heads_are_integers_that_fit(generator):
    recorded = record_head(np.ones((10, 12, 14), np.float32), SITES["east"], 0.03, 0.15, generator)
    assert recorded.dtype == np.int16
    assert recorded.min() >= 0
    assert 100 < np.median(recorded) < 600
