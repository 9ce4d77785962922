import numpy as np
import pytest
import torch

from neurobar.draw.restored_scans import Restored, choose_runs, draw_restored, read_model, restore_scan
from neurobar.models.autoencoder import EncoderWithDecoder


def test_runs_that_restore_in_different_ways_are_drawn_first_and_none_of_another_split(run_settings):
    plain = run_settings | {"contrast": "infonce", "mixing": "none"}
    runs = {"bar": run_settings, "bar_again": run_settings, "bar_third": run_settings, "plain": plain}
    runs |= {
        "leaks": run_settings | {"split": "scans", "mixing": "boxes"},
        "cutmix": run_settings | {"mixing": "boxes"},
    }
    runs |= {"alone": plain | {"contrast": "none"}, "masked": plain | {"noise_regions_on_view_2": 0.2}}
    names = list(runs)
    paths = [f"results/pretrain/{name}/fold-0/seed-0/encoder.safetensors" for name in names]
    chosen = choose_runs(paths, runs, "subjects")
    assert [names[place] for place in chosen] == ["bar", "cutmix", "alone", "masked"]
    assert [names[place] for place in choose_runs(paths[:3], runs, "subjects")] == ["bar", "bar_again", "bar_third"]
    assert choose_runs(paths[4:5], runs, "subjects") == []


def test_errors_by_hand_of_what_was_hidden_and_what_was_seen():
    anchor = np.array([[[0.0, 0.5, 1.0, 0.25]]])
    view, volume = np.array([[[0.9, 0.7, 1.0, 0.25]]]), np.array([[[9.0, 0.3, 0.5, 0.5]]])
    assert Restored("run", anchor, view, volume).errors == pytest.approx((0.2, 0.375))


def test_a_decoder_restores_the_unseen_scan_as_pretraining_would(scene, run_settings, pretrained):
    model = read_model(*pretrained("bar", 0.25))
    restored = restore_scan(scene, run_settings, "bar", model)
    unseen = scene.unseen[0, 0].numpy()
    assert np.array_equal(restored.anchor, unseen)
    assert (restored.view != unseen).mean() > 0.5  # outer cuts
    assert np.allclose(restored.volume, 0.25)
    brain, kept = unseen != 0, restored.view == unseen
    assert restored.errors[1] == pytest.approx(np.abs(unseen - 0.25)[brain & kept].mean(), rel=1e-5)
    masked = restore_scan(scene, run_settings | {"noise_regions_on_view_2": 0.5}, "bam", model)
    assert (masked.view != unseen)[scene.brain].mean() == pytest.approx(0.5, abs=0.05)


def test_weights_come_back_as_they_were_written(pretrained):
    encoder, decoder = pretrained("bar", 0.5)
    model = read_model(encoder, decoder)
    torch.manual_seed(0)
    fresh = EncoderWithDecoder(
        (16, 24, 32), {"patch": 8, "width": 12, "layers": 1, "heads": 2, "mlp_ratio": 2, "patch_norm": True}
    )
    assert torch.equal(model.encoder.patch_embedding.weight, fresh.encoder.patch_embedding.weight)
    assert torch.equal(model.decoder.enlarge.weight, fresh.decoder.enlarge.weight)
    assert not model.training


def test_the_picture_of_the_difference_has_the_numbers_below_it(scene, run_settings, pretrained, all_words):
    encoder, decoder = pretrained("bar_recon", 0.25)
    figure, drawn = draw_restored(scene, {"bar_recon": run_settings}, [encoder], [decoder], "subjects")
    errors = restore_scan(scene, run_settings, "bar_recon", read_model(encoder, decoder)).errors
    assert drawn == 1
    assert "{:.2f} hidden, {:.2f} seen".format(*errors) in all_words(figure)
    assert "bar_\nrecon" in all_words(figure)
