"""Names of scans that a job reads from the sheet."""

import pytest

from neurobar.data.scan_names import digest_names, read_names
from neurobar.data.sheets import read_scans

SHEET = [
    ("scan", "subject", "path", "diagnosis", "note"),
    ("b", "s", "b.nii", "AD", "n/a"),
    ("a", "s", "a.nii", "CN", ""),
    ("NA", "t", "n.nii", "AD", "MCI"),
    ("001", "t", "1.nii", "MCI", "x"),
    ("2", "u", "2.nii", "n/a", "x"),
    ("3", "u", "3.nii", "", "x"),
]


@pytest.fixture(params=["\t", ","], ids=["tsv", "csv"])
def sheet(tmp_path, request):
    path = tmp_path / ("scans.tsv" if request.param == "\t" else "scans.csv")
    path.write_text("\n".join(request.param.join(row) for row in SHEET) + "\n", encoding="utf-8-sig")
    for _, _, image, *_ in SHEET[1:]:
        (tmp_path / image).touch()
    return path


def test_the_names_are_those_that_the_study_reads(sheet):
    sheet.write_text(sheet.read_text(encoding="utf-8-sig"))
    cohort = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": ["MCI", "n/a"]}
    studied = read_scans(sheet, cohort)["scan"].tolist()
    assert studied == ["NA", "a", "b"]
    assert read_names(sheet, ignored={"diagnosis": ["MCI", "n/a"]}, digest=digest_names(studied)) == studied


def test_without_a_column_to_ignore_every_row_counts(sheet):
    names = sorted(row[0] for row in SHEET[1:])
    assert read_names(sheet, ignored={}, digest=digest_names(names)) == names


def test_the_digest_asks_for_the_names_and_not_for_their_order():
    assert digest_names(["a", "b"]) == digest_names(["b", "a"])
    assert len({digest_names(names) for names in (["a", "b"], ["a"], ["ab"], ["a", "c"])}) == 4


def test_a_sheet_that_was_edited_is_refused(sheet):
    with pytest.raises(ValueError, match="start the run again"):
        read_names(sheet, ignored={}, digest=digest_names(["a"]))
