"""The two views of each anchor."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neurobar.transforms.boxes import draw_cuts, draw_shuffles, shuffle_voxels
from neurobar.transforms.regions import RegionMap, choose_hidden, fill_with_noise
from neurobar.transforms.replacements import SHARES, replace_voxels


class MixedView(NamedTuple):
    """View 1 and how mixed it is.

    Attributes
    ----------
    volumes : float (N, 1, D, H, W)
    share : float (N,)
        Part of the atlas that came from the donor [0..1].
    """

    volumes: Tensor
    share: Tensor


def mixed_view(
    anchor: Tensor,
    donor: Tensor,
    ratio: Tensor,
    *,
    regions: RegionMap,
    settings: dict[str, Any],
    generator: torch.Generator,
) -> MixedView:
    """Make view 1: parts of the donor replace the anchor's, then some untouched regions are hidden by noise.

    Parameters
    ----------
    anchor, donor : float (N, 1, D, H, W)
        Standardised intensities [-].
    ratio : float (N,)
        Part of the brain that shall be replaced [0..1].
    regions : RegionMap
    settings : dict
        The settings of a run.
    generator : torch.Generator

    Returns
    -------
    MixedView
    """
    if settings["mixing"] == "none":
        taken = torch.zeros_like(anchor, dtype=torch.bool)
    else:
        mixing = import_module(f"neurobar.transforms.mixings.{settings['mixing']}")
        taken = mixing.choose_voxels(ratio=ratio, regions=regions, generator=generator, **settings["mixing_settings"])
    volumes = replace_voxels(anchor, donor, taken)
    if settings["noise_regions"] > 0:
        hidden = choose_hidden(taken, regions, fraction=settings["noise_regions"], generator=generator)
        volumes = fill_with_noise(volumes, hidden, draw_noise(volumes, settings["noise"], generator=generator))
    if settings["cuts_on_view_1"]:
        volumes = shuffled(cut(volumes, settings=settings, generator=generator), settings=settings, generator=generator)
    return MixedView(volumes, SHARES[settings["share"]](taken, regions))


def hidden_view(anchor: Tensor, *, regions: RegionMap, settings: dict[str, Any], generator: torch.Generator) -> Tensor:
    """Make view 2: parts of the anchor are hidden by noise, then voxels of small boxes change places.

    Inner or outer cuts hide, or in their place regions of the atlas (BAM).

    Parameters
    ----------
    anchor : float (N, 1, D, H, W)
    regions : RegionMap
    settings : dict
        The settings of a run.
    generator : torch.Generator

    Returns
    -------
    float (N, 1, D, H, W)
    """
    if settings["noise_regions_on_view_2"] > 0:
        untouched = torch.zeros_like(anchor, dtype=torch.bool)
        fraction = settings["noise_regions_on_view_2"]
        marked = choose_hidden(untouched, regions, fraction=fraction, generator=generator)
        hidden = fill_with_noise(anchor, marked, draw_noise(anchor, settings["noise"], generator=generator))
    else:
        hidden = cut(anchor, settings=settings, generator=generator)
    return shuffled(hidden, settings=settings, generator=generator)


def cut(volumes: Tensor, *, settings: dict[str, Any], generator: torch.Generator) -> Tensor:
    """Hide voxels behind noise by inner or outer cuts.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
    settings : dict
        The settings of a run.
    generator : torch.Generator

    Returns
    -------
    float (N, 1, D, H, W)
    """
    shape = tuple(volumes.shape[2:])
    hidden = draw_cuts(
        len(volumes), shape, inner=settings["inner_cuts"], outer=settings["outer_cuts"], generator=generator
    )
    return fill_with_noise(volumes, hidden, draw_noise(volumes, settings["noise"], generator=generator))


def shuffled(volumes: Tensor, *, settings: dict[str, Any], generator: torch.Generator) -> Tensor:
    """Let the voxels of small boxes change places.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
    settings : dict
        The settings of a run.
    generator : torch.Generator

    Returns
    -------
    float (N, 1, D, H, W)
    """
    shape = tuple(volumes.shape[2:])
    return shuffle_voxels(volumes, *draw_shuffles(len(volumes), shape, boxes=settings["shuffle"], generator=generator))


def draw_noise(like: Tensor, kind: str, *, generator: torch.Generator) -> Tensor:
    """Draw the noise that hides voxels, over the range of standardised intensities.

    Parameters
    ----------
    like : float tensor
        Gives shape, type and device.
    kind : {"uniform", "normal"}
        Uniform in [0, 1), in steps of 2 ** -16, or normal with mean 0.5 and standard deviation 0.25.
    generator : torch.Generator

    Returns
    -------
    float tensor
    """
    if kind == "uniform":
        # Four 16-bit numbers from each 64-bit draw: drawing a float for each voxel took half the time of a view.
        draws = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device)
        draws.random_(-(2**63), None, generator=generator)
        return torch.add(0.5, draws.view(torch.int16)[: like.numel()].view(like.shape), alpha=2.0**-16)
    return torch.empty_like(like).normal_(0.5, 0.25, generator=generator)
