"""Replace parts of an anchor by its donor and say how mixed the result is."""

from __future__ import annotations

import torch
from torch import Tensor

from neurobar.transforms.regions import RegionMap, count_voxels


def replace_voxels(anchor: Tensor, donor: Tensor, taken: Tensor) -> Tensor:
    """Copy the taken voxels of each donor into its anchor.

    Parameters
    ----------
    anchor, donor : float (N, 1, D, H, W)
        Standardised intensities [-] on the atlas grid.
    taken : bool (N, 1, D, H, W)
        True where the donor replaces the anchor.

    Returns
    -------
    float (N, 1, D, H, W)
        A new tensor; the inputs stand unchanged.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, equation 2.
    """
    if not anchor.shape == donor.shape == taken.shape:
        raise ValueError(f"Shapes differ: {tuple(anchor.shape)}, {tuple(donor.shape)}, {tuple(taken.shape)}.")
    return torch.where(taken, donor, anchor)


def share_of_voxels(taken: Tensor, regions: RegionMap) -> Tensor:
    """Part of the atlas's voxels that came from the donor.

    Parameters
    ----------
    taken : bool (N, 1, D, H, W)
    regions : RegionMap

    Returns
    -------
    float (N,)
        From 0 (the anchor alone) to 1 (the donor alone).
    """
    return count_voxels(taken, regions).sum(1) / regions.sizes.sum()


def share_of_regions(taken: Tensor, regions: RegionMap) -> Tensor:
    """Part of the atlas's regions of which at least half came from the donor.

    Parameters
    ----------
    taken : bool (N, 1, D, H, W)
    regions : RegionMap

    Returns
    -------
    float (N,)
    """
    return (2 * count_voxels(taken, regions) >= regions.sizes).float().mean(1)


def soft_label(anchor_label: Tensor, donor_label: Tensor, share: Tensor) -> Tensor:
    """Mix two labels as the scans were mixed.

    Parameters
    ----------
    anchor_label, donor_label : float (N,)
        0 or 1.
    share : float (N,)
        Part of the brain that came from the donor [0..1].

    Returns
    -------
    float (N,)
        `(1 - share) * anchor_label + share * donor_label`.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, equation 3.
    """
    return torch.lerp(anchor_label.float(), donor_label.float(), share)


SHARES = {"voxels": share_of_voxels, "regions": share_of_regions}
