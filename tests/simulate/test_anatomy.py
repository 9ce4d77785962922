import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.simulate.anatomy import MOST_LOST, draw_losses, draw_texture, find_ventricles, spread_losses
from neurobar.simulate.deformations import contract_region, draw_shape, widen_ventricles
from neurobar.simulate.heads import COARSE_MM, SHAPE, grid_axes, read_brain
from neurobar.simulate.list_simulated_scans import planned_scans

COARSE_SHAPE = tuple((length + 1) // 2 for length in SHAPE)


@pytest.fixture(scope="module")
def brain():
    return read_brain()


@pytest.fixture
def generator():
    return np.random.default_rng(3)


def test_every_region_of_the_disease_is_in_the_atlas():
    assert set(MOST_LOST) <= set(read_atlas(*locate_aal2()).names)


def test_the_hippocampus_tells_the_groups_apart_but_not_perfectly(settings):
    plans = planned_scans(settings).drop_duplicates("subject")
    generator = np.random.default_rng(0)
    losses = [
        draw_losses(("Hippocampus",), plan["severity"], plan["age"], generator)[0] for plan in plans.to_dict("records")
    ]
    assert 0.75 < roc_auc_score(plans["diagnosis"] == "AD", losses) < 0.99


def test_the_ventricles_are_deep_fluid_of_a_plausible_size_on_both_sides(brain):
    ventricles = find_ventricles(brain)
    assert 8_000 < ventricles.sum() < 30_000  # voxels of 1 mm
    x = np.argwhere(ventricles)[:, 0] + brain.affine[0, 3]
    assert 0.4 < (x < 0).mean() < 0.6
    assert brain.mask[ventricles].all()


def test_wider_ventricles_are_looked_up_nearer_to_their_middle(brain):
    ventricles = find_ventricles(brain)
    displacement = widen_ventricles(ventricles, brain.affine, 3.0)
    assert displacement.shape == (3, *COARSE_SHAPE)
    right = np.broadcast_to(grid_axes(2)[0] > 30, COARSE_SHAPE)
    assert displacement[0][right].min() < -1
    assert displacement[0][right].max() < 0.5
    assert np.abs(widen_ventricles(ventricles, brain.affine, 0.0)).max() == 0


def test_a_contracted_region_is_looked_up_further_out():
    x, y, z = grid_axes(2)
    weight = (np.exp(-((abs(x) - 28) ** 2 + (y + 20) ** 2 + (z + 15) ** 2) / 100)).astype(np.float32)
    displacement = contract_region(weight, 0.2)
    # The divergence of the displacement is the relative loss of volume.
    divergence = sum(np.gradient(part, COARSE_MM, axis=axis) for axis, part in enumerate(displacement))
    assert divergence[weight > 0.8].min() > 0.2
    assert np.allclose(contract_region(weight, -0.2), -displacement)


def test_shapes_differ_smoothly_and_do_not_fold(generator):
    displacement = draw_shape(generator)
    slopes = [np.gradient(part, COARSE_MM, axis=axis) for axis, part in enumerate(displacement)]
    assert max(abs(slope).max() for slope in slopes) < 0.9
    assert 0.5 < displacement.std() < 4


def test_losses_stay_where_they_belong():
    regions = np.zeros((11, 13, 17), np.uint8)
    regions[1:5, 2:6, 2:6], regions[7:10, 8:12, 10:16] = 1, 2
    lost = spread_losses(np.array([0.5, -0.3]), regions)
    assert lost[3, 4, 4] > 0.4
    assert lost[8, 10, 13] < 0.01
    assert lost.min() >= 0
    assert lost.max() <= 0.9


def test_the_texture_of_muscle_is_positive(generator):
    texture = draw_texture(generator)
    assert texture.shape == COARSE_SHAPE
    assert texture.min() > 0
