from math import log

import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.draw.histories import (
    choose_epochs,
    contrast_of_alike,
    draw_finetuning,
    draw_pretraining,
    read_histories,
    wrap_name,
)
from neurobar.losses.contrastive import rbf_weights, weighted_contrastive
from neurobar.pretrain.batches import plan_batches

RUN = {"contrast": "soft_labels", "contrast_weight": 1.0, "batch": 4, "split": "subjects"}
THICK = 1.6


def history(name, fold, seed=0, **columns):
    """Return the history of one job, an epoch on a row."""
    table = pd.DataFrame(columns)
    return table.assign(epoch=range(1, len(table) + 1), name=name, fold=fold, seed=seed)


def panels_of(figure):
    """Return the panels that have a title, by it."""
    return {panel.get_title(): panel for panel in figure.axes if panel.get_title()}


def curves_of(panel, *, mean):
    """Return what the curves of a panel show: those of jobs, or their means."""
    lines = [line for line in panel.lines if len(line.get_xdata()) > 2]
    return [line.get_ydata().tolist() for line in lines if (line.get_linewidth() == THICK) == mean]


@pytest.fixture
def pretrained():
    """Return the histories of three folds of a run with both losses, and of one with reconstruction alone."""
    both = [history("bar", fold, contrast=[3.0, 2.0, fold], reconstruction=[0.3, 0.2, 0.1]) for fold in (0, 1, 5)]
    return pd.concat([*both, history("recon", 0, reconstruction=[0.5, 0.4, 0.3])], ignore_index=True)


def test_long_names_break_after_an_underscore_and_lose_no_letter():
    assert wrap_name("bar_recon_beta_02_08") == "bar_recon_beta_02_08"
    assert wrap_name("contrastive_recon_beta_02_08") == "contrastive_recon_\nbeta_02_08"
    assert wrap_name("a" * 25 + "_b").replace("\n", "") == "a" * 25 + "_b"


def test_histories_know_their_job(tmp_path):
    paths = []
    for fold, seed in ((0, 0), (1, 7)):
        path = tmp_path / "finetune" / "bar" / f"fold-{fold}" / f"seed-{seed}" / "history.tsv"
        path.parent.mkdir(parents=True)
        pd.DataFrame({"epoch": [1, 2], "loss": [fold, seed]}).to_csv(path, sep="\t", index=False)
        paths.append(str(path))
    table = read_histories(paths)
    assert table.query("fold == 1")[["name", "seed", "epoch", "loss"]].values.tolist() == [
        ["bar", 7, 1, 1],
        ["bar", 7, 2, 7],
    ]
    assert read_histories([]).empty


def test_each_run_shows_its_folds_and_their_mean(pretrained):
    runs = {"bar": RUN, "recon": RUN | {"contrast": "none"}}
    figure = draw_pretraining(pretrained, runs, {})
    panel = panels_of(figure)["bar"]
    assert curves_of(panel, mean=False) == [[3, 2, 0], [3, 2, 1], [3, 2, 5]]
    assert curves_of(panel, mean=True) == [[3, 2, 2]]
    below = figure.axes[1]
    assert curves_of(below, mean=True)[0] == pytest.approx([0.3, 0.2, 0.1])


def test_a_run_without_a_loss_says_so_and_all_have_one_scale(pretrained):
    runs = {"bar": RUN, "recon": RUN | {"contrast": "none"}}
    figure = draw_pretraining(pretrained, runs, {"subjects": [8, 9]})
    panels = panels_of(figure)
    assert [text.get_text() for text in panels["recon"].texts] == ["no contrast"]
    assert not panels["recon"].lines
    assert panels["bar"].get_ylim() == panels["recon"].get_ylim() == (0, pytest.approx(5.25))
    assert figure.axes[1].get_ylim() == figure.axes[3].get_ylim() == (0, pytest.approx(0.525))


def test_the_line_of_an_untaught_encoder_is_drawn_where_the_split_is_known(pretrained):
    runs = {"bar": RUN, "recon": RUN}
    dotted = panels_of(draw_pretraining(pretrained, runs, {"subjects": [9, 11]}))["bar"].lines[-1]
    # Nine scans in batches of 4, the last alone and left out; eleven with a last batch of 3.
    assert dotted.get_ydata()[0] == pytest.approx((log(4) + (2 * log(4) + log(3)) / 3) / 2)
    assert dotted.get_linestyle() == ":"
    runs = {name: run | {"split": "scans"} for name, run in runs.items()}
    panel = panels_of(draw_pretraining(pretrained, runs, {"subjects": [9, 11]}))["bar"]
    assert ":" not in [line.get_linestyle() for line in panel.lines]


@pytest.mark.parametrize("number", [8, 10, 13])
def test_an_encoder_to_which_all_is_alike_has_that_loss_whatever_the_weights(number):
    batches = plan_batches(np.arange(number), batch=4, beta=(0.8, 0.8), donor="any_scan", seeds=(0,))
    alike, losses = torch.ones(4, 6), []
    for batch in batches:
        labels = torch.from_numpy(batch.ratio)
        weights = rbf_weights(label_1=labels, label_2=labels, sigma=0.4)
        view = alike[: len(labels)]
        losses.append(weighted_contrastive(view_1=view, view_2=view, weights=weights, temperature=0.1))
    assert contrast_of_alike(RUN, [number]) == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)
    assert contrast_of_alike(RUN | {"contrast_weight": 0.5}, [number]) == contrast_of_alike(RUN, [number]) / 2


def test_of_equally_good_epochs_the_first_was_chosen_by_loss_or_by_accuracy():
    scores = {"select_loss": [0.9, 0.4, 0.4], "select_accuracy": [0.8, 0.5, 0.8]}
    late = {"select_loss": [0.9, 0.7, 0.1], "select_accuracy": [0.1, 0.9, 0.2]}
    jobs = pd.concat([history("bar", 0, **scores), history("bar", 0, seed=1, **late)], ignore_index=True)
    assert choose_epochs(jobs, "loss")["epoch"].tolist() == [2, 3]
    assert choose_epochs(jobs, "accuracy")["epoch"].tolist() == [1, 2]


def test_a_task_shows_both_losses_and_the_epoch_that_was_chosen_in_each_fold():
    scores = [
        {"loss": [0.7, 0.5, 0.1], "select_loss": [0.7, 0.3, 0.9], "select_accuracy": [1.0, 0.5, 0.5]},
        {"loss": [0.7, 0.3, 0.3], "select_loss": [0.7, 0.5, 0.25], "select_accuracy": [0.5, 1.0, 0.5]},
    ]
    jobs = pd.concat([history("bar", fold, **each) for fold, each in enumerate(scores)], ignore_index=True)
    for select_by, epochs, losses in (("loss", [2, 3], [0.3, 0.25]), ("accuracy", [1, 2], [0.7, 0.5])):
        panel = panels_of(draw_finetuning(jobs, {"bar": {"select_by": select_by}}))["bar"]
        (circles,) = [line for line in panel.lines if line.get_marker() == "o"]
        assert circles.get_xdata().tolist() == epochs
        assert circles.get_ydata().tolist() == losses
    training, selection = curves_of(panel, mean=True)
    assert training == pytest.approx([0.7, 0.4, 0.2])
    assert selection == pytest.approx([0.7, 0.4, 0.575])


@pytest.mark.parametrize("number", [1, 5, 11, 15])
def test_every_task_has_a_panel_of_its_own_inside_the_figure(number):
    scores = {"loss": [0.7, 0.5], "select_loss": [0.7, 0.3], "select_accuracy": [1.0, 0.5]}
    names = [f"contrastive_recon_beta_02_08_frozen_{place}" for place in range(number)]
    jobs = pd.concat([history(name, 0, **scores) for name in names], ignore_index=True)
    figure = draw_finetuning(jobs, {name: {"select_by": "loss"} for name in names})
    figure.draw_without_rendering()
    assert [title.replace("\n", "") for title in panels_of(figure)] == names
    boxes = [panel.get_tightbbox() for panel in figure.axes]
    assert len(boxes) == number
    assert all(panel.xaxis.get_tick_params()["labelbottom"] for panel in figure.axes)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
