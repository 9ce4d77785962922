"""What a scalar output owes to each region of its input."""

from __future__ import annotations

import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from neurobar.transforms.regions import RegionMap, voxels_of_regions


def mark_each_region(regions: RegionMap) -> Tensor:
    """Mark nothing first, then each region alone.

    Parameters
    ----------
    regions : RegionMap

    Returns
    -------
    bool (K + 1, 1, D, H, W)
        Row 0 marks nothing, so that what row k changes can be told from rounding in another batch.
    """
    each = torch.eye(regions.count, dtype=torch.bool, device=regions.atlas.device)
    return voxels_of_regions(torch.cat([each.new_zeros(1, regions.count), each]), regions)


def sum_by_region(values: Tensor, regions: RegionMap) -> Tensor:
    """Add up the values of each region's voxels.

    Parameters
    ----------
    values : float (N, 1, D, H, W)
    regions : RegionMap

    Returns
    -------
    float64 (N, K)
        Background is left out.
    """
    sums = values.new_zeros(len(values), regions.count + 1, dtype=torch.float64)
    return sums.index_add_(1, regions.atlas.flatten(), values.flatten(1).double())[:, 1:]


def integrate_gradients(model: nn.Module, volumes: Tensor, baseline: Tensor, *, steps: int) -> Tensor:
    """Integrate the gradients of the output along the straight way from a baseline to each volume.

    Parameters
    ----------
    model : torch.nn.Module
        Maps ``(N, 1, D, H, W)`` to ``(N,)``, in evaluation mode.
    volumes : float32 (N, 1, D, H, W)
    baseline : float32 (1, 1, D, H, W)
    steps : int
        Points on the way; `steps` copies of the batch go through the model at once.

    Returns
    -------
    float32 (N, 1, D, H, W)
        Over all voxels they add up to the output's difference between volume and baseline, as far as `steps` allow.

    Notes
    -----
    Source: Sundararajan et al., ICML 2017, by captum.
    """
    return IntegratedGradients(model).attribute(volumes, baseline, n_steps=steps).detach().to(volumes.dtype)
