import nibabel as nib
import numpy as np
import pytest

from neurobar.data.atlases import locate_aal2, merge_hemispheres, read_atlas, read_labels


def test_the_carried_atlas_has_64_regions_with_left_and_right_merged():
    atlas = read_atlas(*locate_aal2())
    assert len(atlas.names) == 64
    assert set(np.unique(atlas.volume)) == set(range(65))
    assert "Hippocampus" in atlas.names


@pytest.mark.real
def test_the_first_aal_has_the_62_regions_that_the_paper_counts(real_scans):
    atlas = read_atlas(real_scans / "atlas" / "AAL1.nii.gz", real_scans / "atlas" / "AAL1.txt")
    assert len(atlas.names) == 62
    assert set(np.unique(atlas.volume)) == set(range(63))


def test_left_and_right_share_a_number_and_the_vermis_keeps_its_own():
    labels = {10: "Insula_L", 11: "Insula_R", 20: "Vermis_3", 5: "Precentral_L"}
    regions, names = merge_hemispheres(np.array([[[0, 5, 10], [11, 20, 0]]]), labels)
    assert names == ("Precentral", "Insula", "Vermis_3")
    assert regions.tolist() == [[[0, 1, 2], [2, 3, 0]]]


def test_a_code_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"does not name: \[7\]"):
        merge_hemispheres(np.array([[[7]]]), {1: "a"})


@pytest.mark.parametrize("text", ["index,name\n2001,Precentral_L\n", "FAG\tPrecentral_L\t2001\n\n"])
def test_both_kinds_of_label_list_are_read(tmp_path, text):
    (tmp_path / "labels").write_text(text)
    assert read_labels(tmp_path / "labels") == {2001: "Precentral_L"}


def test_a_line_without_a_code_is_refused(tmp_path):
    (tmp_path / "labels").write_text("2001 Precentral_L\nInsula_L\n")
    with pytest.raises(ValueError, match="line 2: expected one region code, found 0"):
        read_labels(tmp_path / "labels")


def write_list(folder, *lines):
    (folder / "labels.txt").write_text("\n".join(lines))
    return folder / "labels.txt"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1 One", "2"], r"line 2: the code 2 has no name\."),
        (["1 Frontal Pole", "2 Occipital Pole"], r"line 2: 2 or 'Pole' stands twice"),
        (["1 One", "1 Two"], r"line 2: 1 or 'Two' stands twice"),
        (["9999999999 One"], r"line 1: expected one region code, found 0"),
        (["1 One", "² Two"], r"line 2: expected one region code, found 0"),
    ],
)
def test_a_list_that_names_regions_in_two_ways_is_refused(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_labels(write_list(tmp_path, *lines))


def test_a_name_of_the_background_makes_no_region_of_it(tmp_path):
    labels = read_labels(write_list(tmp_path, "0 Background", "3 Insula_L", "4 Insula_R"))
    regions, names = merge_hemispheres(np.array([[[0, 3, 4]]]), labels)
    assert regions.tolist() == [[[0, 1, 1]]]
    assert names == ("Insula",)


@pytest.mark.parametrize("values", [[0, 0.5], [0, -1], [0, np.nan], [0, 2e9]])
def test_a_map_is_no_atlas(tmp_path, values):
    image = nib.Nifti1Image(np.resize(np.array(values, np.float32), (4, 5, 6)), np.eye(4))
    nib.save(image, tmp_path / "map.nii.gz")
    with pytest.raises(ValueError, match=r"map\.nii\.gz: its voxels are no codes of regions"):
        read_atlas(tmp_path / "map.nii.gz", write_list(tmp_path, "1 One"))


def test_another_file_than_an_image_is_named(tmp_path):
    (tmp_path / "atlas.nii.gz").write_text("no image")
    with pytest.raises(ValueError, match=r"atlas\.nii\.gz: not a whole NIfTI file"):
        read_atlas(tmp_path / "atlas.nii.gz", write_list(tmp_path, "1 One"))
