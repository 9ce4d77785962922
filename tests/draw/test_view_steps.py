import numpy as np
import pytest

from neurobar.draw.mixed_scans import mix_scans
from neurobar.draw.view_steps import steps_of_cuts, steps_of_regions, steps_of_view_1


@pytest.mark.parametrize("seed", range(4))
def test_inner_cuts_hide_a_little_and_outer_cuts_nearly_all(scene, run_settings, monkeypatch, seed):
    monkeypatch.setattr("neurobar.draw.view_steps.SEED", seed)
    inner, outer = steps_of_cuts(scene, run_settings)
    anchor = scene.anchor[0, 0].numpy()
    hidden = [(step.volumes[0] != anchor).sum() for step in (inner, outer)]
    assert 0 < hidden[0] <= 2 * 3**3
    assert anchor.size - 2 * 9**3 <= hidden[1] < anchor.size
    for step in (inner, outer):
        moved = step.volumes[1] != step.volumes[0]
        assert 0 < moved.sum() <= 2 * 3**3
        assert np.array_equal(np.sort(step.volumes[1], axis=None), np.sort(step.volumes[0], axis=None))
    assert inner.titles == ("2 holes of 3³ voxels", "2 boxes of 3³ shuffled")
    assert outer.titles[0] == "all but 2 windows of 9³"


def test_windows_that_keep_all_do_not_hinder(scene, run_settings):
    everything = {"outer_cuts": {"count": 400, "size": 15}, "inner_cuts": {"count": 2, "size": 3}}
    assert len(steps_of_cuts(scene, run_settings | everything)) == 2


def test_masking_hides_whole_regions_of_either_view(scene, run_settings):
    atlas, anchor = scene.regions.atlas.numpy(), scene.anchor[0, 0].numpy()
    taken = mix_scans(scene, run_settings).taken
    step = steps_of_view_1(scene, run_settings)
    hidden = step.volumes[1] != step.volumes[0]
    assert not (hidden & taken).any()
    assert sorted(hidden[atlas == region].mean().round() for region in range(1, 7)) == [0, 0, 0, 0, 1, 1]
    step = steps_of_regions(scene, run_settings | {"noise_regions_on_view_2": 0.5})
    hidden = step.volumes[0] != anchor
    assert sorted(hidden[atlas == region].mean().round() for region in range(1, 7)) == [0, 0, 0, 1, 1, 1]
    assert step.titles[0] == "50 % of regions hidden"
