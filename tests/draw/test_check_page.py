import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neurobar.draw.check_page import ROOM, SIZES, fit_page, scale_picture, scale_pictures, side_of_limits, write_checks

LIMITS = {"overlap": [0.88, None], "brain_ml": [850, 2100], "outside": [None, 0.02], "starts": [None, None]}


@pytest.fixture
def checks():
    """Return the checks of four scans: left out by measures, excluded, kept, fine."""
    return pd.DataFrame(
        {
            "scan": ["bad", "gone", "kept", "good"],
            "used": [False, False, True, True],
            "reason": ["overlap is 0.5, below 0.88.", "Excluded in the config.", "Kept: <outside>", ""],
            "approach": [9.5, 0, 1.2, 0.25],
            "towards": ["overlap", "overlap", "outside", "brain_ml"],
            "overlap": [0.5, np.nan, 0.93, 0.95],
            "brain_ml": [2300.0, np.nan, 1500, 1501.25],
            "outside": [0.0, np.nan, 0.03, 0],
            "starts": [1.0, np.nan, 1, 1],
        }
    )


@pytest.fixture
def picture(tmp_path):
    """Return the function that writes a PNG of some size."""

    def write(name, width, height):
        Image.new("RGBA", (width, height), (200, 30, 60, 255)).save(tmp_path / f"{name}.png")
        return tmp_path / f"{name}.png"

    return write


@pytest.fixture
def rows(checks, picture, tmp_path):
    """Return the rows of the page by scan, and the page."""
    write_checks(
        tmp_path / "checks.html",
        checks,
        LIMITS,
        {"bad": scale_picture(picture("bad", 810, 585), 640, 80)},
        ["four scans"],
    )
    page = (tmp_path / "checks.html").read_text(encoding="utf-8")
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return dict(zip(checks["scan"], body.split("<tr")[1:], strict=True)), page


@pytest.mark.parametrize(
    ("value", "limits", "side"),
    [
        (0.5, [0.88, None], "▼"),
        (0.88, [0.88, None], ""),
        (3, [None, 2], "▲"),
        (2, [1, 2], ""),
        (np.nan, [1, 2], ""),
        (9, [None, None], ""),
    ],
)
def test_a_measure_beyond_its_limits_has_a_sign(value, limits, side):
    assert side_of_limits(value, limits) == side


@pytest.mark.parametrize(("width", "size"), [(810, (640, 462)), (400, (400, 585))])
def test_a_picture_is_scaled_down_but_never_up(picture, width, size):
    scaled = Image.open(io.BytesIO(scale_picture(picture("one", width, 585), 640, 80)))
    assert scaled.format == "JPEG"
    assert scaled.size == size
    assert np.abs(np.asarray(scaled, int).mean((0, 1)) - [200, 30, 60]).max() < 4


def test_rows_stand_in_the_order_of_the_checks(rows):
    by_scan, _ = rows
    for scan, row in by_scan.items():
        assert f"<td>{scan}</td>" in row


def test_measures_beyond_limits_are_marked_by_more_than_colour(rows):
    by_scan, _ = rows
    assert '<td data-value="0.5" class=beyond>0.5 ▼</td>' in by_scan["bad"]
    assert '<td data-value="2300" class=beyond>2300 ▲</td>' in by_scan["bad"]
    assert "beyond" not in by_scan["good"]
    assert '<td data-value="1501.25">1501</td>' in by_scan["good"]


def test_who_takes_part_is_told(rows):
    by_scan, _ = rows
    assert "<td>no</td>" in by_scan["bad"]
    assert "<td>yes (kept)</td>" in by_scan["kept"]
    assert "<td>yes</td>" in by_scan["good"]
    assert by_scan["gone"].count('<td data-value="">–</td>') == len(LIMITS)


def test_heads_have_limits_and_meanings(rows):
    _, page = rows
    assert "overlap<small>≥ 0.88</small>" in page
    assert "brain_ml<small>850 to 2100</small>" in page
    assert "outside<small>≤ 0.02</small>" in page
    assert "starts<small>no limit</small>" in page
    assert 'title="inside of the skull [ml]"' in page


def test_only_scans_with_a_picture_have_one_and_nothing_is_fetched(rows):
    by_scan, page = rows
    assert '<summary><img src="data:image/jpeg;base64,/9j/' in by_scan["bad"]
    assert page.count("<img") == 1
    for words in ("http", 'src="/', "<link"):
        assert words not in page


def test_words_from_outside_are_escaped(rows):
    by_scan, _ = rows
    assert "Kept: &lt;outside&gt;" in by_scan["kept"]


def test_the_table_can_be_sorted(rows):
    assert '<table class="sortable"><thead><tr><th class="scan">Scan</th>' in rows[1]


def test_pictures_of_a_large_cohort_have_room_in_the_report(picture, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (585, 810, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noisy.png")
    few = scale_pictures({"a": tmp_path / "noisy.png"})
    many = scale_pictures({f"scan-{number}": tmp_path / "noisy.png" for number in range(20)})
    assert Image.open(io.BytesIO(few["a"])).width == SIZES[0][0]
    assert Image.open(io.BytesIO(many["scan-0"])).width < SIZES[0][0]
    assert sum(map(len, many.values())) <= ROOM
    assert len(many) == 20


def test_a_page_of_3000_scans_fits_into_the_report_and_shows_the_first(checks, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (117, 162, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noisy.png")
    many = pd.concat([checks[:1]] * 3000, ignore_index=True)
    many["scan"] = [f"sub-{number:05d}_ses-1" for number in range(3000)]
    paths = dict.fromkeys(many["scan"][:200], tmp_path / "noisy.png")
    listed, pictures = fit_page(many, LIMITS, paths)
    assert listed["scan"].tolist() == many["scan"][: len(listed)].tolist()
    assert 500 < len(listed) < 3000
    assert list(pictures) == list(paths)[: len(pictures)]
    assert 50 < len(pictures) < 200
    write_checks(tmp_path / "checks.html", listed, LIMITS, pictures, ["many scans"])
    assert 1_200_000 < (tmp_path / "checks.html").stat().st_size < 1_500_000


def test_a_small_page_holds_all_scans_and_pictures(checks, picture):
    listed, pictures = fit_page(checks, LIMITS, {"bad": picture("bad", 810, 585)})
    assert listed["scan"].tolist() == checks["scan"].tolist()
    assert list(pictures) == ["bad"]


def test_whatever_is_written_of_a_scan_is_words(checks, picture, tmp_path, read_page, hostile):
    odd = checks.assign(scan=[f"{scan}{hostile}" for scan in checks["scan"]], reason=hostile, towards=hostile)
    limits = {hostile: [0.88, None]}
    pictures = {odd["scan"][0]: scale_picture(picture("bad", 810, 585), 640, 80)}
    write_checks(tmp_path / "checks.html", odd.assign(**{hostile: 1.0}), limits, pictures, [hostile, hostile])
    page = read_page(tmp_path / "checks.html")
    assert page.text.count(" ".join(hostile.split())) == 2 + 1 + 3 * len(odd)
    assert [attributes["alt"] for tag, attributes in page.tags if tag == "img"] == [
        f"Planes of {odd['scan'][0]}: raw head, brain on the grid"
    ]
