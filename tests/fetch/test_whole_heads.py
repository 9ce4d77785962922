"""A whole-head template that the user names."""

import hashlib

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from neurobar.data.resampling import resample
from neurobar.fetch import whole_heads
from neurobar.fetch.whole_heads import carry_head, load_whole_head

SHAPE, AFFINE = (40, 44, 36), np.diag([4.0, 4, 4, 1])
AFFINE[:3, 3] = -80, -88, -72


@pytest.fixture(scope="module")
def brain():
    """Return a lopsided brain with texture, 0 outside."""
    places = np.indices(SHAPE) - np.array([20, 22, 18])[:, None, None, None]
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 2)
    return np.where((places**2).sum(axis=0) < 13**2, 0.7 + 2 * texture, 0).astype(np.float32)


@pytest.fixture
def head_file(brain, tmp_path):
    """Write the brain in a bright scalp, on another grid, stored with left and right exchanged."""
    head = brain.copy()
    depth = ndimage.distance_transform_edt(brain == 0)
    head[(depth > 2) & (depth < 5)] = 4
    fine = np.diag([-2.0, 2, 2, 1])
    fine[:3, 3] = 78, -88, -72
    image = nib.Nifti1Image(300 * resample(head, AFFINE, (80, 88, 72), fine), fine)
    image.set_sform(fine, code=4)
    nib.save(image, tmp_path / "head.nii.gz")
    return tmp_path / "head.nii.gz"


def test_a_head_is_carried_to_the_grid_with_the_intensities_of_the_template(brain, head_file):
    volume, affine, found = load_whole_head(str(head_file), None)
    assert found == hashlib.sha256(head_file.read_bytes()).hexdigest()
    head = carry_head(volume, affine, brain, AFFINE, "head")
    inside = ndimage.binary_erosion(brain > 0, iterations=3)
    median = np.median(brain[brain > 0])
    assert np.corrcoef(head[inside], brain[inside])[0, 1] > 0.9
    assert np.median(head[brain > 0]) == pytest.approx(median)
    assert head.max() == pytest.approx(1.2 * median)
    assert (head[brain == 0] > 0).any()


def test_a_brain_without_its_skull_is_no_head(brain):
    with pytest.raises(ValueError, match="next to nothing around the brain"):
        carry_head(brain, AFFINE, brain, AFFINE, "head")


def test_another_file_than_the_expected_is_refused(head_file):
    expected = hashlib.sha256(head_file.read_bytes()).hexdigest()
    assert load_whole_head(str(head_file), expected.upper())[2] == expected
    with pytest.raises(ValueError, match=r"head\.nii\.gz: its SHA-256 is .*expects 0000"):
        load_whole_head(str(head_file), "0" * 64)


def test_a_head_in_another_space_is_refused(brain, head_file):
    volume, affine, _ = load_whole_head(str(head_file), None)
    affine[:3, 3] += 40
    with pytest.raises(ValueError, match="not in its space"):
        carry_head(volume, affine, brain, AFFINE, "head")


def test_the_head_of_nilearn_is_downloaded_and_deleted(head_file, tmp_path, monkeypatch):
    folders = []

    def fetch(data_dir, verbose):
        folders.append(data_dir)
        return {"t1": str(head_file), "verbose": verbose}

    monkeypatch.setattr("nilearn.datasets.fetch_icbm152_2009", fetch)
    assert load_whole_head("nilearn", None)[0].shape == (80, 88, 72)
    assert not whole_heads.Path(folders[0]).exists()


def test_without_a_network_the_cure_is_named(monkeypatch):
    def fetch(**_arguments):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("nilearn.datasets.fetch_icbm152_2009", fetch)
    with pytest.raises(ValueError, match=r"downloaded \(no route to host\); take template\.head: computed"):
        load_whole_head("nilearn", None)
