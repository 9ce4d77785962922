"""Brain-aware replacement (BAR): whole atlas regions change places."""

from __future__ import annotations

import torch
from torch import Tensor

from neurobar.transforms.regions import RegionMap, choose_regions, voxels_of_regions


def choose_voxels(*, ratio: Tensor, regions: RegionMap, generator: torch.Generator) -> Tensor:
    """Choose the voxels of randomly drawn regions.

    The number of regions is the ratio times the number of regions of the atlas, rounded.

    Parameters
    ----------
    ratio : float (N,)
        Part of the regions that is replaced [0..1].
    regions : RegionMap
        The atlas on the grid.
    generator : torch.Generator

    Returns
    -------
    bool (N, 1, D, H, W)
        True where the donor replaces the anchor.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, the mask of equation 2.
    """
    count = torch.round(ratio * regions.count).long()
    candidates = torch.ones(len(ratio), regions.count, dtype=torch.bool, device=ratio.device)
    return voxels_of_regions(choose_regions(candidates, count, generator=generator), regions)
