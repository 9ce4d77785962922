import pandas as pd
import pytest

from neurobar.data.sheets import check_masks, read_scans

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": ["MCI"]}
ROWS = [
    {"scan": "b", "subject": "s1", "path": "b.nii.gz", "diagnosis": "AD", "age": "71.5", "extra": "x"},
    {"scan": "a", "subject": "s2", "path": "deep/a file.nii.gz", "diagnosis": "CN", "age": "", "extra": ""},
    {"scan": "c", "subject": "s3", "path": "missing.nii.gz", "diagnosis": "MCI", "age": "80", "extra": ""},
]


def write(folder, rows, name="scans.tsv"):
    (folder / "deep").mkdir(exist_ok=True)
    for file in ("b.nii.gz", "deep/a file.nii.gz"):
        (folder / file).touch()
    pd.DataFrame(rows).to_csv(folder / name, sep="\t" if name.endswith("tsv") else ",", index=False)
    return folder / name


def changed(row, **changes):
    return [old | changes if place == row else old for place, old in enumerate(ROWS)]


@pytest.mark.parametrize("name", ["scans.tsv", "scans.csv"])
def test_rows_come_back_sorted_with_labels_and_absolute_paths(tmp_path, name):
    scans = read_scans(write(tmp_path, ROWS, name), COHORT)
    assert scans["scan"].tolist() == ["a", "b"]
    assert scans["label"].tolist() == [0, 1]
    assert scans["path"].tolist() == [str(tmp_path / "deep/a file.nii.gz"), str(tmp_path / "b.nii.gz")]
    assert scans["age"].isna().tolist() == [True, False]
    assert scans["sex"].isna().all()
    assert scans["extra"].tolist()[1] == "x"


def test_a_sheet_that_was_looked_at_reads_the_same_and_asks_for_no_file(tmp_path):
    sheet = write(tmp_path, ROWS)
    looked = read_scans(sheet, COHORT)
    for path in looked["path"]:
        (tmp_path / path).unlink()
    assert read_scans(sheet, COHORT, has_looked=True).equals(looked)
    with pytest.raises(ValueError, match="there is no file"):
        read_scans(sheet, COHORT)


def test_numbers_can_be_classes(tmp_path):
    rows = [row | {"diagnosis": code} for row, code in zip(ROWS, ["1", "0", "2"], strict=True)]
    cohort = {"label": "diagnosis", "negative": 0, "positive": 1, "ignored": [2]}
    assert read_scans(write(tmp_path, rows), cohort)["label"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(1, scan="b"), r"scans.tsv, row 3: scan 'b' stands already in row 2\."),
        (changed(1, scan="../b"), r"row 3: scan '../b' is not a name"),
        (changed(1, scan="$(touch x)"), r"row 3: scan '\$\(touch x\)' is not a name"),
        (changed(0, subject=""), r"row 2: subject nan is not a name"),
        (changed(1, path="b.nii.gz"), r"row 3: path .*b.nii.gz' stands already in row 2"),
        (changed(1, path="gone.nii.gz"), r"row 3: there is no file 'gone.nii.gz'\."),
        (changed(1, path=""), r"row 3: the path is empty\."),
        (changed(0, diagnosis="FTD"), r"row 2: diagnosis 'FTD' is neither CN nor AD; .*cohort.ignored"),
        (changed(0, diagnosis=""), r"row 2: diagnosis 'n/a' is neither"),
        (changed(0, age="old"), r"row 2: age 'old' is not a number of years"),
        (changed(0, age="-3"), r"row 2: age '-3' is not a number of years"),
        (ROWS[1:], r"has no scan with diagnosis 'AD'\."),
        (
            [{key: row[key] for key in row if key != "subject"} for row in ROWS],
            r"has no column 'subject'; it needs scan",
        ),
        ([{key: row[key] for key in row if key != "diagnosis"} for row in ROWS], r"has no column 'diagnosis'"),
    ],
)
def test_a_faulty_sheet_is_refused_with_its_row(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        read_scans(write(tmp_path, rows), COHORT)


def test_scans_without_a_label_can_be_ignored(tmp_path):
    rows = changed(2, diagnosis="")
    assert len(read_scans(write(tmp_path, rows), COHORT | {"ignored": ["n/a"]})) == 2


def test_a_sheet_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere\.tsv does not exist"):
        read_scans(tmp_path / "nowhere.tsv", COHORT)


@pytest.mark.parametrize("content", [b"", b"scan\tsubject\tpath\tdiagnosis\n", b"\xff\xfe\x00\x81", b'a\tb\n"1\t2\n3'])
def test_what_is_no_table_is_refused(tmp_path, content):
    sheet = tmp_path / "scans.tsv"
    sheet.write_bytes(content)
    with pytest.raises(ValueError, match=r"scans\.tsv"):
        read_scans(sheet, COHORT)


@pytest.mark.parametrize("name", ["{scan}.nii.gz", "a{ x, .nii.gz", "<results>.nii.gz"])
@pytest.mark.parametrize("column", ["path", "mask"])
def test_a_path_that_snakemake_would_expand_is_refused(tmp_path, name, column):
    sheet = write(tmp_path, changed(0, **{column: name}))
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"row 2: Snakemake takes .* for a placeholder"):
        read_scans(sheet, COHORT)


def test_what_was_done_to_a_scan_comes_back_in_order(tmp_path):
    said = ["Registered, stripped", "", "unbiased"]
    rows = [row | {"prepared": words} for row, words in zip(ROWS, said, strict=True)]
    assert read_scans(write(tmp_path, rows), COHORT)["prepared"].tolist() == ["", "stripped+registered"]
    assert read_scans(write(tmp_path, ROWS), COHORT)["prepared"].tolist() == ["", ""]
    with pytest.raises(ValueError, match="row 2: prepared says 'striped'; known are stripped, registered, unbiased"):
        read_scans(write(tmp_path, changed(0, prepared="striped")), COHORT)


def test_masks_are_found_beside_the_sheet_and_asked_for_where_a_skull_is_left(tmp_path):
    rows = [row | {"mask": "", "prepared": ""} for row in ROWS]
    rows[0]["mask"] = "deep/a file.nii.gz"
    scans = read_scans(write(tmp_path, rows), COHORT).set_index("scan", drop=False)
    assert scans.at["b", "mask"] == str(tmp_path / "deep/a file.nii.gz")
    with pytest.raises(ValueError, match=r"sheet\.tsv: scan 'a' has no file in the column mask"):
        check_masks("sheet.tsv", scans)
    scans["prepared"] = ["stripped+unbiased", ""]
    check_masks("sheet.tsv", scans)
    rows[1]["mask"] = rows[0]["mask"]
    with pytest.raises(ValueError, match=r"row 3: mask .* stands already in row 2"):
        read_scans(write(tmp_path, rows), COHORT)
    rows[0]["mask"] = "gone.nii.gz"
    with pytest.raises(ValueError, match=r"row 2: there is no file 'gone\.nii\.gz'"):
        read_scans(write(tmp_path, rows), COHORT)


def test_a_folder_behind_a_link_is_left_to_where_it_really_is(tmp_path):
    (tmp_path / "there" / "inner").mkdir(parents=True)
    (tmp_path / "there" / "b.nii.gz").touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there" / "inner")
    scans = read_scans(write(tmp_path / "here", changed(0, path="link/../b.nii.gz")), COHORT)
    assert scans["path"].tolist()[1] == str(tmp_path / "there" / "b.nii.gz")


def test_one_image_behind_two_links_is_refused(tmp_path):
    (tmp_path / "link.nii.gz").symlink_to("b.nii.gz")
    with pytest.raises(ValueError, match=r"row 3: path .*b\.nii\.gz' stands already in row 2"):
        read_scans(write(tmp_path, changed(1, path="link.nii.gz")), COHORT)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"row 3: there is no file 'x+ \.\.\.\.$"):
        read_scans(write(tmp_path, changed(1, path="x" * 5000)), COHORT)


def test_blank_lines_are_counted_as_a_spreadsheet_counts_them(tmp_path):
    sheet = write(tmp_path, changed(1, age="old"))
    sheet.write_text("\n\n" + sheet.read_text())
    with pytest.raises(ValueError, match="row 5: age 'old'"):
        read_scans(sheet, COHORT)
