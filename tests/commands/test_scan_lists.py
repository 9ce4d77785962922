import pandas as pd
import pytest

from neurobar.commands.scan_lists import list_scans


@pytest.fixture
def files(tmp_path):
    """Return the function that makes files and lists what it is given of them."""

    def make(*paths, given=(), taken=()):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return list_scans([str(tmp_path / name) for name in given or paths], output=tmp_path / "out", taken=taken)

    return make


@pytest.fixture
def sheet(tmp_path, files):
    """Return the function that writes a sheet beside two files and lists its scans."""

    def write(rows, name="scans.tsv"):
        pd.DataFrame(rows).to_csv(tmp_path / name, sep="\t" if name.endswith("tsv") else ",", index=False)
        return files("raw/a.nii", "raw/b.nii.gz", given=[name])

    return write


def test_a_scan_has_the_name_of_its_file(files):
    scans = files("sub-01_ses-1_T1w.nii.gz", "plain.nii", "Zoë's head.NII.nii", "_T1w.nii")
    assert scans["scan"].tolist() == ["sub-01_ses-1", "plain", "Zo__s_head.NII", "scan"]
    assert scans["prepared"].tolist() == [""] * 4
    assert scans["mask"].isna().all()


def test_equal_names_are_numbered_and_equal_files_are_one_scan(files):
    paths = ["one/T1.nii.gz", "two/T1.nii.gz", "two/T1_2.nii", "one/T1.nii.gz"]
    scans = files(*paths, given=paths, taken=["T1_3"])
    assert scans["scan"].tolist() == ["T1", "T1_2", "T1_2_2"]
    assert files("x/T1.nii", "y/T1.nii", taken=["T1", "T1_2"])["scan"].tolist() == ["T1_3", "T1_4"]


def test_a_folder_gives_all_its_images_but_hidden_ones_and_what_was_written(files, tmp_path):
    inside = ["b/2.nii.gz", "a/3.nii", "a/1.nii.gz", "a/notes.txt", "a/._1.nii.gz", "out/1/volume.nii.gz"]
    scans = files(*inside, given=["."])
    assert scans["path"].tolist() == [str(tmp_path / name) for name in ("a/1.nii.gz", "a/3.nii", "b/2.nii.gz")]


def test_a_folder_without_images_is_refused(files):
    with pytest.raises(ValueError, match="there is no NIfTI file"):
        files("a/notes.txt", given=["a"])


def test_what_is_neither_image_nor_folder_nor_sheet_is_refused(files):
    with pytest.raises(ValueError, match=r"scan\.mgz: a scan is a NIfTI file"):
        files("scan.mgz")


@pytest.mark.parametrize("name", ["scans.tsv", "scans.csv"])
def test_a_sheet_names_its_scans_and_what_was_done_to_them(sheet, tmp_path, name):
    rows = {"scan": ["x", "y"], "path": ["raw/b.nii.gz", "raw/a.nii"], "prepared": ["Unbiased, stripped", None]}
    scans = sheet(rows | {"mask": [None, "raw/b.nii.gz"], "diagnosis": "AD"}, name)
    assert scans["scan"].tolist() == ["x", "y"]
    assert scans["path"].tolist() == [str(tmp_path / "raw/b.nii.gz"), str(tmp_path / "raw/a.nii")]
    assert scans["prepared"].tolist() == ["stripped+unbiased", ""]
    assert scans["mask"].tolist()[1] == str(tmp_path / "raw/b.nii.gz")
    assert pd.isna(scans["mask"].tolist()[0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"scan": ["x"]}, "has no column 'path'"),
        ({"scan": [], "path": []}, "lists no scan"),
        ({"scan": ["x", "../y"], "path": ["raw/a.nii", "raw/b.nii.gz"]}, r"row 3: scan '\.\./y' is not a name"),
        ({"scan": ["x", "y"], "path": ["raw/a.nii", "raw/c.nii"]}, r"row 3: there is no file 'raw/c\.nii'"),
        ({"scan": ["x", "y"], "path": ["raw/a.nii", None]}, "row 3: there is no file nan"),
        ({"scan": ["x"], "path": ["raw/a.nii"], "mask": ["m.nii"]}, r"row 2: there is no file 'm\.nii'"),
        ({"scan": ["x"], "path": ["raw/a.nii"], "prepared": ["shaved"]}, "row 2: prepared says 'shaved'"),
        ({"scan": ["x", "x"], "path": ["raw/a.nii", "raw/b.nii.gz"]}, "scan 'x' of a sheet needs another name"),
    ],
)
def test_a_wrong_sheet_is_refused_with_its_row(sheet, rows, words):
    with pytest.raises(ValueError, match=words):
        sheet(rows)


def test_a_sheet_keeps_its_names_where_a_file_has_the_same(files, sheet):
    sheet({"scan": ["b"], "path": ["raw/a.nii"]})
    assert files("raw/b.nii.gz", given=["raw/b.nii.gz", "scans.tsv"])["scan"].tolist() == ["b_2", "b"]
