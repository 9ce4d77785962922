import json
import re

import pandas as pd
import pytest
from PIL import Image

from neurobar.draw import check_page, histograms, montage
from neurobar.draw.draw_checks import describe_checks, main, name_left_out
from neurobar.draw.scan_names import name_scans

COHORT = {"negative": "CN", "positive": "AD", "study": "a study", "simulated": True}
LIMITS = {"overlap": [0.88, None]}


@pytest.fixture
def checks(tiny_cohort):
    """Return checks of the tiny cohort in another order, with a scan that was kept and one that was excluded."""
    scans = pd.read_csv(tiny_cohort.folder / "cohort.tsv", sep="\t")["scan"].tolist()[::-1]
    table = pd.DataFrame(
        {"scan": ["gone", *scans], "used": True, "reason": None, "approach": 0.5, "towards": "overlap"}
    )
    table["overlap"] = 0.95
    table.loc[0, ["used", "reason", "overlap"]] = [False, "Excluded in the config.", None]
    table.loc[1, "reason"] = "Kept in the config: overlap is 0.2, below 0.88."
    return table


@pytest.fixture
def draw(tiny_cohort, checks, tmp_path):
    """Return the command; it returns the captions."""

    def call(most=30, table=checks, words=(), **changes):
        table.assign(reason=table["reason"].fillna("")).to_csv(
            tmp_path / "checks.tsv", sep="\t", index=False, na_rep="n/a"
        )
        for scan in table["scan"][1:]:
            (tmp_path / "preprocess" / scan).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (700, 500)).save(tmp_path / "preprocess" / scan / "check.png")
        words = dict(words) | {"checks": tmp_path / "checks.tsv", "folder": tmp_path / "preprocess", "most": most}
        words |= {"limits": json.dumps(LIMITS), "cohort": json.dumps(COHORT | changes)}
        words |= {name: tiny_cohort.folder / f"{name}.npy" for name in ("percentiles",)}
        files = {"volumes": "cohort.npy", "table": "cohort.tsv", "folds": "folds.tsv", "landmarks": "landmarks.json"}
        words |= {name: tiny_cohort.folder / file for name, file in files.items()}
        words |= {"figures": tmp_path / "drawn", "captions": tmp_path / "drawn.tsv"}
        main([word for name, each in words.items() for word in (f"--{name}", str(each))])
        return pd.read_csv(tmp_path / "drawn.tsv", sep="\t", index_col="figure", quoting=3)["caption"]

    return call


def test_captions_name_the_cohort_and_what_is_seen(draw, tmp_path):
    captions = draw()
    assert list(captions.index) == ["montage", "histograms", "checks"]
    assert captions.str.startswith("A study (these subjects are simulated)").all()
    assert captions[["montage", "histograms"]].str.contains("20 scans of 16 subjects").all()
    assert "plane of all scans" in captions["montage"]
    assert "frames mark scans kept although a check failed. Left out, so not shown: gone." in captions["montage"]
    assert "landmarks that fold 0 learned from its training scans alone" in captions["histograms"]
    names = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    figures = [f"{name}.{suffix}" for name in ("histograms", "montage") for suffix in ("pdf", "png")]
    assert names == ["checks.html", *figures]


@pytest.mark.parametrize(("most", "shown"), [(30, 20), (4, 3)])
def test_the_page_holds_pictures_of_the_first_scans_that_have_one(draw, tmp_path, most, shown):
    captions = draw(most)
    page = (tmp_path / "drawn" / "checks.html").read_text()
    assert page.count("<details") == shown
    assert "21 scans checked, 1 left out, 1 kept by name although a check failed" in captions["checks"]
    assert f"pictures of {shown} of them" in page


def test_of_many_scans_some_are_chosen_and_the_captions_say_so(draw, monkeypatch):
    monkeypatch.setattr(montage, "MOST", 4)
    monkeypatch.setattr(histograms, "MOST", 6)
    captions = draw()
    assert "plane of 4 scans, evenly chosen" in captions["montage"]
    assert "of 6 scans, evenly chosen" in captions["histograms"]


def test_the_montage_shows_unusual_scans_first(draw, checks, monkeypatch):
    seen = {}
    drawn = montage.draw_montage

    def spy(volumes, names, kept):
        seen.update(zip(names, kept, strict=True))
        return drawn(volumes, names, kept)

    monkeypatch.setattr("neurobar.draw.draw_checks.draw_montage", spy)
    draw()
    assert list(seen) == checks["scan"].tolist()[1:]
    assert [name for name, kept in seen.items() if kept] == [checks["scan"][1]]


def test_a_study_that_lost_none_says_so(draw, checks):
    fine = checks[1:].assign(reason=None)
    captions = draw(table=fine, simulated=False)
    assert captions["montage"].endswith("No scan was left out.")
    assert "frames" not in captions["montage"]
    assert not captions.str.contains("simulated").any()


def test_many_scans_that_were_left_out_are_not_all_named(checks):
    table = name_scans(checks.assign(used=False), by="scan")
    assert name_left_out(table).endswith(" and 11 more.")
    assert name_left_out(table[:2]) == f"Left out, so not shown: gone, {table['scan'][1]}."


def test_a_page_with_all_pictures_says_so(checks):
    counts = describe_checks(checks.fillna({"reason": ""}), listed=21, shown=21, is_full=False)
    assert counts.endswith("the page holds a picture of each.")


def test_a_page_that_is_full_says_what_it_leaves_out(draw, checks, monkeypatch):
    monkeypatch.setattr(check_page, "ROOM_OF_ROWS", 2000)
    monkeypatch.setattr(check_page, "ROOM", 16_000)
    said = draw()["checks"]
    listed, shown = (int(re.search(words, said)[1]) for words in (r"first (\d+) scans", r"pictures of (\d+) of"))
    assert 0 < shown < listed - 1 < len(checks) - 1
    assert f"pictures of {shown} of them, the most unusual (as many as it has room for)" in said
    assert said.endswith(f"It lists the first {listed} scans; results/preprocess/checks.tsv has all.")


def test_equal_inputs_give_equal_bytes(draw, tmp_path):
    draw()
    first = {path.name: path.read_bytes() for path in (tmp_path / "drawn").iterdir()}
    draw()
    assert {path.name: path.read_bytes() for path in (tmp_path / "drawn").iterdir()} == first


@pytest.mark.parametrize("names", ["scan", "row"])
def test_names_are_in_what_is_drawn_only_where_they_may_be(draw, checks, tmp_path, monkeypatch, names):
    seen = []
    drawn = montage.draw_montage
    monkeypatch.setattr("neurobar.draw.draw_checks.draw_montage", lambda *args: seen.append(drawn(*args)) or seen[-1])
    checks.loc[0, "reason"] = "No image in /home/sub-03/x.nii.gz."
    captions = draw(words={"names": names})
    told = "\n".join([*captions, (tmp_path / "drawn" / "checks.html").read_text()])
    told += " ".join(text.get_text() for text in seen[0].texts)
    is_named = names == "scan"
    assert any(scan in told for scan in checks["scan"]) is is_named
    assert ("sub-03" in told) is is_named
    assert ("row 21" in told) is not is_named
    assert ("called by their row in results/preprocess/checks.tsv" in captions["montage"]) is not is_named
    assert ("Left out, so not shown: row 1." in captions["montage"]) is not is_named


def test_rows_have_the_pictures_of_their_scans(draw, checks, tmp_path):
    draw(words={"names": "row"})
    page = (tmp_path / "drawn" / "checks.html").read_text()
    assert page.count("<details") == 20
    assert 'alt="Planes of row 2: raw head, brain on the grid"' in page


def test_words_of_the_sheet_and_the_config_are_words_on_the_page(draw, checks, tmp_path, read_page, hostile):
    checks.loc[1, "reason"] = hostile
    captions = draw(study=hostile)
    page = read_page(tmp_path / "drawn" / "checks.html")
    words = " ".join(hostile.split())
    assert page.text.count(words) == 2
    assert captions.str.contains(words[5:], regex=False).all()
