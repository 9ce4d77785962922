"""The template head that scans are registered to, with and without its skull."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine

from neurobar.preprocess.poses import Target

#: Skull and scalp reach so far from the brain; below the lowest slice, necks and jaws differ too much to be compared.
HEAD_MM, LOWEST_MM = 20.0, -50.0
#: What is compared outside a brain without its skull: enough to see its border.
BRAIN_MM = 5.0


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

    def measure_outside(self, shape: tuple[int, ...], to_voxels: np.ndarray) -> float:
        """Measure which part of the brain lies beyond the field of view, as far as the template can tell.

        Parameters
        ----------
        shape : tuple of int
            Of the scan.
        to_voxels : float (4, 4)
            From template millimetres to voxel indices of the scan.

        Returns
        -------
        float
            [0..1]
        """
        voxels = apply_affine(to_voxels @ self.affine, np.argwhere(self.depth > 0))
        seen = (voxels > -0.5).all(axis=1) & (voxels < np.array(shape) - 0.5).all(axis=1)
        return round(float(1 - seen.mean()), 5)
