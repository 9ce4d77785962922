"""Measure how well a scan came through preprocessing, decide whether it passes, and draw it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from neurobar.data.files import written_whole
from neurobar.data.resampling import resample
from neurobar.data.volumes import read_head, read_volume
from neurobar.preprocess.affines import correlate
from neurobar.preprocess.registration import Registration, read_registration


def measure_scan(raw: np.ndarray, affine: np.ndarray, mask: np.ndarray, corrected: np.ndarray) -> dict[str, object]:
    """Measure a scan on its own grid.

    Parameters
    ----------
    raw, corrected : float (D, H, W)
        Intensities before and after the bias correction.
    affine : float (4, 4)
        From voxel indices to scanner millimetres.
    mask : bool (D, H, W)
        True inside the brain.

    Returns
    -------
    dict
        spacing_mm; brain_ml; bias_range, the 99th over the 1st percentile of the bias field; clipped, the part of the
        brain's voxels at the largest value of the image; missing, the part of them that is 0.
    """
    brain = raw[mask] if mask.any() else np.zeros(1)
    seen = brain > 0
    field = brain[seen] / np.maximum(corrected[mask][seen], 1e-6) if seen.any() else brain
    low, high = np.percentile(field, (1, 99)) if seen.any() else (1.0, 1.0)
    return {
        "spacing_mm": np.linalg.norm(affine[:3, :3], axis=0).round(4).tolist(),
        "brain_ml": round(float(mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000), 1),
        "bias_range": round(float(high / low), 3),
        "clipped": round(float((brain >= raw.max()).mean()), 5),
        "missing": round(float(1 - seen.mean()), 5),
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


def find_reasons(measured: dict[str, object], registration: Registration, limits: dict[str, object]) -> list[str]:
    """List in sentences what lies outside the limits.

    Parameters
    ----------
    measured : dict
        See `measure_scan` and `measure_fit`.
    registration : Registration
    limits : dict
        For each measured name, [smallest, largest]; null where there is none.

    Returns
    -------
    list of str
        Empty for a scan that passes.
    """
    reasons = []
    if not registration.credible:
        reasons.append(f"No credible registration was found from {registration.starts} starts.")
    for name, (smallest, largest) in limits.items():
        value = measured[name]
        if smallest is not None and value < smallest:
            reasons.append(f"{name} is {value}, below {smallest}.")
        if largest is not None and value > largest:
            reasons.append(f"{name} is {value}, above {largest}.")
    return reasons


def draw_planes(volume: np.ndarray, template_mask: np.ndarray, title: str, path: Path) -> None:
    """Draw three planes of a brain on the grid, with its own border and that of the template.

    Parameters
    ----------
    volume : float (D, H, W)
    template_mask : bool (D, H, W)
    title : str
    path : pathlib.Path
        A PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), dpi=80, facecolor="black")
    ceiling = np.percentile(volume[volume > 0], 99.5) if volume.any() else 1.0
    half = tuple(length // 2 for length in volume.shape)
    # Beside the midline, where ventricle and hippocampus are seen.
    for panel, (axis, index) in enumerate(((0, half[0] - 6), (1, half[1]), (2, half[2])), start=1):
        axes = figure.add_subplot(1, 3, panel)
        plane, border = np.take(volume, index, axis).T, np.take(template_mask, index, axis).T
        axes.imshow(plane, cmap="gray", origin="lower", vmin=0, vmax=ceiling)
        if plane.any():
            axes.contour(plane > 0, [0.5], colors="tab:red", linewidths=0.8)
        axes.contour(border, [0.5], colors="tab:cyan", linewidths=0.8)
        axes.set_axis_off()
        if axis != 0:
            axes.text(1, volume.shape[0] / 2, "L", color="white", fontsize=9, va="center")
    figure.suptitle(title, color="white", fontsize=9)
    figure.text(0.5, 0.02, "brain of the scan (red), of the template (cyan)", color="white", fontsize=8, ha="center")
    figure.subplots_adjust(0.01, 0.06, 0.99, 0.9, 0.02, 0)
    with written_whole(path) as partial:
        figure.savefig(partial)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="raw T1 head")
    parser.add_argument("--mask", type=Path, required=True, help="brain mask of the scan")
    parser.add_argument("--corrected", type=Path, required=True, help="brain without bias, on the grid of the scan")
    parser.add_argument("--volume", type=Path, required=True, help="brain on the grid")
    parser.add_argument("--registration", type=Path, required=True)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--template-mask", type=Path, required=True)
    parser.add_argument("--name", required=True, help="of the scan")
    parser.add_argument("--limits", type=json.loads, required=True, help="smallest and largest of each measure, JSON")
    parser.add_argument("--check", type=Path, required=True, help="JSON (output)")
    parser.add_argument("--picture", type=Path, required=True, help="PNG (output)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Write the check of one scan and its picture."""
    args = parse_arguments(argv)
    try:
        image = read_head(args.scan)
    except ValueError as error:
        sys.exit(str(error))
    registration = read_registration(args.registration)
    volume, grid = read_volume(args.volume)
    template, mask = (resample(*read_volume(path), volume.shape, grid) for path in (args.template, args.template_mask))
    native = read_volume(args.mask)[0] > 0
    measured = measure_scan(np.asarray(image.dataobj), image.affine, native, read_volume(args.corrected)[0])
    measured |= measure_fit(volume, template, mask > 0.5)
    measured |= {"smallest_scale": min(registration.scales), "largest_scale": max(registration.scales)}
    measured |= {"shear": registration.shear, "similarity": registration.similarity}
    reasons = find_reasons(measured, registration, args.limits)
    verdict = {"passed": not reasons, "reasons": reasons, "credible": registration.credible}
    with written_whole(args.check) as partial:
        partial.write_text(json.dumps({"scan": args.name, **verdict, **measured}, indent=1) + "\n")
    summary = (
        f"overlap {measured['overlap']:.3f}, correlation {measured['correlation']:.2f}, {measured['brain_ml']:.0f} ml"
    )
    title = f"{args.name}: {'passed' if not reasons else reasons[0]}  ({summary})"
    draw_planes(volume, mask > 0.5, title, args.picture)


if __name__ == "__main__":
    main()
