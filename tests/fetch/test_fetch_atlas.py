import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE
from neurobar.fetch.fetch_atlas import main


def fetch(folder, *words):
    main([*words, "--atlas", str(folder / "atlas.nii.gz"), "--regions", str(folder / "regions.tsv")])
    image = nib.load(folder / "atlas.nii.gz")
    return image, pd.read_csv(folder / "regions.tsv", sep="\t")


def world_of(image, region):
    places = np.argwhere(np.asarray(image.dataobj) == region)
    return nib.affines.apply_affine(image.affine, places)


def test_all_64_regions_reach_the_grid_at_their_place(tmp_path):
    image, regions = fetch(tmp_path, "--image", "aal2")
    assert image.shape == GRID_SHAPE
    assert np.allclose(image.affine, GRID_AFFINE)
    assert len(regions) == 64
    assert (regions["voxels"] > 0).all()
    # Talairach's hippocampus is 20 to 35 mm beside the middle, 10 to 40 mm behind and below the commissure.
    hippocampus = world_of(image, regions.set_index("name").at["Hippocampus", "region"])
    assert np.allclose(np.abs(hippocampus[:, 0]).mean(), 27, atol=4)
    assert np.allclose(hippocampus[:, 1:].mean(0), [-21, -10], atol=4)


@pytest.mark.real
def test_the_first_aal_gives_62_regions(tmp_path, real_scans):
    words = ["--image", str(real_scans / "atlas/AAL1.nii.gz"), "--labels", str(real_scans / "atlas/AAL1.txt")]
    _, regions = fetch(tmp_path, *words)
    assert len(regions) == 62


def test_left_stays_left_whatever_the_storage(tmp_path):
    regions = np.zeros((92, 110, 92), np.uint8)
    affine = np.array([[2.0, 0, 0, -91], [0, 2, 0, -128], [0, 0, 2, -74], [0, 0, 0, 1]])
    regions[20:30, 40:60, 30:50] = 1  # left: x from -51 to -33 mm
    regions[60:70, 40:60, 30:50] = 2
    flipped = affine @ np.array([[-1.0, 0, 0, 91], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    (tmp_path / "labels.txt").write_text("1 One\n2 Two\n")
    for volume, to_world in [(regions, affine), (regions[::-1], flipped)]:
        nib.save(nib.Nifti1Image(volume, to_world), tmp_path / "own.nii.gz")
        image, _ = fetch(tmp_path, "--image", str(tmp_path / "own.nii.gz"), "--labels", str(tmp_path / "labels.txt"))
        assert world_of(image, 1)[:, 0].max() < -30
        assert world_of(image, 2)[:, 0].min() > 28


def test_an_atlas_elsewhere_is_refused(tmp_path):
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = 500
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), affine), tmp_path / "far.nii.gz")
    (tmp_path / "labels.txt").write_text("1 One\n")
    with pytest.raises(SystemExit, match="region One has no voxel"):
        fetch(tmp_path, "--image", str(tmp_path / "far.nii.gz"), "--labels", str(tmp_path / "labels.txt"))


def test_an_atlas_without_labels_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"set atlas\.labels"):
        fetch(tmp_path, "--image", "own.nii.gz")
