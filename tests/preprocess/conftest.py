"""A small head with a known brain, and scans of it."""

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from scipy import ndimage
from scipy.spatial.transform import Rotation

from neurobar.data.resampling import grid_points, resample
from neurobar.data.volumes import read_volume, write_volume
from neurobar.fetch import fetch_template
from neurobar.fetch.fetch_template import grow_head, measure_depth
from neurobar.preprocess import register_scan, strip_skull

SPACING_MM = 4.0


@dataclass(frozen=True)
class Phantom:
    """A template head with unequal axes; nothing about it is symmetric."""

    head: np.ndarray
    depth: np.ndarray
    affine: np.ndarray

    def scan(self, to_scan: np.ndarray, shape=(52, 60, 66), affine=None) -> nib.Nifti1Image:
        """Image the head after it moved from template to scanner millimetres."""
        if affine is None:
            affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1])
            affine[:3, 3] = -np.array(shape) * SPACING_MM / 2
        volume = 700 * resample(self.head, self.affine, shape, np.linalg.inv(to_scan) @ affine)
        image = nib.Nifti1Image(volume, affine)
        image.set_sform(affine, code=1)
        return image

    @staticmethod
    def moved(nod=0.0, shift=(0, 0, 0), size=1.0) -> np.ndarray:
        """Return the transform from template to scanner millimetres of a head that moved."""
        transform = np.eye(4)
        transform[:3, :3] = Rotation.from_euler("x", nod, degrees=True).as_matrix() * size
        transform[:3, 3] = shift
        return transform


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """Return a lopsided brain of grey and white matter with a ventricle on its right side, in a head."""
    shape, affine = (50, 56, 48), np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1])
    affine[:3, 3] = -98, -120, -92
    x, y, z = np.moveaxis(grid_points(shape, affine), -1, 0)
    mask = (x / 66) ** 2 + ((y + 8 + 0.1 * x) / 84) ** 2 + ((z - 4 + 0.15 * y) / 62) ** 2 < 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 1.5)
    brain = np.where(texture > 0, 0.9, 0.65)
    brain[((x - 14) / 12) ** 2 + ((y - 10) / 26) ** 2 + ((z - 8) / 12) ** 2 < 1] = 0.3
    depth = measure_depth(mask, SPACING_MM)
    return Phantom(grow_head(brain * mask, depth), depth, affine)


@pytest.fixture(scope="session")
def registration_settings(root) -> dict:
    """Return how the default study registers, with a coarse deformation that suits the phantom."""
    settings = yaml.safe_load((root / "config.yaml").read_text())["preprocess"]["registration"]
    return settings | {"deformation_mm": 8, "deformation_steps": 5}


@pytest.fixture
def phantom_files(phantom, registration_settings, tmp_path) -> Path:
    """Write the phantom as the stage `fetch` would, and the settings of its registration."""
    write_volume(tmp_path / "head.nii.gz", phantom.head, phantom.affine)
    write_volume(tmp_path / "depth.nii.gz", phantom.depth, phantom.affine)
    (tmp_path / "settings.json").write_text(json.dumps(registration_settings))
    return tmp_path


@pytest.fixture(scope="session")
def template_files(tmp_path_factory) -> Path:
    """Write the template."""
    folder = tmp_path_factory.mktemp("template")
    names = ("template", "mask", "head", "depth")
    outputs = [word for name in names for word in (f"--{name}", str(folder / f"{name}.nii.gz"))]
    fetch_template.main([*outputs, "--record", str(folder / "template.json")])
    return folder


@pytest.fixture
def find_brain(template_files, root):
    """Return a function that registers and strips a scan with the settings of the default study."""
    settings = yaml.safe_load((root / "config.yaml").read_text())["preprocess"]

    def run(scan, folder):
        paths = {"scan": scan, "depth": template_files / "depth.nii.gz", "registration": folder / "registration.json"}
        paths |= {"deformation": folder / "deformation.nii.gz"}
        common = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        head = ["--head", str(template_files / "head.nii.gz"), "--settings", json.dumps(settings["registration"])]
        register_scan.main([*common, *head])
        outputs = ["--mask", str(folder / "mask.nii.gz"), "--volume", str(folder / "stripped.nii.gz")]
        strip_skull.main([*common, "--growth-mm", str(settings["mask_growth_mm"]), *outputs])
        mask, affine = read_volume(folder / "mask.nii.gz")
        return mask > 0, affine

    return run
