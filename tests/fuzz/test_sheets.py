"""Tables of any content are read as they were written, or refused."""

import csv
import io
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurobar.data.rosters import check_preprocessing, read_external
from neurobar.data.sheets import read_scans
from neurobar.index.index_bids import read_rows

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": ["MCI"]}
NEEDED, FURTHER = (
    ["scan", "subject", "path", "diagnosis"],
    ["age", "sex", "site", "session", "prepared", "mask", "note"],
)
FILES = ["a.nii.gz", "b c.nii.gz", "deep/d.nii.gz", "ünï.nii.gz", "$(touch x).nii.gz", "'; rm -rf .nii.gz", "%s.nii.gz"]
#: Files that are one of the others, no files, or files that Snakemake would not find.
ODD_FILES = ["link.nii.gz", "b/../a.nii.gz", "deep/../a.nii.gz", "away/../a.nii.gz", "./a.nii.gz", "deep", "nowhere"]
ODD_FILES += ["{scan}.nii.gz", "<results>.nii.gz", "new\nline.nii.gz", 'a "quote".nii.gz', "lost.nii.gz", "/dev/null"]
ODD = ["", "n/a", "NA", "nan", "None", " ", "0", "-1", "1e3", "inf", "1e999", "007", "71,5", "７１", "AD", "CN", "MCI"]
ODD += ["..", "../x", ".x", "x" * 201, "y" * 140_000, "$(touch x)", "`id`", "{scan}", "<b>", "é", "\x00", "\x1b[31m"]
ODD += ['"', '"unclosed', "a\tb", "a,b", "a\nb", "a\r\nb", "\r", "\ufeff", "\u202e", "😀", "s0", "ad"]
ODD += ["stripped", "Registered, unbiased"]
PATHS = st.sampled_from([*ODD_FILES, *FILES, "", "x" * 300, "a\x00b"])
CELLS = st.one_of(st.sampled_from([*ODD, *FILES, *ODD_FILES]), st.text(max_size=12))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}", re.ASCII)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder of empty images; `away/..` is not the folder that it seems to be."""
    folder, other = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    for name in ("deep", "other"):
        (folder / name).mkdir()
    (other / "inner").mkdir()
    for path in (*(folder / name for name in FILES), folder / "other" / "o.nii.gz", other / "a.nii.gz"):
        path.touch()
    for name in ("{scan}.nii.gz", "<results>.nii.gz", "new\nline.nii.gz", 'a "quote".nii.gz'):
        (folder / name).touch()
    for name, target in {"link.nii.gz": "a.nii.gz", "lost.nii.gz": "gone.nii.gz", "away": other / "inner"}.items():
        (folder / name).symlink_to(target)
    return folder


@dataclass(frozen=True)
class Written:
    """A table as bytes, the rows that it was written from, and whether anything in it was made odd."""

    suffix: str
    content: bytes
    rows: list[dict[str, str]]
    is_plain: bool


def good_rows(number: int) -> list[dict[str, str]]:
    """Return rows in which nothing is wrong."""
    return [
        {"scan": f"s{row}", "subject": f"p{row // 2}", "path": FILES[row], "diagnosis": ("CN", "AD", "MCI")[row % 3]}
        | {"age": f"{60 + row}.5", "sex": "F", "site": "", "session": f"{row}", "prepared": "stripped", "mask": ""}
        | {"note": f"note {row}"}
        for row in range(number)
    ]


@st.composite
def tables(draw) -> Written:
    """Draw a table: plain rows, of which some cells, the header, the lines or the encoding may be made odd."""
    rows = good_rows(draw(st.integers(2, len(FILES))))
    columns = draw(st.permutations([*NEEDED, *draw(st.sets(st.sampled_from(FURTHER)))]))
    rows = [{column: row[column] for column in columns} for row in rows]
    odd = draw(st.lists(st.sampled_from(["cell", "cell", "header", "ragged", "lines", "encoding"]), max_size=2))
    for _ in range(odd.count("cell")):
        column = draw(st.sampled_from(columns))
        draw(st.sampled_from(rows))[column] = draw(PATHS if column in ("path", "mask") else CELLS)
    header, cells = list(columns), [list(row.values()) for row in rows]
    if "header" in odd:
        spoil_header(draw, header, cells)
    if "ragged" in odd:
        row = draw(st.sampled_from(cells))
        row[draw(st.integers(1, len(row))) :] = draw(st.lists(CELLS, max_size=3))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])) if "lines" in odd else "\n"
    encoding = draw(st.sampled_from(["utf-8-sig", "latin-1", "utf-16", "cp1252"])) if "encoding" in odd else "utf-8"
    suffix, stream = draw(st.sampled_from([".tsv", ".csv"])), io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(stream, delimiter="\t" if suffix == ".tsv" else ",", lineterminator=end, quoting=quoting).writerows(
        [header, *cells]
    )
    content = stream.getvalue().encode(encoding, errors="replace")
    return Written(suffix, content, told(header, cells), not odd)


def spoil_header(draw, header: list[str], cells: list[list[str]]) -> None:
    """Rename, repeat or remove a column."""
    place = draw(st.integers(0, len(header) - 1))
    what = draw(st.sampled_from(["rename", "repeat", "remove", "append"]))
    if what == "rename":
        header[place] = draw(CELLS)
    elif what == "remove":
        for row in (header, *cells):
            del row[place]
    else:
        header.append(header[place] if what == "repeat" else "")
        for row in cells:
            row.append(draw(st.sampled_from(["", row[0], "x"])))


def told(header: list[str], cells: list[list[str]]) -> list[dict[str, str]]:
    """Return what a person would say each row holds; a cell without a column belongs to none."""
    return [dict(zip(header, [*row, *[""] * len(header)], strict=False)) for row in cells if any(row)]


def value_of(row: dict[str, str], column: str) -> str | None:
    value = row.get(column, "")
    return None if value in ("", "n/a") else value


def write(folder: Path, table: Written, name: str = "scans") -> Path:
    path = folder / f"{name}{table.suffix}"
    path.write_bytes(table.content)
    return path


def check_contract(scans: pd.DataFrame) -> None:
    """Assert what holds of every sheet that is accepted."""
    assert scans["scan"].is_unique
    assert all(NAME.fullmatch(name) for column in ("scan", "subject") for name in scans[column])
    assert scans["scan"].tolist() == sorted(scans["scan"])
    assert {*scans["label"]} == {0, 1}
    assert all(os.path.isabs(path) and os.path.isfile(path) for path in scans["path"])
    assert len({os.path.realpath(path) for path in scans["path"]}) == len(scans)
    assert not any(re.search(r"\{\w+\}|<[a-z]+>", path) for path in scans["path"])
    assert (scans["age"].isna() | scans["age"].between(0, 130)).all()


def check_rows(folder: Path, scans: pd.DataFrame, rows: list[dict[str, str]]) -> None:
    """Assert that no scan was lost or added, and that each has what its own row says."""
    expected = {row["scan"]: row for row in rows if row["diagnosis"] != "MCI"}
    assert [*scans["scan"]] == sorted(expected)
    for row in scans.to_dict("records"):
        said = expected[row["scan"]]
        assert row["subject"] == said["subject"]
        assert row["label"] == {"CN": 0, "AD": 1}[said["diagnosis"]]
        assert os.path.samefile(row["path"], folder / said["path"])
        age = value_of(said, "age")
        assert math.isnan(row["age"]) if age is None else row["age"] == pytest.approx(float(age))
        for column in ("sex", "site", "session"):
            assert (None if pd.isna(row[column]) else row[column]) == value_of(said, column)
        mask = value_of(said, "mask")
        assert pd.isna(row["mask"]) if mask is None else os.path.samefile(row["mask"], folder / mask)
        words = {*re.findall(r"[a-z]+", (value_of(said, "prepared") or "").lower())}
        assert {*row["prepared"].split("+")} - {""} == words


def test_a_sheet_is_read_as_it_was_written_or_refused(folder, tally):
    @given(tables())
    def read(table):
        sheet = write(folder, table)
        with tally.case("sheets of scans", sheet):
            scans = read_scans(sheet, COHORT)
            check_contract(scans)
            # Some bytes are another text in UTF-8 than what they were written from.
            if repr(told_again(table)) == repr(table.rows):
                check_rows(folder, scans, table.rows)
            return
        assert not table.is_plain or len(table.rows) < 2

    read()
    tally.check("sheets of scans", accepted=0.2, refused=0.15)


def told_again(table: Written) -> list[dict[str, str]]:
    text = table.content.decode("utf-8-sig")
    header, *cells = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if table.suffix == ".tsv" else ",")
    return told(header, cells)


def test_any_bytes_as_a_sheet_are_read_as_they_stand_there_or_refused(folder, tally):
    lines = ["\t".join(NEEDED), *("\t".join(row[name] for name in NEEDED) for row in good_rows(5))]
    plain = ("\n".join(lines) + "\n").encode()
    places = st.integers(0, len(plain))
    cuts = st.tuples(places, st.integers(0, 6), st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b"\t", b"\n"])))

    swaps = st.tuples(places, st.just(1), st.sampled_from([b"x", b"7", b"_", b"C"]))

    @given(
        st.one_of(
            st.binary(max_size=80), st.lists(swaps, min_size=1, max_size=2), st.lists(cuts, min_size=1, max_size=3)
        )
    )
    def read(drawn):
        content = drawn if isinstance(drawn, bytes) else plain
        for place, length, new in [] if isinstance(drawn, bytes) else drawn:
            content = content[:place] + new + content[place + length :]
        sheet = write(folder, Written(".tsv", content, [], False))
        with tally.case("sheets of any bytes", sheet):
            scans = read_scans(sheet, COHORT)
            check_contract(scans)
            if b'"' not in content:
                lines = [line.split("\t") for line in re.split(r"\r\n|\r|\n", content.decode("utf-8-sig"))]
                header, *cells = [line for line in lines if any(line)]
                check_rows(folder, scans, told(header, cells))

    read()
    tally.check("sheets of any bytes", accepted=0.01, refused=0.4)


def test_a_second_cohort_shares_nothing_with_the_study_or_is_refused(folder, tally):
    own = read_scans(write(folder, Written(".tsv", written(good_rows(3)), [], True)), COHORT).set_index(
        "scan", drop=False
    )
    plain = [dict(zip([*NEEDED, "prepared"], ["o1", "o1", "other/o.nii.gz", "CN", "stripped"], strict=True))]
    plain += [dict(zip([*NEEDED, "prepared"], ["o2", "o2", FILES[3], "AD", "stripped"], strict=True))]
    names = st.sampled_from(["s0", "s1", "p0", "p1", "o1", "o3", "o4"])
    changes = {
        **dict.fromkeys(NEEDED[:2], names),
        "path": st.sampled_from(["a.nii.gz", "link.nii.gz", "./b c.nii.gz", *FILES[4:6]]),
        "prepared": st.sampled_from(["", "registered"]),
    }

    @given(
        *[st.fixed_dictionaries({}, optional=changes) for _ in plain],
        st.sets(st.sampled_from(["o1", "o2", "nobody"]), max_size=2),
    )
    def read(first, second, excluded):
        rows = [plain[0] | first, plain[1] | second]
        sheet = write(folder, Written(".tsv", written(rows), rows, False), "second")
        settings = {"skull_strip": "supplied", "exclude": sorted(excluded), "keep": []}
        with tally.case("second cohorts", sheet):
            tables = read_external({"oasis": COHORT | {"scans": str(sheet)}}, "scans.tsv", own)
            found = tables["oasis"]
            for column in ("scan", "subject"):
                assert not {*own[column]} & {*found[column]}
            assert not {*map(os.path.realpath, own["path"])} & {*map(os.path.realpath, found["path"])}
            check_preprocessing(settings, "scans.tsv", own, tables)
            assert all(row["prepared"] == "stripped" or row["scan"] in excluded for row in rows)

    read()
    tally.check("second cohorts", accepted=0.01, refused=0.4)


def written(rows: list[dict[str, str]]) -> bytes:
    return "\n".join("\t".join(line) for line in [[*rows[0]], *[[*row.values()] for row in rows]]).encode() + b"\n"


def test_a_table_of_participants_is_read_as_it_was_written_or_refused(folder, tally):
    @given(tables())
    def read(table):
        path = write(folder, Written(".tsv", table.content, [], False), "participants")
        with tally.case("tables of participants", path):
            found = read_rows(path, "scan", "subject", "sub-")
            assert found["subject"].is_unique
            if table.suffix == ".tsv" and repr(told_again(table)) == repr(table.rows):
                kept = [row for row in table.rows if value_of(row, "scan") not in (None, "N/A")]
                assert found["subject"].str.removeprefix("sub-").tolist() == [
                    row["scan"].removeprefix("sub-") for row in kept
                ]
                if "note" in found:
                    said = [None if value_of(row, "note") == "N/A" else value_of(row, "note") for row in kept]
                    assert found["note"].astype(object).where(found["note"].notna(), None).tolist() == said

    read()
    tally.check("tables of participants", accepted=0.2, refused=0.15)
