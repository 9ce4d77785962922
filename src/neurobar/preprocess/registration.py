"""What registration finds out about a scan, and whether to believe it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from neurobar.data.files import written_whole


@dataclass(frozen=True)
class Registration:
    """How a scan lies in template space.

    Attributes
    ----------
    affine : list of 4 lists of 4 float
        From template to scanner millimetres, both right-anterior-superior.
    correlation : float
        Of scan and template in the brain and its surroundings [-1..1].
    scales : list of 3 float
        Size of this head over that of the template along its principal axes, largest first.
    shear : float
        Largest cosine between two axes that were at right angles [0..1].
    starts : int
        Poses tried.
    credible : bool
        True when correlation, scales and shear are within the limits.
    similarity : float
        Mean squared local correlation after the deformation [0..1].
    """

    affine: list[list[float]]
    correlation: float
    scales: list[float]
    shear: float
    starts: int
    credible: bool
    similarity: float = 0.0

    def matrix(self) -> np.ndarray:
        """Return the affine (4, 4), from template to scanner millimetres."""
        return np.array(self.affine)


@dataclass(frozen=True)
class Limits:
    """Beyond these, a registration is not believed.

    Attributes
    ----------
    smallest_correlation : float
    smallest_scale, largest_scale : float
        Size of a head over that of the template.
    largest_shear : float
        Cosine between two axes.
    """

    smallest_correlation: float
    smallest_scale: float
    largest_scale: float
    largest_shear: float


def judge(affine: np.ndarray, correlation: float, starts: int, limits: Limits) -> Registration:
    """Measure an affine (4, 4) and decide whether a head can have it."""
    linear = affine[:3, :3]
    scales = np.linalg.svd(linear, compute_uv=False)
    axes = linear / np.linalg.norm(linear, axis=0)
    shear = float(np.abs(axes.T @ axes - np.eye(3)).max())
    credible = (
        correlation >= limits.smallest_correlation
        and limits.smallest_scale <= scales.min()
        and scales.max() <= limits.largest_scale
        and shear <= limits.largest_shear
        and np.linalg.det(linear) > 0
    )
    return Registration(affine.tolist(), correlation, scales.tolist(), shear, starts, bool(credible))


def write_registration(path: str | Path, registration: Registration) -> None:
    """Write a registration as JSON."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(asdict(registration), indent=1) + "\n")


def read_registration(path: str | Path) -> Registration:
    """Read what `write_registration` wrote."""
    return Registration(**json.loads(Path(path).read_text()))
