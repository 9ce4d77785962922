"""CutMix in three dimensions: several boxes that know nothing of anatomy."""

from __future__ import annotations

import torch
from torch import Tensor

from neurobar.transforms.boxes import draw_corners, voxels_in_boxes
from neurobar.transforms.regions import RegionMap


def choose_voxels(*, ratio: Tensor, regions: RegionMap, generator: torch.Generator, count: int = 8) -> Tensor:
    """Choose the voxels of randomly placed cubes.

    The cubes of one scan are equal and together as large as the ratio of the grid; where they overlap, less is
    replaced, which the share that is counted afterwards takes into account.

    Parameters
    ----------
    ratio : float (N,)
        Part of the grid that is replaced, before overlap [0..1].
    regions : RegionMap
        Gives the size of the grid.
    generator : torch.Generator
    count : int
        Number of cubes.

    Returns
    -------
    bool (N, 1, D, H, W)
        True where the donor replaces the anchor.

    Notes
    -----
    Source: Yun et al., CutMix, ICCV 2019, with several smaller boxes as in Seyfioglu et al., MICCAI 2022.
    """
    shape = torch.tensor(regions.shape, device=ratio.device)
    edge = (ratio * shape.prod() / count).pow(1 / 3)  # (N,)
    sizes = torch.minimum(edge.round().long().view(-1, 1, 1), shape).expand(-1, count, -1)  # (N, B, 3)
    corners = draw_corners(sizes, regions.shape, generator=generator)
    return voxels_in_boxes(corners, sizes, regions.shape)
