"""Regions of an atlas as batched operations: choosing, counting, filling."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RegionMap:
    """An atlas on the grid, sorted once so that voxels are counted without a loop over regions.

    Attributes
    ----------
    atlas : int64 (D, H, W)
        Region of each voxel, 1 to K; 0 is background.
    order : int64 (B,)
        Flat indices of the B voxels that belong to a region, region after region.
    ends : int64 (K,)
        Where each region ends within `order`.
    """

    atlas: Tensor
    order: Tensor
    ends: Tensor

    @classmethod
    def of(cls, atlas: Tensor) -> RegionMap:
        """Sort the voxels of an atlas.

        Parameters
        ----------
        atlas : integer (D, H, W)
            Region of each voxel; 0 is background.

        Returns
        -------
        RegionMap

        Raises
        ------
        ValueError
            If there is no region, or a region has no voxel: on a grid this coarse it could be neither moved nor hidden.
        """
        flat = atlas.long().flatten()
        sizes = torch.bincount(flat)
        if len(sizes) < 2:
            raise ValueError("The atlas has no region on this grid.")
        if not sizes[1:].all():
            lost = int((sizes[1:] == 0).nonzero()[0]) + 1
            raise ValueError(f"Region {lost} of the atlas has no voxel on this grid; lower training.voxel_mm.")
        order = torch.argsort(flat, stable=True)[sizes[0] :]
        return cls(atlas.long(), order, sizes[1:].cumsum(0))

    @property
    def count(self) -> int:
        """Number K of regions."""
        return len(self.ends)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size D, H, W of the grid."""
        return tuple(self.atlas.shape)

    @property
    def sizes(self) -> Tensor:
        """Voxels of each region, int64 (K,)."""
        return self.ends.diff(prepend=self.ends.new_zeros(1))


def choose_regions(candidates: Tensor, count: Tensor, *, generator: torch.Generator) -> Tensor:
    """Draw a number of regions for each scan, each candidate with equal chance.

    Parameters
    ----------
    candidates : bool (N, K)
        Regions that may be drawn.
    count : int64 (N,)
        How many are drawn; at most the candidates there are.
    generator : torch.Generator

    Returns
    -------
    bool (N, K)
        True where a region was drawn.
    """
    chance = torch.rand(candidates.shape, generator=generator, device=candidates.device)
    # Candidates come first in a random order; a region is drawn when its place is below the count.
    place = chance.masked_fill(~candidates, 2.0).argsort(1).argsort(1)  # (N, K)
    return (place < count.view(-1, 1)) & candidates


def voxels_of_regions(chosen: Tensor, regions: RegionMap) -> Tensor:
    """Mark the voxels of the chosen regions.

    Parameters
    ----------
    chosen : bool (N, K)
    regions : RegionMap

    Returns
    -------
    bool (N, 1, D, H, W)
        Background is never marked.
    """
    with_background = torch.nn.functional.pad(chosen, (1, 0))  # (N, K + 1)
    # `index_select` over the second dimension does the same in four times the time.
    marked = with_background.gather(1, regions.atlas.flatten().expand(len(chosen), -1))  # (N, D * H * W)
    return marked.view(-1, 1, *regions.shape)


def count_voxels(marked: Tensor, regions: RegionMap) -> Tensor:
    """Count the marked voxels in each region.

    Parameters
    ----------
    marked : bool (N, 1, D, H, W)
    regions : RegionMap

    Returns
    -------
    int64 (N, K)
    """
    inside = marked.flatten(1).gather(1, regions.order.expand(len(marked), -1))  # (N, B)
    running = inside.cumsum(1, dtype=torch.int32)[:, regions.ends - 1].long()  # (N, K)
    return running.diff(dim=1, prepend=running.new_zeros(len(marked), 1))


def fill_with_noise(volumes: Tensor, marked: Tensor, noise: Tensor) -> Tensor:
    """Hide the marked voxels behind noise.

    Parameters
    ----------
    volumes, noise : float (N, 1, D, H, W)
    marked : bool (N, 1, D, H, W)
        True where a voxel is hidden.

    Returns
    -------
    float (N, 1, D, H, W)
        A new tensor; the inputs stand unchanged.
    """
    return torch.where(marked, noise, volumes)


def choose_hidden(taken: Tensor, regions: RegionMap, *, fraction: float, generator: torch.Generator) -> Tensor:
    """Draw the regions that brain-aware masking (BAM) hides: some of those that were left untouched.

    Parameters
    ----------
    taken : bool (N, 1, D, H, W)
        True where the donor replaced the anchor.
    regions : RegionMap
    fraction : float
        Part of the untouched regions that is hidden [0..1]; the number is rounded.
    generator : torch.Generator

    Returns
    -------
    bool (N, 1, D, H, W)
        True where a voxel is hidden.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, brain-aware masking.
    """
    untouched = count_voxels(taken, regions) == 0  # (N, K)
    count = torch.round(fraction * untouched.sum(1)).long()
    return voxels_of_regions(choose_regions(untouched, count, generator=generator), regions)
