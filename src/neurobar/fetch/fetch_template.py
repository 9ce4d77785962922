"""Write the ICBM152 template that nilearn carries, and a whole head: grown around it, or the one the config names."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.resampling import resample, smooth_to
from neurobar.data.volumes import write_volume
from neurobar.fetch.whole_heads import COMPUTED, carry_head, load_whole_head

#: Room around the template for skull and scalp, which reach beyond its own box at the vertex.
MARGIN_MM = 20
#: Outer distance from the brain [mm] and T1 intensity [white matter: 0.85] of the layers of a head. Mean thickness
#: of adult skull and scalp; registration moves the layers, so only their order and contrast matter.
LAYERS = ((1.5, 0.30), (6.0, 0.15), (13.0, 0.75))


def grow_head(brain: np.ndarray, depth_mm: np.ndarray) -> np.ndarray:
    """Surround a brain by cerebrospinal fluid, skull and scalp.

    Parameters
    ----------
    brain : float (D, H, W)
        T1 intensities, 0 outside the brain.
    depth_mm : float (D, H, W)
        Distance to the surface of the brain, negative outside.

    Returns
    -------
    float32 (D, H, W)
    """
    head = np.where(depth_mm > 0, brain, 0).astype(np.float32)
    inner = 0.0
    for outer, intensity in LAYERS:
        head[(depth_mm <= -inner) & (depth_mm > -outer)] = intensity
        inner = outer
    return head


def measure_depth(mask: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Measure how deep inside a mask each voxel lies.

    Parameters
    ----------
    mask : bool (D, H, W)
        True inside the brain.
    spacing_mm : float
        Edge of a voxel.

    Returns
    -------
    float32 (D, H, W)
        Distance to the surface, which runs between the voxels [mm]; negative outside.
    """
    inside = ndimage.distance_transform_edt(mask, spacing_mm)
    outside = ndimage.distance_transform_edt(~mask, spacing_mm)
    half = spacing_mm / 2
    return np.where(mask, inside - half, half - outside).astype(np.float32)


def load_icbm152() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load the ICBM152 2009a brain that nilearn carries.

    Returns
    -------
    brain : float32 (D, H, W)
        T1 at 1 mm [0..1], 0 outside the brain, with a margin.
    mask : bool (D, H, W)
        True inside the brain.
    affine : float (4, 4)
        From voxel indices to template millimetres, right-anterior-superior.
    """
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    template, mask = load_mni152_template(resolution=1), load_mni152_brain_mask(resolution=1)
    affine = template.affine.copy()
    affine[:3, 3] -= MARGIN_MM
    brain = np.pad(np.asarray(template.dataobj, np.float32), MARGIN_MM)
    return brain, np.pad(np.asarray(mask.dataobj) > 0, MARGIN_MM), affine


def make_template(spacing_mm: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Make the volumes that registration needs.

    Parameters
    ----------
    spacing_mm : float
        Spacing of the result.

    Returns
    -------
    volumes : dict of str to (D, H, W)
        `template`, `mask` (uint8), `head` and `depth` (see `measure_depth`).
    affine : float (4, 4)
        From voxel indices to template millimetres.
    """
    fine_brain, fine_mask, fine_affine = load_icbm152()
    affine = fine_affine @ np.diag([spacing_mm, spacing_mm, spacing_mm, 1])
    shape = tuple(int(length // spacing_mm) for length in fine_brain.shape)
    brain = resample(smooth_to(fine_brain, fine_affine, spacing_mm), fine_affine, shape, affine)
    depth = resample(measure_depth(fine_mask, 1.0), fine_affine, shape, affine, outside=-MARGIN_MM)
    mask = depth > 0
    brain = np.where(mask, brain, 0)
    return {"template": brain, "mask": mask.astype(np.uint8), "head": grow_head(brain, depth), "depth": depth}, affine


def main(argv: list[str] | None = None) -> None:
    """Write template, mask, head and depth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spacing-mm", type=float, default=2.0)
    parser.add_argument("--whole-head", default=COMPUTED, help="computed, nilearn, or a head in ICBM152 space")
    parser.add_argument("--sha256", nargs="?", help="expected checksum of that head")
    for name in ("template", "mask", "head", "depth"):
        parser.add_argument(f"--{name}", type=Path, required=True, help="NIfTI (output)")
    parser.add_argument("--record", type=Path, required=True, help="where the head comes from, JSON (output)")
    args = parser.parse_args(argv)
    volumes, affine = make_template(args.spacing_mm)
    record = {"head": args.whole_head, "sha256": None}
    if args.whole_head != COMPUTED:
        try:
            *head, record["sha256"] = load_whole_head(args.whole_head, args.sha256)
            volumes["head"] = carry_head(*head, volumes["template"], affine, args.whole_head)
        except ValueError as error:
            sys.exit(str(error))
    for name, volume in volumes.items():
        write_volume(getattr(args, name), volume, affine)
    with written_whole(args.record) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    call_command(main)
