"""A scan, and the template head that it is registered to, with and without its skull."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine

from neurobar.data.resampling import cover, resample, sample, smooth_to
from neurobar.preprocess.poses import Target

#: Skull and scalp reach so far from the brain; below the lowest slice, necks and jaws differ too much to be compared.
HEAD_MM, LOWEST_MM = 20.0, -50.0
#: What is compared outside a brain without its skull: enough to see its border.
BRAIN_MM = 5.0


@dataclass(frozen=True)
class Scan:
    """A scan on an upright grid that covers its field of view.

    Attributes
    ----------
    volume : float (D, H, W)
        Raw intensities.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    seen : float32 (D, H, W)
        Part of each voxel that was imaged [0..1]; corners of the grid were not, where the image lies obliquely.
    """

    volume: np.ndarray
    affine: np.ndarray
    seen: np.ndarray

    @classmethod
    def covering(cls, volume: np.ndarray, affine: np.ndarray, spacing_mm: float) -> Scan:
        """Sample an image (D, H, W) in any orientation at a spacing."""
        shape, upright = cover(volume.shape, affine, spacing_mm)
        sampled = resample(smooth_to(volume, affine, spacing_mm), affine, shape, upright)
        # A rim of what was not imaged, so that it fades over the outer half of the outermost voxels.
        rim = affine.copy()
        rim[:3, 3] -= affine[:3, :3].sum(axis=1)
        return cls(sampled, upright, resample(np.pad(np.ones(volume.shape, np.float32), 1), rim, shape, upright))


@dataclass(frozen=True)
class Template:
    """The template head and its brain.

    Attributes
    ----------
    head : float (D, H, W)
        Intensities of brain, cerebrospinal fluid, skull and scalp.
    depth : float (D, H, W)
        Distance to the surface of the brain, negative outside [mm].
    affine : float (4, 4)
        From voxel indices to template millimetres, upright.
    reach_mm : float
        How far from the brain there is something to compare.
    """

    head: np.ndarray
    depth: np.ndarray
    affine: np.ndarray
    reach_mm: float = HEAD_MM - 1

    def stripped(self) -> Template:
        """Return the template of a scan that shows its brain alone."""
        return replace(self, head=np.where(self.depth > 0, self.head, 0), reach_mm=BRAIN_MM)

    def around_brain(self, margin_mm: float) -> Target:
        """Return what is compared up to a distance from the brain."""
        return Target(self.head, self.depth > -margin_mm, self.affine)

    def whole(self) -> Target:
        """Return what a head shows in every scan: all but the neck and the jaw."""
        height = self.affine[2, 2] * np.arange(self.depth.shape[2]) + self.affine[2, 3]
        return Target(self.head, (self.depth > -self.reach_mm) & (height >= LOWEST_MM), self.affine)

    def measure_outside(self, scan: Scan, to_scan: np.ndarray) -> float:
        """Measure which part of the brain lies beyond the field of view, as far as the template can tell.

        Parameters
        ----------
        scan : Scan
        to_scan : float (4, 4)
            From template to scanner millimetres.

        Returns
        -------
        float
            [0..1]
        """
        brain = apply_affine(to_scan @ self.affine, np.argwhere(self.depth > 0))
        return round(float((sample(scan.seen, scan.affine, brain) < 0.5).mean()), 5)
