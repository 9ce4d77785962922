import sys
import types

import numpy as np
import pytest
import torch

from neurobar.draw.mixed_scans import draw_mixings, list_mixings, mix_scans, name_mixing


@pytest.mark.parametrize("mixing", ["boxes", "regions"])
def test_a_mixed_scan_is_the_donor_where_it_is_marked_and_the_anchor_elsewhere(scene, run_settings, mixing):
    mixed = mix_scans(scene, run_settings | {"mixing": mixing, "cuts_on_view_1": True})
    anchor, donor = scene.anchor[0, 0].numpy(), scene.donor[0, 0].numpy()
    assert np.array_equal(mixed.volume, np.where(mixed.taken, donor, anchor))
    assert mixed.share == pytest.approx(mixed.taken[scene.brain].mean())
    assert mixed.label == pytest.approx(mixed.share)
    assert mixed.share == pytest.approx(0.4, abs=0.1)


def test_of_regions_whole_ones_are_taken_and_the_label_may_count_regions(scene, run_settings):
    mixed = mix_scans(scene, run_settings | {"mixing": "regions", "share": "regions"})
    atlas = scene.regions.atlas.numpy()
    assert sorted(mixed.taken[atlas == region].mean() for region in range(1, 7)) == [0, 0, 0, 0, 1, 1]
    assert mixed.label == pytest.approx(2 / 6)


def test_each_mixing_has_one_row_with_its_label_and_share(scene, run_settings, all_words):
    boxes = run_settings | {"mixing": "boxes"}
    runs = {"a": run_settings, "b": run_settings | {"beta": [1, 1]}, "c": run_settings | {"mixing": "none"}, "d": boxes}
    assert [name_mixing(run) for run in list_mixings(runs)] == ["CutMix", "BAR"]
    figure, plane = draw_mixings(scene, runs)
    text = all_words(figure)
    assert plane.axis == 1
    for run in (boxes, run_settings):
        mixed = mix_scans(scene, run)
        assert f"soft label {mixed.label:.2f}" in text
        assert f"{100 * mixed.share:.0f} % of brain voxels" in text
    assert "anchor (CN)" in text
    assert "donor (AD)" in text
    shown = figure.axes[2].images[0].get_array()
    assert np.array_equal(shown, scene.shown(mix_scans(scene, boxes).volume, plane))


def test_a_mixing_that_somebody_adds_is_found_by_its_name(scene, run_settings, monkeypatch, all_words):
    def choose_voxels(*, ratio, regions, generator, edge):
        taken = torch.zeros(len(ratio), 1, *regions.shape, dtype=torch.bool)
        taken[..., :edge] = True
        return taken

    module = types.ModuleType("neurobar.transforms.mixings.lower_slabs")
    module.choose_voxels = choose_voxels
    monkeypatch.setitem(sys.modules, module.__name__, module)
    runs = {"slabs": run_settings | {"mixing": "lower_slabs", "mixing_settings": {"edge": 10}}}
    figure, _ = draw_mixings(scene, runs)
    assert "Lower slabs\nedge 10" in all_words(figure)
    assert "33 % of brain voxels" in all_words(figure)
