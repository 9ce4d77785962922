"""The registration of a scan, as a command."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from neurobar.preprocess.register_scan import main
from neurobar.preprocess.registration import read_registration
from neurobar.preprocess.templates import Scan, Template


def arguments(folder, scan):
    """Return the command line of a registration in a folder."""
    words = {"scan": scan, "head": "head.nii.gz", "depth": "depth.nii.gz"}
    words |= {"registration": "registration.json", "deformation": "deformation.nii.gz"}
    line = [word for name, file in words.items() for word in (f"--{name}", str(folder / file))]
    return [*line, "--settings", (folder / "settings.json").read_text()]


def distance(phantom, found, truth):
    """Return how far apart two transforms take the brain on average [mm]."""
    points = apply_affine(phantom.affine, np.argwhere(phantom.depth > 0))
    return np.linalg.norm(apply_affine(found, points) - apply_affine(truth, points), axis=1).mean()


def test_a_head_that_moved_is_found(phantom, phantom_files):
    truth = np.eye(4)
    truth[:3, :3] = Rotation.from_euler("xyz", (18, 4, -5), degrees=True).as_matrix() * 0.95
    truth[:3, 3] = 8, -12, 10
    nib.save(phantom.scan(truth), phantom_files / "a scan.nii.gz")
    main(arguments(phantom_files, "a scan.nii.gz"))
    registration = read_registration(phantom_files / "registration.json")
    assert registration.credible
    assert registration.starts == 1
    assert distance(phantom, registration.matrix(), truth) < 1.5


@pytest.mark.parametrize("prepared", ["", "stripped"])
def test_a_scan_that_is_said_to_be_registered_keeps_its_place(phantom, phantom_files, prepared):
    brain = phantom if not prepared else replace(phantom, head=np.where(phantom.depth > 0, phantom.head, 0))
    nib.save(brain.scan(np.eye(4)), phantom_files / "scan.nii.gz")
    main([*arguments(phantom_files, "scan.nii.gz"), "--prepared", f"{prepared}+registered"])
    registration = read_registration(phantom_files / "registration.json")
    assert np.array_equal(registration.matrix(), np.eye(4))
    assert registration.credible


@pytest.mark.parametrize(("nod", "shift"), [(20, (10, 15, -20)), (6, (0, -4, 5)), (0, (8, 0, 0))])
@pytest.mark.parametrize("prepared", ["registered", "stripped+registered"])
def test_a_scan_that_is_wrongly_said_to_be_registered_is_not_believed(phantom, phantom_files, nod, shift, prepared):
    head = phantom if prepared == "registered" else replace(phantom, head=np.where(phantom.depth > 0, phantom.head, 0))
    nib.save(head.scan(phantom.moved(nod=nod, shift=shift)), phantom_files / "scan.nii.gz")
    main([*arguments(phantom_files, "scan.nii.gz"), "--prepared", prepared])
    assert not read_registration(phantom_files / "registration.json").credible


@pytest.mark.parametrize(("length", "outside"), [(14, 0), (7, 0.5), (6, 4 / 6)])
@pytest.mark.parametrize("turn", [0, 35])
def test_what_the_field_of_view_cuts_off_is_outside(length, outside, turn):
    depth = np.full((10, 12, 14), -1.0)
    depth[2:8, 2:10, 4:10] = 1
    template = Template(depth, depth, np.diag([2.0, 2, 2, 1]))
    # An oblique header: the grid that covers the image is larger than what was imaged.
    oblique = np.eye(4)
    oblique[:3, :3] = Rotation.from_euler("xyz", (turn, turn / 2, 0), degrees=True).as_matrix()
    scan = Scan.covering(np.ones((10, 12, length), np.float32), oblique @ template.affine, 0.5)
    assert template.measure_outside(scan, oblique) == pytest.approx(outside, abs=0.02)


def test_a_brain_without_its_skull_is_found(phantom, phantom_files):
    truth = phantom.moved(nod=18, shift=(8, -12, 10), size=0.95)
    brain = replace(phantom, head=np.where(phantom.depth > 0, phantom.head, 0))
    nib.save(brain.scan(truth), phantom_files / "scan.nii.gz")
    main([*arguments(phantom_files, "scan.nii.gz"), "--prepared", "stripped"])
    registration = read_registration(phantom_files / "registration.json")
    assert registration.credible
    assert distance(phantom, registration.matrix(), truth) < 2


def test_equal_scans_give_equal_bytes(phantom, phantom_files):
    nib.save(phantom.scan(np.eye(4)), phantom_files / "scan.nii.gz")
    results = []
    for _ in range(2):
        main(arguments(phantom_files, "scan.nii.gz"))
        results.append((phantom_files / "registration.json").read_bytes())
        results.append(nib.load(phantom_files / "deformation.nii.gz").dataobj.get_unscaled().tobytes())
    assert results[:2] == results[2:]


def test_noise_is_registered_but_not_believed(phantom_files, monkeypatch):
    # The search among unusual orientations takes long and is the same code.
    monkeypatch.setattr("neurobar.preprocess.attempts.UNUSUAL", ((75, 0, 0),))
    noise = np.random.default_rng(0).uniform(0, 100, (40, 44, 48)).astype(np.float32)
    image = nib.Nifti1Image(noise, np.diag([4.0, 4, 4, 1]))
    nib.save(image, phantom_files / "noise.nii.gz")
    main(arguments(phantom_files, "noise.nii.gz"))
    registration = read_registration(phantom_files / "registration.json")
    assert not registration.credible
    assert registration.starts == 6


def test_a_broken_file_ends_with_one_sentence(phantom_files):
    (phantom_files / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(SystemExit) as ending:
        main(arguments(phantom_files, "broken.nii.gz"))
    assert "broken.nii.gz" in ending.value.code
    assert "\n" not in ending.value.code
    assert not (phantom_files / "registration.json").exists()


def test_the_neck_is_not_compared(phantom):
    compared = Template(phantom.head, phantom.depth, phantom.affine).whole().weight
    heights = phantom.affine[2, 2] * np.argwhere(compared)[:, 2] + phantom.affine[2, 3]
    assert heights.min() >= -50
    assert compared[phantom.depth > 0].mean() > 0.9
