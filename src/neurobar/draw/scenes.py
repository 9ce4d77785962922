"""What the pictures of views show: a scan of each class, one that no run learns from, and the atlas on their grid."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neurobar.data.atlases import read_regions
from neurobar.data.cohorts import Cohort, part_of_fold, read_cohort, read_folds
from neurobar.data.volumes import GRID_SPACING_MM
from neurobar.figures.planes import Plane, crop_plane, crop_to, cut_plane
from neurobar.training.scans import Scans, read_landmarks
from neurobar.transforms.grids import coarsen_atlas
from neurobar.transforms.regions import RegionMap

#: Every view is drawn with a generator of this seed.
SEED = 0
#: Scans of class 1 among which the donor is chosen.
CANDIDATES = 16


@dataclass(frozen=True)
class Scene:
    """Scans as the encoder of fold 0 sees them.

    Attributes
    ----------
    anchor, donor, unseen : float32 (1, 1, D, H, W)
        Training scans of class 0 and class 1, of two subjects, and a scan that no encoder of this fold learned from.
    regions : RegionMap
    landmark : bool (D, H, W)
        The hippocampus, which planes are to cut; the whole brain where the atlas does not name it.
    voxel_mm : float
    classes : tuple of str
        Name of class 0 and of class 1.
    part_of_unseen : {"test", "select"}
    trained : pandas.DataFrame
        Rows of the split of all training scans.
    """

    anchor: Tensor
    donor: Tensor
    unseen: Tensor
    regions: RegionMap
    landmark: np.ndarray
    voxel_mm: float
    classes: tuple[str, str]
    part_of_unseen: str
    trained: pd.DataFrame

    @property
    def brain(self) -> np.ndarray:
        """Voxels that belong to a region, bool (D, H, W)."""
        return self.regions.atlas.numpy() > 0

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The part of the grid that pictures show: what is brain in any of the scans."""
        scans = (self.anchor, self.donor, self.unseen)
        return crop_to(torch.cat(scans).ne(0).any(0)[0].numpy())

    def shown(self, volume: np.ndarray, plane: Plane) -> np.ndarray:
        """Cut a plane out of a volume (D, H, W) or (D, H, W, C), as large as pictures show it."""
        return crop_plane(cut_plane(volume, plane), plane, self.box)


def open_scene(args: argparse.Namespace) -> Scene:
    """Read the scans and the atlas.

    Parameters
    ----------
    args : argparse.Namespace
        Of `draw_views`.

    Returns
    -------
    Scene

    Raises
    ------
    ValueError
        If fold 0 does not train on scans of both classes, from two subjects.
    """
    cohort, folds = read_cohort(args.volumes, args.percentiles, args.table), read_folds(args.folds)
    coarsen, landmarks = round(args.training["voxel_mm"] / GRID_SPACING_MM), read_landmarks(args.landmarks)

    def take(rows: pd.DataFrame) -> Tensor:
        return _scans_of(cohort, rows, landmarks, coarsen)

    rows = part_of_fold(folds, 0, "train")
    anchor = rows[rows["label"] == 0].head(1)
    donors = rows[(rows["label"] == 1) & ~rows["subject"].isin(anchor["subject"])].head(CANDIDATES)
    if anchor.empty or donors.empty:
        raise ValueError("Fold 0 does not train on scans of both classes from two subjects: no views can be drawn.")
    part = "test" if (folds["part"] == "test").any() else "select"
    atlas = coarsen_atlas(torch.from_numpy(read_regions(args.atlas)), coarsen)
    names = pd.read_csv(args.regions, sep="\t")["name"]
    return Scene(
        anchor=take(anchor),
        donor=most_different(take(anchor), take(donors)),
        unseen=take(part_of_fold(folds, 0, part).head(1)),
        regions=RegionMap.of(atlas),
        landmark=mark_hippocampus(atlas.numpy(), names),
        voxel_mm=args.training["voxel_mm"],
        classes=(args.cohort["negative"], args.cohort["positive"]),
        part_of_unseen=part,
        trained=rows,
    )


def _scans_of(cohort: Cohort, rows: pd.DataFrame, landmarks: Tensor, coarsen: int) -> Tensor:
    settings: dict[str, Any] = {"coarsen": coarsen, "place": torch.device("cpu"), "how": "streamed"}
    return Scans(cohort, cohort.rows_of(rows["scan"]), landmarks, **settings).take(np.arange(len(rows))).float()


def most_different(anchor: Tensor, candidates: Tensor) -> Tensor:
    """Choose the scan whose exchange with the anchor is seen best.

    Parameters
    ----------
    anchor : float (1, 1, D, H, W)
    candidates : float (N, 1, D, H, W)

    Returns
    -------
    float (1, 1, D, H, W)
    """
    place = int((candidates - anchor).abs().flatten(1).mean(1).argmax())
    return candidates[place : place + 1]


def mark_hippocampus(atlas: np.ndarray, names: pd.Series) -> np.ndarray:
    """Mark the region that a plane through a brain should cut.

    Parameters
    ----------
    atlas : integer (D, H, W)
    names : pandas.Series of str
        Name of region 1, 2, ...

    Returns
    -------
    bool (D, H, W)
        The hippocampus, or the whole brain where no region has that name.
    """
    called = np.flatnonzero(names.str.contains("hippocampus", case=False)) + 1
    return np.isin(atlas, called) if called.size else atlas > 0


def best_plane(score: np.ndarray, through: np.ndarray, axis: int) -> Plane:
    """Find the plane with the highest score among those that show enough of what is to be seen.

    Parameters
    ----------
    score : (L,)
        Of each plane along the axis.
    through : bool (D, H, W)
        The plane shows at least half as much of this as the one that shows most.
    axis : int

    Returns
    -------
    Plane
    """
    cut = through.sum(tuple(other for other in range(3) if other != axis))
    return Plane(axis, int(np.where(2 * cut >= cut.max(), score, -1).argmax()))
