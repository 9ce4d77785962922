"""What registration finds out about a scan, and whether to believe it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    similarity : float
        Mean squared local correlation of the head after the deformation [0..1].
    scales : list of 3 float
        Size of this head over that of the template along its principal axes, largest first.
    shear : float
        Largest cosine between two axes that were at right angles [0..1].
    outside : float
        Part of the template's brain that this puts beyond the field of view [0..1].
    starts : int
        Attempts made.
    credible : bool
        True when all of these are within the limits.
    """

    affine: list[list[float]]
    correlation: float
    similarity: float
    scales: list[float]
    shear: float
    outside: float
    starts: int
    credible: bool

    def matrix(self) -> np.ndarray:
        """Return the affine (4, 4), from template to scanner millimetres."""
        return np.array(self.affine)

    def rank(self) -> tuple[bool, float]:
        """Return what orders attempts: a credible one first, then the more similar one."""
        return self.credible, self.similarity


def judge(
    affine: np.ndarray, correlation: float, similarity: float, outside: float, limits: Mapping[str, Any]
) -> Registration:
    """Measure a registration and decide whether a head can have it.

    Parameters
    ----------
    affine : float (4, 4)
        From template to scanner millimetres.
    correlation, similarity, outside : float
        See `Registration`.
    limits : mapping
        smallest_correlation, smallest_similarity, largest_outside, scales (smallest, largest) and largest_shear.

    Returns
    -------
    Registration
    """
    linear = affine[:3, :3]
    scales = np.linalg.svd(linear, compute_uv=False)
    axes = linear / np.linalg.norm(linear, axis=0)
    shear = float(np.abs(axes.T @ axes - np.eye(3)).max())
    smallest, largest = limits["scales"]
    credible = (
        correlation >= limits["smallest_correlation"]
        and similarity >= limits["smallest_similarity"]
        and outside <= limits["largest_outside"]
        and smallest <= scales.min()
        and scales.max() <= largest
        and shear <= limits["largest_shear"]
        and np.linalg.det(linear) > 0
    )
    return Registration(affine.tolist(), correlation, similarity, scales.tolist(), shear, outside, 1, bool(credible))


def digest_scan(path: str | Path) -> str:
    """Return the SHA-256 of the file of a scan; empty where it cannot be read, which `read_head` words."""
    try:
        with open(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def write_registration(path: str | Path, registration: Registration, digest: str) -> None:
    """Write a registration as JSON, with the digest of the file that was registered (`scan_sha256`)."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(asdict(registration) | {"scan_sha256": digest}, indent=1) + "\n")


def read_registration(path: str | Path) -> Registration:
    """Read what `write_registration` wrote, without the digest."""
    written = json.loads(Path(path).read_text())
    del written["scan_sha256"]
    return Registration(**written)


def check_unchanged(scan: str | Path, registration: str | Path) -> None:
    """Refuse a scan that is another file than the one that was registered: two images would be mixed.

    To be called after the scan was read, so that nothing is between the reading and the check. The registration is
    removed, since Snakemake believes it where the scan was replaced before its job came to an end.

    Parameters
    ----------
    scan : path
        Raw T1 head.
    registration : path
        What `write_registration` wrote.

    Raises
    ------
    ValueError
        If the bytes of the scan are others.
    """
    if json.loads(Path(registration).read_text())["scan_sha256"] != digest_scan(scan):
        Path(registration).unlink()
        raise ValueError(
            f"{scan}: the file changed since it was registered; give the command again, and all of this scan is "
            "done anew."
        )
