"""Coarser grids, for studies that must be small."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool3d


def coarsen_volumes(volumes: Tensor, factor: int) -> Tensor:
    """Average cubes of voxels.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
    factor : int
        Edge of a cube [voxels]; 1 changes nothing.

    Returns
    -------
    float (N, 1, D / factor, H / factor, W / factor)

    Raises
    ------
    ValueError
        If an edge of the grid is no multiple of the factor.
    """
    if any(length % factor for length in volumes.shape[2:]):
        raise ValueError(f"A grid of {tuple(volumes.shape[2:])} voxels cannot be coarsened by {factor}.")
    return avg_pool3d(volumes, factor) if factor > 1 else volumes


def coarsen_atlas(atlas: Tensor, factor: int) -> Tensor:
    """Take the region beside the middle of each cube of voxels.

    Parameters
    ----------
    atlas : integer (D, H, W)
    factor : int
        Edge of a cube [voxels]; 1 changes nothing.

    Returns
    -------
    integer (D / factor, H / factor, W / factor)
    """
    middle = slice(factor // 2, None, factor)
    return atlas[middle, middle, middle]
