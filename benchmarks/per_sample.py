"""The views of pre-training made scan by scan: loops over the regions of the atlas, and MONAI's transforms.

This is the peer that benchmarks/mixing.py and benchmarks/training.py measure against, written as one would write it
for a data loader. It makes the views that neurobar.transforms.views makes for a run with BAR, with other random
numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import yaml
from preprocess import ROOT
from torch import Tensor

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.fetch.fetch_atlas import resample_regions
from neurobar.transforms.grids import coarsen_atlas

Loop = Callable[[Tensor, Tensor, Tensor, list[int]], Tensor]


def copy_by_torch(anchor: Tensor, donor: Tensor, atlas: Tensor, chosen: list[int]) -> Tensor:
    """Copy regions into an anchor (1, D, H, W), one after the other, by masks of PyTorch."""
    mixed = anchor.clone()
    for region in chosen:
        inside = atlas == region
        mixed[0, inside] = donor[0, inside]
    return mixed


def copy_by_numpy(anchor: Tensor, donor: Tensor, atlas: Tensor, chosen: list[int]) -> Tensor:
    """Copy regions into an anchor (1, D, H, W), one after the other, by masks of NumPy."""
    mixed, source, atlas = anchor[0].numpy().copy(), donor[0].numpy(), atlas.numpy()
    for region in chosen:
        inside = atlas == region
        mixed[inside] = source[inside]
    return torch.from_numpy(mixed)[None]


def join_by_numpy(anchor: Tensor, donor: Tensor, atlas: Tensor, chosen: list[int]) -> Tensor:
    """Join the masks of the regions, then copy at once: what one writes after looking for the slow line."""
    atlas = atlas.numpy()
    taken = np.zeros(atlas.shape, bool)
    for region in chosen:
        taken |= atlas == region
    return torch.from_numpy(np.where(taken, donor[0].numpy(), anchor[0].numpy()))[None]


def mask_by_torch(volume: Tensor, _: Tensor, atlas: Tensor, chosen: list[int]) -> Tensor:
    """Hide regions of a volume (1, D, H, W) behind noise, by masks of PyTorch."""
    hidden = volume.clone()
    for region in chosen:
        inside = atlas == region
        hidden[0, inside] = torch.rand(int(inside.sum()), device=volume.device)
    return hidden


def mask_by_numpy(volume: Tensor, _: Tensor, atlas: Tensor, chosen: list[int]) -> Tensor:
    """Hide regions of a volume (1, D, H, W) behind noise, by masks of NumPy."""
    hidden, atlas = volume[0].numpy().copy(), atlas.numpy()
    for region in chosen:
        inside = atlas == region
        hidden[inside] = np.random.random_sample(int(inside.sum()))
    return torch.from_numpy(hidden)[None]


def read_settings(size: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the settings of the run BAR + Recon, and those of the encoder."""
    config, study = (yaml.safe_load((ROOT / name).read_text()) for name in ("config.yaml", "studies/bar_adni.yaml"))
    study = study if size == "paper" else {"pretrain": {}, "encoder": {}}
    run = config["pretrain"] | study["pretrain"] | config["runs"]["bar_recon"]
    return run, config["encoder"] | study["encoder"]


def read_regions(size: str) -> Tensor:
    """Return AAL2 on the grid, uint8 (D, H, W)."""
    atlas = torch.from_numpy(resample_regions(read_atlas(*locate_aal2())))
    return coarsen_atlas(atlas, 1 if size == "paper" else 2).contiguous()


#: Of regions from a donor (BAR), and of regions behind noise (BAM).
LOOPS: dict[str, tuple[Loop, Loop]] = {
    "PyTorch masks": (copy_by_torch, mask_by_torch),
    "NumPy masks": (copy_by_numpy, mask_by_numpy),
    "NumPy masks, joined": (join_by_numpy, mask_by_numpy),
}

TORCH, NUMPY, JOINED = LOOPS


class SampleViews:
    """Makes both views of one scan.

    Parameters
    ----------
    atlas : uint8 (D, H, W)
        Region of each voxel; 0 is background.
    settings : dict
        The settings of a run.
    loop : str
        One of `LOOPS`.
    """

    def __init__(self, atlas: Tensor, settings: dict[str, Any], loop: str) -> None:
        # 5 s, and ours does without.
        from monai.data import set_track_meta
        from monai.transforms import RandCoarseDropout, RandCoarseShuffle

        set_track_meta(False)  # MONAI is faster on tensors that carry no header
        self.atlas, self.settings, (self.copy, self.mask) = atlas, settings, LOOPS[loop]
        self.sizes = torch.bincount(atlas.flatten().long())[1:].cpu().numpy()
        inner, outer, boxes = (settings[name] for name in ("inner_cuts", "outer_cuts", "shuffle"))
        noise = {"fill_value": (0.0, 1.0), "prob": 1.0}
        self.inner = RandCoarseDropout(inner["count"], inner["size"], **noise)
        self.outer = RandCoarseDropout(outer["count"], outer["size"], dropout_holes=False, **noise)
        self.shuffle = RandCoarseShuffle(boxes["count"], boxes["size"], prob=1.0)

    def replace(self, anchor: Tensor, donor: Tensor, ratio: float) -> tuple[Tensor, float, list[int]]:
        """Replace regions of an anchor; return it with the donor's share and the regions left untouched."""
        order = (np.random.permutation(len(self.sizes)) + 1).tolist()
        count = round(ratio * len(order))
        share = self.sizes[np.array(order[:count], int) - 1].sum() / self.sizes.sum()
        return self.copy(anchor, donor, self.atlas, order[:count]), float(share), order[count:]

    def draw_rest(self, ratio: float) -> list[int]:
        """Draw the regions that `replace` leaves untouched."""
        order = np.random.permutation(len(self.sizes)) + 1
        return order[round(ratio * len(order)) :].tolist()

    def hide(self, volume: Tensor, untouched: list[int]) -> Tensor:
        """Hide some of the untouched regions, which come in a random order."""
        count = round(self.settings["noise_regions"] * len(untouched))
        return self.mask(volume, volume, self.atlas, untouched[:count])

    def cut(self, volume: Tensor) -> Tensor:
        """Make inner or outer cuts. MONAI writes inner ones into its input."""
        return self.inner(volume.clone()) if np.random.random_sample() < 0.5 else self.outer(volume)

    def view_1(self, anchor: Tensor, donor: Tensor, ratio: float) -> tuple[Tensor, float]:
        """Return view 1 and the donor's share of it."""
        mixed, share, untouched = self.replace(anchor, donor, ratio)
        return self.hide(mixed, untouched), share

    def view_2(self, anchor: Tensor) -> Tensor:
        """Return view 2; cuts have made a copy, so it is shuffled in place."""
        return self.shuffle(self.cut(anchor))
