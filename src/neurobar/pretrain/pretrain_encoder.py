"""Pre-train an encoder on mixed scans.

For each anchor scan two views are made (`views`). The encoder turns both into a class token and patch tokens; the
class tokens are contrasted (`losses.contrastive`, equation 4 of the paper) and a decoder restores the anchor from
the patch tokens of view 2 (`losses.reconstruction`). Later stages learn from the encoder
alone; the decoder is kept for pictures of what it restores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neurobar.data.atlases import read_regions
from neurobar.data.endings import call_command
from neurobar.losses.contrastive import equal_label_weights, rbf_weights, weighted_contrastive
from neurobar.losses.reconstruction import absolute_errors
from neurobar.models.autoencoder import EncoderWithDecoder
from neurobar.pretrain.batches import Batch, plan_batches
from neurobar.training.checkpoints import save_weights
from neurobar.training.command import (
    FoldOfCohort,
    cohort_parser,
    machine_of,
    open_fold,
    open_progress,
    run_command,
    write_history,
)
from neurobar.training.devices import Device, seed_everything
from neurobar.training.loop import Losses, train
from neurobar.training.progress import Progress
from neurobar.training.scans import Ahead, Scans
from neurobar.transforms.grids import coarsen_atlas
from neurobar.transforms.regions import RegionMap
from neurobar.transforms.replacements import soft_label
from neurobar.transforms.views import hidden_view, mixed_view


def contrast_weights(labels: Tensor, mixed: Tensor, settings: dict[str, Any]) -> Tensor:
    """Weigh the pairs of a batch as the run's contrast asks for.

    Parameters
    ----------
    labels : float (N,)
        The anchors' own labels.
    mixed : float (N,)
        Soft labels of view 1.
    settings : dict
        The settings of a run.

    Returns
    -------
    float (N, N)
    """
    if settings["contrast"] == "infonce":
        return torch.eye(len(labels), device=labels.device)
    label_2 = mixed if settings["view_2_label"] == "mixed" else labels
    if settings["contrast"] == "soft_labels":
        return rbf_weights(label_1=mixed, label_2=label_2, sigma=settings["sigma"])
    return equal_label_weights(label_1=mixed, label_2=label_2)


def losses_of_batch(
    model: nn.Module,
    scans: tuple[Tensor, ...],
    labels: tuple[Tensor, Tensor],
    ratio: Tensor,
    *,
    regions: RegionMap,
    settings: dict[str, Any],
    device: Device,
    generator: torch.Generator,
) -> Losses:
    """Make both views of a batch and compute the losses between them.

    Every device that shares the job makes the views of the whole batch, a small part of a step, and encodes its own
    part of them: so the number of devices changes no result.

    Parameters
    ----------
    model : torch.nn.Module
        `EncoderWithDecoder` as the device prepared it.
    scans : tuple of float16 (N, 1, D, H, W)
        Anchors and, where something is mixed, their donors; standardised.
    labels : tuple of float (N,)
        Of anchors and donors.
    ratio : float (N,)
        Part of the brain that shall be replaced [0..1].
    regions : RegionMap
    settings : dict
        The settings of a run.
    device : Device
    generator : torch.Generator

    Returns
    -------
    dict of str to Tensor
        `loss`, and its parts `contrast` and `reconstruction` where they have a weight.
    """
    anchor, donor = scans[0].float(), scans[-1].float()
    number, own = len(anchor), device.own_part(len(anchor))
    view_2 = hidden_view(anchor, regions=regions, settings=settings, generator=generator)
    view_1 = None
    if settings["contrast"] != "none":
        view_1 = mixed_view(anchor, donor, ratio, regions=regions, settings=settings, generator=generator)
    with device.autocast():
        class_1, class_2, restored = model(None if view_1 is None else view_1.volumes[own], view_2[own])
    losses = {}
    if view_1 is not None:
        losses["contrast"] = settings["contrast_weight"] * weighted_contrastive(
            view_1=device.gather(class_1, number),
            view_2=device.gather(class_2, number),
            weights=contrast_weights(labels[0], soft_label(*labels, view_1.share), settings),
            temperature=settings["temperature"],
        )
    if restored is not None:
        errors = device.gather(absolute_errors(restored=restored, anchor=anchor[own]), number)
        losses["reconstruction"] = settings["reconstruction_weight"] * errors.mean()
    return {"loss": sum(losses.values()), **losses}


def plan_of(fold: FoldOfCohort, scans: Scans, run: dict[str, Any], seed: int) -> Callable[[int], Ahead]:
    """Return the function that plans an epoch and remembers who is anchor and who is donor in it.

    Parameters
    ----------
    fold : FoldOfCohort
    scans : Scans
        Of training.
    run : dict
        The settings of a run.
    seed : int

    Returns
    -------
    callable
    """
    rows, is_mixed = fold.rows("train"), run["mixing"] != "none"

    def fetch(batch: Batch) -> tuple[Tensor, ...]:
        return tuple(scans.take(chosen) for chosen in ((batch.anchor, batch.donor) if is_mixed else (batch.anchor,)))

    def plan_epoch(epoch: int) -> Ahead:
        choices = {name: run[name] for name in ("batch", "beta", "donor")}
        batches = plan_batches(rows["subject"].to_numpy(), **choices, seeds=(seed, fold.fold, epoch))
        for batch in batches:
            fold.seen.setdefault("anchor", []).extend(rows["scan"].iloc[batch.anchor])
            if is_mixed:
                fold.seen.setdefault("donor", []).extend(rows["scan"].iloc[batch.donor])
        return Ahead(batches, fetch, scans)

    return plan_epoch


def pretrain(
    fold: FoldOfCohort,
    model: EncoderWithDecoder,
    regions: RegionMap,
    *,
    run: dict[str, Any],
    seed: int,
    progress: Progress,
) -> list[dict[str, float]]:
    """Pre-train on the training scans of one fold.

    Parameters
    ----------
    fold : FoldOfCohort
        Remembers who was anchor and who was donor.
    model : EncoderWithDecoder
        On the device.
    regions : RegionMap
    run : dict
        The settings of the run.
    seed : int
    progress : Progress
        Where the job is taken up.

    Returns
    -------
    list of dict
        The history.
    """
    labels, device = fold.labels("train"), fold.device

    def losses_of(called: nn.Module, planned: tuple[Batch, tuple[Tensor, ...]], generator: torch.Generator) -> Losses:
        batch, scans = planned
        anchor, donor, ratio = (torch.from_numpy(values).to(device.place) for values in batch)
        pairs = (labels[anchor], labels[donor])
        return losses_of_batch(
            called, scans, pairs, ratio, regions=regions, settings=run, device=device, generator=generator
        )

    return train(
        model,
        plan_epoch=plan_of(fold, fold.scans("train"), run, seed),
        losses_of=losses_of,
        after_epoch=lambda epoch: {},
        settings=run,
        seeds=(seed, fold.fold),
        device=device,
        progress=progress,
    )


def run_job(args: argparse.Namespace) -> None:
    """Pre-train and write encoder, history and the scans that were seen."""
    fold, run = open_fold(args), args.settings["pretrain"]
    place = fold.device.place
    regions = RegionMap.of(coarsen_atlas(torch.from_numpy(read_regions(args.atlas)), fold.coarsen).to(place))
    seed_everything(args.seed, fold.fold, device=place)
    restores, microbatch = run["reconstruction_weight"] > 0, machine_of(args)["microbatch"]
    model = EncoderWithDecoder(regions.shape, args.settings["encoder"], restores=restores, microbatch=microbatch)
    progress = open_progress(args, fold, beside=args.encoder, inputs=[args.atlas])
    history = pretrain(fold, model.to(place), regions, run=run, seed=args.seed, progress=progress)
    if fold.device.rank == 0:
        fold.write_seen(args.seen)
        write_history(args.history, history)
        told = {**args.settings, "shape": regions.shape, "seed": args.seed}
        save_weights(args.encoder, model.encoder, told)
        save_weights(args.decoder, model.decoder if restores else nn.Module(), told)
    progress.remove()


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI")
    parser.add_argument("--encoder", required=True, help="weights, safetensors (output)")
    parser.add_argument(
        "--decoder", required=True, help="weights, none where nothing is restored, safetensors (output)"
    )
    parser.add_argument("--history", required=True, help="losses of each epoch, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    call_command(main)
