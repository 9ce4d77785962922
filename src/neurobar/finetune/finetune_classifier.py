"""Fine-tune an encoder to tell the two classes apart.

An MLP on the class token and the whole encoder (or, frozen, the MLP alone) learn by binary cross-entropy on the
training scans of a fold. The weights of the epoch that the selection fold judges best are kept.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from neurobar.data.endings import call_command
from neurobar.models.classifier import Classifier
from neurobar.training.checkpoints import save_weights
from neurobar.training.classifiers import build_classifier, head_of, load_encoder, predict_logits
from neurobar.training.command import (
    FoldOfCohort,
    cohort_parser,
    machine_of,
    open_fold,
    open_progress,
    run_command,
    write_history,
)
from neurobar.training.devices import seed_everything
from neurobar.training.loop import Losses, train
from neurobar.training.progress import Progress
from neurobar.training.scans import Ahead, Scans


class BestWeights:
    """Keep the weights of the best epoch so far; of equal ones, the first.

    Parameters
    ----------
    model : torch.nn.Module
    select_by : {"loss", "accuracy"}
        Which score of the selection fold judges; the loss the lower, the accuracy the higher the better.
    """

    def __init__(self, model: torch.nn.Module, select_by: str) -> None:
        self.model = model
        self.select_by = select_by
        self.score = -np.inf
        self.weights: dict[str, Tensor] = {}

    def offer(self, scores: dict[str, float]) -> None:
        """Copy the model's weights if its scores (see `selection_scores`) are better than any before."""
        score = -scores["select_loss"] if self.select_by == "loss" else scores["select_accuracy"]
        if score > self.score:
            self.score = score
            self.weights = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def adopt(self) -> None:
        """Put the best weights back into the model."""
        self.model.load_state_dict(self.weights)

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Return what a job that is taken up has to remember."""
        return self.weights, {"score": self.score}

    def restore(self, weights: dict[str, Tensor], values: dict[str, float]) -> None:
        """Remember the best epoch from before the job was killed."""
        self.weights, self.score = weights, values["score"]


def selection_scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Score an epoch on the selection fold.

    Parameters
    ----------
    logits, labels : float (n,)

    Returns
    -------
    dict
        `select_loss` (binary cross-entropy) and `select_accuracy` [0..1].
    """
    return {
        "select_loss": float(binary_cross_entropy_with_logits(logits, labels)),
        "select_accuracy": float(((logits >= 0) == (labels == 1)).float().mean()),
    }


def plan_of(scans: Scans, *, batch: int, seeds: tuple[int, ...]) -> Callable[[int], Ahead]:
    """Return the function that plans an epoch: every training scan once, in a new order.

    Parameters
    ----------
    scans : Scans
        Of training.
    batch : int
        Scans in one step. A rest of a single scan joins the batch before it, since one scan has no spread.
    seeds : tuple of int
        What the order follows from, beside the epoch.

    Returns
    -------
    callable
    """

    def plan_epoch(epoch: int) -> Ahead:
        order = np.random.default_rng((*seeds, epoch)).permutation(len(scans))
        batches = np.array_split(order, range(batch, len(order) - 1, batch))
        return Ahead(batches, lambda rows: (scans.take(rows),), scans)

    return plan_epoch


def finetune(
    fold: FoldOfCohort, model: Classifier, task: dict[str, Any], seed: int, best: BestWeights, progress: Progress
) -> list[dict[str, float]]:
    """Train a classifier and leave the weights of its best epoch in it.

    Parameters
    ----------
    fold : FoldOfCohort
    model : Classifier
        On the device.
    task : dict
        The settings of the task.
    seed : int
    best : BestWeights
        Of the model.
    progress : Progress
        Where the job is taken up.

    Returns
    -------
    list of dict
        The history.
    """
    scans, select, device = fold.scans("train"), fold.scans("select"), fold.device
    labels, select_labels = fold.labels("train"), fold.labels("select")

    def losses_of(called: nn.Module, planned: tuple[np.ndarray, tuple[Tensor, ...]], _: torch.Generator) -> Losses:
        rows, (volumes,) = planned
        with device.autocast():
            logits = called(volumes[device.own_part(len(rows))].float(), partial(device.gather, number=len(rows)))
        own = labels[torch.from_numpy(rows).to(device.place)]
        return {"loss": binary_cross_entropy_with_logits(logits.float(), own)}

    def after_epoch(_epoch: int) -> dict[str, float]:
        scores = selection_scores(predict_logits(model, select, batch=task["batch"], device=device), select_labels)
        if not math.isfinite(scores["select_loss"]):
            raise FloatingPointError("The loss on the selection fold is not finite; try a smaller rate.")
        best.offer(scores)
        return scores

    seeds = (seed, fold.fold)
    plan = plan_of(scans, batch=task["batch"], seeds=seeds)
    chosen = {"settings": task, "seeds": seeds, "device": device, "progress": progress}
    history = train(model, plan_epoch=plan, losses_of=losses_of, after_epoch=after_epoch, **chosen)
    best.adopt()
    return history


def run_job(args: argparse.Namespace) -> None:
    """Fine-tune and write classifier, history and the scans that were seen."""
    fold, task = open_fold(args), args.settings["finetune"]
    shape, encoder = fold.shape, args.settings["encoder"]
    seed_everything(args.seed, args.fold, device=fold.device.place)
    model = build_classifier(shape=shape, encoder=encoder, **head_of(task))
    model.microbatch = machine_of(args)["microbatch"]
    if args.encoder:
        load_encoder(model, args.encoder, encoder)
    best = BestWeights(model.to(fold.device.place), task["select_by"])
    progress = open_progress(args, fold, beside=args.classifier, inputs=[args.encoder], best=best)
    history = finetune(fold, model, task, args.seed, best, progress)
    if fold.device.rank == 0:
        fold.write_seen(args.seen)
        write_history(args.history, history)
        save_weights(args.classifier, model, {**args.settings, "shape": shape, "seed": args.seed})
    progress.remove()


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument(
        "--encoder", nargs="?", help="pre-trained weights, safetensors; without them the encoder starts afresh"
    )
    parser.add_argument("--classifier", required=True, help="weights of the best epoch, safetensors (output)")
    parser.add_argument("--history", required=True, help="figures of each epoch, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
