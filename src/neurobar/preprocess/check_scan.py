"""Measure how well a scan came through preprocessing, and draw it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.data.resampling import resample
from neurobar.data.volumes import read_head, read_volume
from neurobar.preprocess.affines import correlate
from neurobar.preprocess.arguments import add_prepared
from neurobar.preprocess.pictures import draw_scan
from neurobar.preprocess.registration import check_unchanged, read_registration


def measure_scan(raw: np.ndarray, affine: np.ndarray, mask: np.ndarray) -> dict[str, object]:
    """Measure a scan on its own grid.

    Parameters
    ----------
    raw : float (D, H, W)
        Intensities.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    mask : bool (D, H, W)
        True inside the brain.

    Returns
    -------
    dict
        spacing_mm; brain_ml; clipped, the part of the brain's voxels at the largest value of the image; missing, the
        part of them that is 0.
    """
    brain = raw[mask] if mask.any() else np.zeros(1)
    return {
        "spacing_mm": np.linalg.norm(affine[:3, :3], axis=0).round(4).tolist(),
        "brain_ml": round(float(mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000), 1),
        "clipped": round(float((brain >= raw.max()).mean()), 5),
        "missing": round(float((brain <= 0).mean()), 5),
    }


def measure_fit(volume: np.ndarray, template: np.ndarray, template_mask: np.ndarray) -> dict[str, float]:
    """Compare a brain on the grid with the template.

    Parameters
    ----------
    volume, template : float (D, H, W)
        Intensities; 0 outside the brain of the scan.
    template_mask : bool (D, H, W)
        True inside the brain of the template.

    Returns
    -------
    dict
        overlap, the Dice coefficient of the two brains, and correlation of their intensities where both are.
    """
    brain = volume > 0
    both = brain & template_mask
    return {
        "overlap": round(float(2 * both.sum() / max(brain.sum() + template_mask.sum(), 1)), 4),
        "correlation": round(correlate(volume[both], template[both]) if both.any() else 0.0, 4),
    }


def head_picture(measured: dict[str, object]) -> str:
    """Write the title of the picture of a scan, without its name: pages that show it say whose it is, or must not."""
    belief = "" if measured["credible"] else "  NO CREDIBLE REGISTRATION"
    figures = "overlap {overlap:.3f}, correlation {correlation:.2f}, similarity {similarity:.2f}".format(**measured)
    size = "" if measured["brain_ml"] is None else f", {measured['brain_ml']:.0f} ml"
    return f"{figures}{size}{belief}"


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    parser.add_argument("--mask", type=Path, required=True, help="brain mask of the scan")
    parser.add_argument("--bias", type=Path, required=True, help="range of the bias field, JSON")
    parser.add_argument("--volume", type=Path, required=True, help="brain on the grid")
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--template-mask", type=Path, required=True)
    parser.add_argument("--name", required=True, help="of the scan")
    add_prepared(parser)
    parser.add_argument("--method", default="atlas", help="how the skull was stripped")
    parser.add_argument("--check", type=Path, required=True, help="JSON (output)")
    parser.add_argument("--picture", type=Path, required=True, help="PNG (output)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Write the check of one scan and its picture."""
    args = parse_arguments(argv)
    try:
        image = read_head(args.scan)
        check_unchanged(args.scan, args.registration)
    except ValueError as error:
        sys.exit(str(error))
    registration = read_registration(args.registration)
    volume, grid = read_volume(args.volume)
    template, mask = (resample(*read_volume(path), volume.shape, grid) for path in (args.template, args.template_mask))
    native, raw = read_volume(args.mask)[0] > 0, np.asarray(image.dataobj)
    measured = measure_scan(raw, image.affine, native) | json.loads(args.bias.read_text(encoding="utf-8"))
    measured |= measure_fit(volume, template, mask > 0.5)
    measured |= {"smallest_scale": min(registration.scales), "largest_scale": max(registration.scales)}
    if "registered" in args.prepared:
        measured["brain_ml"] = None  # The person's own size was lost on the way to the template.
    own = ("shear", "similarity", "outside", "starts", "credible")
    measured |= {name: getattr(registration, name) for name in own}
    said = {"scan": args.name, "prepared": args.prepared, "skull_strip": args.method}
    with written_whole(args.check) as partial:
        partial.write_text(json.dumps(said | measured, indent=1) + "\n")
    in_template = np.linalg.inv(registration.matrix()) @ image.affine
    images = ((raw, in_template), (native.astype(np.uint8), in_template), (volume, grid), (mask, grid))
    draw_scan(*images, head_picture(measured), args.picture)


if __name__ == "__main__":
    call_command(main)
