"""Simulate one T1w scan of one session, and write down the truth beside it."""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.simulate.anatomy import draw_anatomy
from neurobar.simulate.heads import read_brain
from neurobar.simulate.measuring import measure_volumes
from neurobar.simulate.painting import paint_scan
from neurobar.simulate.scanners import SITES, draw_pose, grid_affine, record_head

MEAN_SIZE = {"F": 0.925, "M": 0.955}  # of a head over the template, along each axis; the template is a large one


def seeded(plan: Mapping[str, Any], *columns: str) -> np.random.Generator:
    """Make the generator that belongs to a subject or to a scan."""
    return np.random.default_rng([plan["seed"], *(zlib.crc32(plan[column].encode()) for column in columns)])


def simulate_scan(plan: Mapping[str, Any]) -> tuple[nib.Nifti1Image, nib.Nifti1Image, dict[str, Any]]:
    """Simulate one scan.

    Parameters
    ----------
    plan : mapping
        From `planned_scans`. The anatomy depends on the subject, position and noise on the session as well.

    Returns
    -------
    scan : nibabel.Nifti1Image
        int16 T1w intensities, in the orientation of the site.
    mask : nibabel.Nifti1Image
        uint8, 1 inside the brain, on the same grid.
    truth : dict
        Severity and volumes [ml].
    """
    brain, atlas, site = read_brain(), read_atlas(*locate_aal2()), SITES[plan["site"]]
    of_subject, of_scan = seeded(plan, "subject"), seeded(plan, "subject", "session")
    size = MEAN_SIZE[plan["sex"]] * of_subject.normal(1, (0.025, 0.02, 0.02))
    anatomy = draw_anatomy(brain, atlas, plan["severity"], plan["age"], of_subject)
    pose = draw_pose(plan["rotation_sd_degrees"], plan["shift_sd_mm"], of_scan)
    scanner = grid_affine(site)
    to_template = np.diag([*1 / size, 1]) @ np.linalg.inv(pose) @ scanner
    intensity, inside = paint_scan(site, brain, anatomy, to_template)
    recorded = record_head(intensity, site, plan["noise_share"], plan["bias_share"], of_scan)
    scan = orient_image(recorded, scanner, site.stored)
    mask = orient_image(inside.astype(np.uint8), scanner, site.stored)
    volumes = measure_volumes(brain, atlas, anatomy, size)
    return scan, mask, {"scan": plan["scan"], "severity": plan["severity"], "volumes_ml": volumes}


def orient_image(volume: np.ndarray, affine: np.ndarray, stored: str) -> nib.Nifti1Image:
    """Store a right-anterior-superior volume with its axes in another order and direction.

    Parameters
    ----------
    volume : (D, H, W)
        Right-anterior-superior.
    affine : float (4, 4)
        From its voxels to millimetres.
    stored : str
        Directions of the file's axes, such as "PSR".

    Returns
    -------
    nibabel.Nifti1Image
        The same volume at the same place.
    """
    turn = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(stored))
    image = nib.Nifti1Image(volume, affine).as_reoriented(turn)
    image.set_qform(image.affine, 1)
    image.set_sform(image.affine, 1)
    image.header.set_xyzt_units("mm")
    return image


def main(argv: list[str] | None = None) -> None:
    """Read the command line, simulate the scan and write it with its truth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plan", type=json.loads, required=True, help="one plan of `planned_scans`, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="the scan, .nii.gz")
    parser.add_argument("--mask", type=Path, required=True, help="true brain mask, .nii.gz")
    parser.add_argument("--truth", type=Path, required=True, help="severity and true volumes, .json")
    args = parser.parse_args(argv)
    scan, mask, truth = simulate_scan(args.plan)
    for image, path in ((scan, args.output), (mask, args.mask)):
        with written_whole(path) as partial:
            nib.save(image, partial)
    with written_whole(args.truth) as partial:
        partial.write_text(json.dumps(truth, indent=2) + "\n")


if __name__ == "__main__":
    call_command(main)
