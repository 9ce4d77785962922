"""Boxes on the grid: placing, marking, cutting and shuffling."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import pad

BITS = 8  # of a byte, one for each of as many boxes


def draw_corners(sizes: Tensor, shape: tuple[int, int, int], *, generator: torch.Generator) -> Tensor:
    """Place boxes anywhere inside the grid with equal chance.

    Parameters
    ----------
    sizes : int64 (N, B, 3)
        Edges of each box [voxels]; none is larger than the grid.
    shape : tuple of int
        Size D, H, W of the grid.
    generator : torch.Generator

    Returns
    -------
    int64 (N, B, 3)
        The lowest corner of each box.
    """
    # A tensor made from `shape` would have to be copied to the device, which waits until that is idle.
    room = torch.stack([length - sizes[..., axis] for axis, length in enumerate(shape)], -1)
    return (torch.rand(room.shape, generator=generator, device=room.device) * (room + 1)).long()


def voxels_in_boxes(corners: Tensor, sizes: Tensor, shape: tuple[int, int, int], *, step: int = 1) -> Tensor:
    """Mark the voxels that lie in at least one box.

    Parameters
    ----------
    corners, sizes : int64 (N, B, 3)
        Lowest corner and edges of each box [voxels].
    shape : tuple of int
        Size D, H, W of the grid.
    step : int
        Only every so many voxels along each axis are looked at.

    Returns
    -------
    bool (N, 1, D, H, W)
        With a step, as much smaller.
    """
    places = [torch.arange(0, length, step, device=corners.device) for length in shape]
    within = [_within(corners[..., axis], sizes[..., axis], place) for axis, place in enumerate(places)]
    # Each box has a bit of its own, so what one voxel is to eight boxes takes one byte, and two passes over the grid.
    groups = zip(*(axis.split(BITS, dim=1) for axis in within), strict=True)
    marked = [_hold_any(*map(_pack_bits, group)) for group in groups]
    return functools.reduce(torch.bitwise_or, marked).unsqueeze(1)


def _within(corner: Tensor, size: Tensor, place: Tensor) -> Tensor:
    """Mark the places (P,) of one axis that lie in each box, bool (N, B, P)."""
    return (place >= corner.unsqueeze(2)) & (place < (corner + size).unsqueeze(2))


def _pack_bits(within: Tensor) -> Tensor:
    """Turn what some boxes (N, B, P) hold into one byte for each place, uint8 (N, P)."""
    bit = 2 ** torch.arange(within.shape[1], device=within.device).view(1, -1, 1)
    return (within * bit).sum(1).to(torch.uint8)


def _hold_any(depth: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Mark the voxels that lie in a box along all three axes, bool (N, D, H, W)."""
    planes = depth.unsqueeze(2) & height.unsqueeze(1)  # (N, D, H)
    return (planes.unsqueeze(3) & width.view(len(width), 1, 1, -1)).bool()


def draw_cuts(
    number: int,
    shape: tuple[int, int, int],
    *,
    inner: dict[str, int],
    outer: dict[str, int],
    generator: torch.Generator,
) -> Tensor:
    """Draw what inner or outer cuts hide, either with equal chance for each scan.

    Parameters
    ----------
    number : int
        Number N of scans.
    shape : tuple of int
        Size D, H, W of the grid.
    inner, outer : dict
        `count` and `size` [voxels] of the holes (inner) and of the windows that alone are kept (outer).
    generator : torch.Generator

    Returns
    -------
    bool (N, 1, D, H, W)
        True where a voxel is hidden.

    Notes
    -----
    Source: the inner and outer cut-outs of Zhou et al., Models Genesis, MICCAI 2019, as used by Seyfioglu et al.
    """
    drawn = [_draw_boxes(number, shape, boxes, generator=generator) for boxes in (inner, outer)]
    is_inner = (torch.rand(number, generator=generator, device=generator.device) < 0.5).view(-1, 1, 1)
    # Boxes of size 0 make both kinds equally many, so that each scan's own kind alone is marked.
    most = max(inner["count"], outer["count"])
    padded = [[pad(each, (0, 0, 0, most - each.shape[1])) for each in kind] for kind in drawn]
    corners, sizes = (torch.where(is_inner, hole, window) for hole, window in zip(*padded, strict=True))
    marked, is_outer = voxels_in_boxes(corners, sizes, shape), ~is_inner.view(-1, 1, 1, 1, 1)
    return (marked.view(torch.uint8) ^ is_outer.view(torch.uint8)).view(torch.bool)  # ten times faster than on bool


def _draw_boxes(
    number: int, shape: tuple[int, int, int], boxes: dict[str, int], *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    if boxes["count"] and boxes["size"] > min(shape):
        raise ValueError(f"A box of {boxes['size']} voxels is larger than the grid {shape}.")
    sizes = torch.full((number, boxes["count"], 3), boxes["size"], device=generator.device)
    return draw_corners(sizes, shape, generator=generator), sizes


def draw_shuffles(
    number: int, shape: tuple[int, int, int], *, boxes: dict[str, int], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw boxes and an order of the voxels in each.

    Parameters
    ----------
    number : int
        Number N of scans.
    shape : tuple of int
        Size D, H, W of the grid.
    boxes : dict
        `count` B and `size` s [voxels].
    generator : torch.Generator

    Returns
    -------
    places : int64 (B, N, s ** 3)
        Flat indices of the voxels of each box.
    order : int64 (B, N, s ** 3)
        Which voxel of its box moves to each place.
    """
    corners, _ = _draw_boxes(number, shape, boxes, generator=generator)  # (N, B, 3)
    offset = torch.cartesian_prod(*[torch.arange(boxes["size"], device=generator.device)] * 3)  # (s ** 3, 3)
    strides = torch.tensor([shape[1] * shape[2], shape[2], 1], device=generator.device)
    places = ((corners.unsqueeze(2) + offset) * strides).sum(3).transpose(0, 1)  # (B, N, s ** 3)
    order = torch.rand(places.shape, generator=generator, device=generator.device).argsort(2)
    return places, order


def shuffle_voxels(volumes: Tensor, places: Tensor, order: Tensor) -> Tensor:
    """Let the voxels of small boxes change places, box after box.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
    places, order : int64 (B, N, s ** 3)
        From `draw_shuffles`.

    Returns
    -------
    float (N, 1, D, H, W)
        A new tensor with the same voxels; the input stands unchanged.
    """
    shuffled = volumes.flatten(1).clone()  # (N, D * H * W)
    # Boxes may overlap, so one follows the other: all at once would lose and double voxels.
    for place, rank in zip(places, order, strict=True):
        shuffled.scatter_(1, place, shuffled.gather(1, place.gather(1, rank)))
    return shuffled.view_as(volumes)
