"""The template head that scans are registered to, with and without its skull."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurobar.preprocess.poses import Target

#: Skull and scalp reach so far from the brain; below the lowest slice, necks and jaws differ too much to be compared.
HEAD_MM, LOWEST_MM = 20.0, -50.0
#: What is compared outside a brain without its skull: enough to see its border.
BRAIN_MM = 5.0
#: Heads, and brains without their skull, that lie on the template correlate with it by 0.72 and 0.88 or more; those
#: that lie as they were scanned by 0.49 and 0.65 at most (nine heads).
HEAD_FIT, BRAIN_FIT = 0.6, 0.75


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
    fit : float
        Correlation below which a scan does not lie in template space, whatever is said of it.
    """

    head: np.ndarray
    depth: np.ndarray
    affine: np.ndarray
    reach_mm: float = HEAD_MM - 1
    fit: float = HEAD_FIT

    def stripped(self) -> Template:
        """Return the template of a scan that shows its brain alone."""
        return replace(self, head=np.where(self.depth > 0, self.head, 0), reach_mm=BRAIN_MM, fit=BRAIN_FIT)

    def around_brain(self, margin_mm: float) -> Target:
        """Return what is compared up to a distance from the brain."""
        return Target(self.head, self.depth > -margin_mm, self.affine)

    def whole(self) -> Target:
        """Return what a head shows in every scan: all but the neck and the jaw."""
        height = self.affine[2, 2] * np.arange(self.depth.shape[2]) + self.affine[2, 3]
        return Target(self.head, (self.depth > -self.reach_mm) & (height >= LOWEST_MM), self.affine)
