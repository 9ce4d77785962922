"""Fine-tune an encoder to tell the two classes apart.

An MLP on the class token and the whole encoder (or, frozen, the MLP alone) learn by binary cross-entropy on the
training scans of a fold. The weights of the epoch that the selection fold judges best are kept.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from neurobar.data.files import written_whole
from neurobar.models.classifier import Classifier
from neurobar.training.checkpoints import save_weights
from neurobar.training.classifiers import build_classifier, load_encoder, predict_logits
from neurobar.training.command import FoldOfCohort, cohort_parser, open_fold, run_command
from neurobar.training.devices import seed_everything
from neurobar.training.loop import train


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

    def restore(self) -> None:
        """Put the best weights back into the model."""
        self.model.load_state_dict(self.weights)


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


def finetune(fold: FoldOfCohort, model: Classifier, task: dict[str, Any], seed: int) -> list[dict[str, float]]:
    """Train a classifier and leave the weights of its best epoch in it.

    Parameters
    ----------
    fold : FoldOfCohort
        Remembers which scans trained and which selected.
    model : Classifier
        On the device.
    task : dict
        The settings of the task.
    seed : int

    Returns
    -------
    list of dict
        The history.
    """
    volumes, labels = fold.load("train"), _labels(fold, "train")
    select_volumes, select_labels = fold.load("select"), _labels(fold, "select")
    best = BestWeights(model, task["select_by"])

    def plan_epoch(epoch: int) -> list[Tensor]:
        order = np.random.default_rng((seed, fold.fold, epoch)).permutation(len(volumes))
        return list(torch.from_numpy(order).to(fold.device.place).split(task["batch"]))

    def losses_of(rows: Tensor, _generator: torch.Generator) -> dict[str, Tensor]:
        with fold.device.autocast():
            logits = model(volumes[rows].float())
        return {"loss": binary_cross_entropy_with_logits(logits.float(), labels[rows])}

    def after_epoch(_epoch: int) -> dict[str, float]:
        logits = predict_logits(model, select_volumes, batch=task["batch"], device=fold.device)
        scores = selection_scores(logits, select_labels)
        best.offer(scores)
        return scores

    history = train(
        model,
        plan_epoch=plan_epoch,
        losses_of=losses_of,
        after_epoch=after_epoch,
        settings=task,
        seeds=(seed, fold.fold),
        device=fold.device,
    )
    best.restore()
    return history


def _labels(fold: FoldOfCohort, part: str) -> Tensor:
    rows = fold.rows(part)
    fold.seen[part] = rows["scan"].tolist()
    return torch.tensor(rows["label"].to_numpy(), device=fold.device.place).float()


def run_job(args: argparse.Namespace) -> None:
    """Fine-tune and write classifier, history and the scans that were seen."""
    fold, task = open_fold(args), args.settings["finetune"]
    shape, encoder = fold.shape, args.settings["encoder"]
    seed_everything(args.seed, args.fold, device=fold.device.place)
    model = build_classifier(shape=shape, encoder=encoder, hidden=task["hidden"], frozen=task["frozen"])
    if args.encoder:
        load_encoder(model, args.encoder, encoder)
    history = finetune(fold, model.to(fold.device.place), task, args.seed)
    fold.write_seen(args.seen)
    with written_whole(args.history) as partial:
        pd.DataFrame(history).to_csv(partial, sep="\t", index=False)
    save_weights(args.classifier, model, {**args.settings, "shape": shape, "seed": args.seed})


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
    main()
