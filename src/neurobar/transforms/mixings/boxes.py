"""CutMix in three dimensions: several boxes that know nothing of anatomy."""

from __future__ import annotations

import torch
from torch import Tensor

from neurobar.transforms.boxes import voxels_in_boxes
from neurobar.transforms.regions import RegionMap

STEP = 3  # every third voxel is enough to tell how much of the brain some cubes cover


def choose_voxels(*, ratio: Tensor, regions: RegionMap, generator: torch.Generator, count: int = 8) -> Tensor:
    """Choose the voxels of randomly placed cubes.

    The cubes of one scan are equal, and as large as it takes to cover the ratio of the brain, whatever their overlap.

    Parameters
    ----------
    ratio : float (N,)
        Part of the brain that is replaced [0..1].
    regions : RegionMap
        Gives the grid and the brain.
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
    places = torch.rand(len(ratio), count, 3, generator=generator, device=ratio.device)
    edges = fit_edges(ratio, places, regions)
    return voxels_in_boxes(*place_cubes(edges, places, regions.shape), regions.shape)


def place_cubes(edges: Tensor, places: Tensor, shape: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Put cubes onto the grid.

    Parameters
    ----------
    edges : int64 (N,)
        Edge of the cubes of each scan [voxels]; a cube longer than the grid is cut to it.
    places : float (N, B, 3)
        Where each cube lies between the two ends of each axis [0..1).
    shape : tuple of int
        Size D, H, W of the grid.

    Returns
    -------
    corners, sizes : int64 (N, B, 3)
    """
    lengths = torch.tensor(shape, device=places.device)
    sizes = torch.minimum(edges.view(-1, 1, 1), lengths).expand(places.shape)
    return (places * (lengths - sizes + 1)).long(), sizes


def fit_edges(ratio: Tensor, places: Tensor, regions: RegionMap) -> Tensor:
    """Find by bisection the cubes that cover the brain as nearly as the ratio asks.

    Parameters
    ----------
    ratio : float (N,)
    places : float (N, B, 3)
        See `place_cubes`.
    regions : RegionMap

    Returns
    -------
    int64 (N,)
        Edge of the cubes of each scan [voxels].
    """
    brain = regions.atlas[::STEP, ::STEP, ::STEP] > 0
    voxels = brain.sum()

    def covered(edges: Tensor) -> Tensor:
        cubes = voxels_in_boxes(*place_cubes(edges, places, regions.shape), regions.shape, step=STEP)
        return (cubes & brain).flatten(1).sum(1) / voxels  # (N,)

    low = torch.zeros_like(ratio, dtype=torch.long)
    high = torch.full_like(low, max(regions.shape))
    for _ in range(max(regions.shape).bit_length()):
        middle = (low + high) // 2
        is_enough = covered(middle) >= ratio
        low, high = torch.where(is_enough, low, middle), torch.where(is_enough, middle, high)
    return torch.where(covered(high) - ratio < ratio - covered(low), high, low)
