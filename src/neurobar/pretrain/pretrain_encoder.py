"""Pre-train an encoder on mixed scans.

For each anchor scan two views are made (`views`). The encoder turns both into a class token and patch tokens; the
class tokens are contrasted (`losses.contrastive`, equation 4 of the paper) and a decoder restores the anchor from
the patch tokens of view 2 (`losses.reconstruction`). The decoder is left behind afterwards.
"""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from neurobar.data.atlases import read_regions
from neurobar.data.files import written_whole
from neurobar.losses.contrastive import equal_label_weights, rbf_weights, weighted_contrastive
from neurobar.losses.reconstruction import absolute_error
from neurobar.models.decoder import PatchDecoder
from neurobar.models.encoder import VisionTransformer
from neurobar.pretrain.batches import Batch, plan_batches
from neurobar.pretrain.views import cut_view, mixed_view
from neurobar.training.checkpoints import save_weights
from neurobar.training.command import FoldOfCohort, cohort_parser, open_fold, run_command
from neurobar.training.devices import Device, seed_everything
from neurobar.training.loop import train
from neurobar.transforms.grids import coarsen_atlas
from neurobar.transforms.regions import RegionMap
from neurobar.transforms.replacements import soft_label


class EncoderWithDecoder(nn.Module):
    """What pre-training optimises.

    Parameters
    ----------
    shape : tuple of int
        Size D, H, W of the grid [voxels].
    settings : dict
        The config's `encoder`.
    """

    def __init__(self, shape: tuple[int, int, int], settings: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = VisionTransformer(shape=shape, **settings)
        self.decoder = PatchDecoder(patches=self.encoder.patches, patch=settings["patch"], width=settings["width"])


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
    model: EncoderWithDecoder,
    volumes: Tensor,
    labels: Tensor,
    batch: Batch,
    *,
    regions: RegionMap,
    settings: dict[str, Any],
    device: Device,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Make both views of a batch and compute the losses between them.

    Parameters
    ----------
    model : EncoderWithDecoder
    volumes : float16 (n, 1, D, H, W)
        All training scans, standardised.
    labels : float (n,)
    batch : Batch
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
    rows, donors = (torch.from_numpy(chosen).to(volumes.device) for chosen in (batch.anchor, batch.donor))
    anchor = volumes[rows].float()
    view_2 = cut_view(anchor, settings=settings, generator=generator)
    with device.autocast():
        tokens_2 = model.encoder(view_2)
    losses = {}
    if settings["contrast"] != "none":
        ratio = torch.from_numpy(batch.ratio).to(volumes.device)
        view_1 = mixed_view(
            anchor, volumes[donors].float(), ratio, regions=regions, settings=settings, generator=generator
        )
        with device.autocast():
            tokens_1 = model.encoder(view_1.volumes)
        weights = contrast_weights(labels[rows], soft_label(labels[rows], labels[donors], view_1.share), settings)
        losses["contrast"] = settings["contrast_weight"] * weighted_contrastive(
            view_1=tokens_1[:, 0], view_2=tokens_2[:, 0], weights=weights, temperature=settings["temperature"]
        )
    if settings["reconstruction_weight"] > 0:
        with device.autocast():
            restored = model.decoder(tokens_2[:, 1:])
        losses["reconstruction"] = settings["reconstruction_weight"] * absolute_error(restored=restored, anchor=anchor)
    return {"loss": sum(losses.values()), **losses}


def pretrain(
    fold: FoldOfCohort, regions: RegionMap, settings: dict[str, Any], seed: int
) -> tuple[EncoderWithDecoder, list[dict[str, float]]]:
    """Pre-train on the training scans of one fold.

    Parameters
    ----------
    fold : FoldOfCohort
        Remembers who was anchor and who was donor.
    regions : RegionMap
    settings : dict
        `encoder`, and the settings of the run as `pretrain`.
    seed : int

    Returns
    -------
    model : EncoderWithDecoder
    history : list of dict
    """
    run, device, rows = settings["pretrain"], fold.device, fold.rows("train")
    volumes, labels = fold.load("train"), torch.tensor(rows["label"].to_numpy(), device=device.place).float()
    seed_everything(seed, fold.fold, device=device.place)
    model = EncoderWithDecoder(regions.shape, settings["encoder"]).to(device.place)

    def plan_epoch(epoch: int) -> list[Batch]:
        choices = {name: run[name] for name in ("batch", "beta", "donor")}
        batches = plan_batches(rows["subject"].to_numpy(), **choices, seeds=(seed, fold.fold, epoch))
        for batch in batches:
            fold.seen.setdefault("anchor", []).extend(rows["scan"].iloc[batch.anchor])
            if run["mixing"] != "none":
                fold.seen.setdefault("donor", []).extend(rows["scan"].iloc[batch.donor])
        return batches

    def losses_of(batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        return losses_of_batch(
            model, volumes, labels, batch, regions=regions, settings=run, device=device, generator=generator
        )

    history = train(
        model,
        plan_epoch=plan_epoch,
        losses_of=losses_of,
        after_epoch=lambda epoch: {},
        settings=run,
        seeds=(seed, fold.fold),
        device=device,
    )
    return model, history


def run_job(args: argparse.Namespace) -> None:
    """Pre-train and write encoder, history and the scans that were seen."""
    fold = open_fold(args)
    atlas = coarsen_atlas(torch.from_numpy(read_regions(args.atlas)), fold.coarsen)
    regions = RegionMap.of(atlas.to(fold.device.place))
    model, history = pretrain(fold, regions, args.settings, args.seed)
    fold.write_seen(args.seen)
    with written_whole(args.history) as partial:
        pd.DataFrame(history).to_csv(partial, sep="\t", index=False)
    save_weights(args.encoder, model.encoder, {**args.settings, "shape": regions.shape, "seed": args.seed})


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = cohort_parser(__doc__)
    parser.add_argument("--atlas", required=True, help="regions on the grid, NIfTI")
    parser.add_argument("--encoder", required=True, help="weights, safetensors (output)")
    parser.add_argument("--history", required=True, help="losses of each epoch, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    run_command(run_job, parser.parse_args(argv))


if __name__ == "__main__":
    main()
