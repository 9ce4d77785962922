import hashlib
import json

import pandas as pd
import pytest

from neurobar.data.rosters import (
    among,
    check_preprocessing,
    describe_failures,
    digest_scans,
    digest_sheet,
    join_scans,
    read_external,
    read_own,
    tell_ignored,
)

COHORT = {"label": "dx", "negative": "CN", "positive": "AD", "ignored": []}
PREPROCESS = {"skull_strip": "atlas", "keep": [], "exclude": []}


def write(folder, name, scans, **columns):
    """Write a sheet whose first scan is CN and whose others are AD."""
    table = pd.DataFrame({"scan": list(scans), "subject": [f"s-{scan}" for scan in scans]})
    table = table.assign(path=[f"{scan}.nii.gz" for scan in scans], dx=["CN", *["AD"] * (len(scans) - 1)], **columns)
    for path in table["path"]:
        (folder / path).touch()
    table.to_csv(folder / name, sep="\t", index=False)
    return COHORT | {"scans": str(folder / name)}


@pytest.fixture
def own(tmp_path):
    return read_own(write(tmp_path, "own.tsv", "abc"), None)


def test_every_scan_is_found_whatever_sheet_it_is_in(tmp_path, own):
    cohorts = {"one": write(tmp_path, "one.tsv", "pq", prepared="stripped"), "two": write(tmp_path, "two.tsv", "xyz")}
    external = read_external(cohorts, "own.tsv", own)
    assert {name: table.index.tolist() for name, table in external.items()} == {"one": ["p", "q"], "two": list("xyz")}
    every = join_scans(own, external)
    assert [*every] == list("abcpqxyz")
    assert every["q"]["path"] == str(tmp_path / "q.nii.gz")
    assert [every[scan]["prepared"] for scan in "apx"] == ["", "stripped", ""]


def test_scans_to_simulate_lie_below_the_folder_of_their_stage():
    planned = pd.DataFrame({"scan": ["a"], "path": ["sub-1/a.nii.gz"], "diagnosis": ["CN"]})
    scans = read_own(COHORT | {"scans": None}, planned)
    assert join_scans(scans, {}) == {"a": {"path": "results/simulate/sub-1/a.nii.gz", "prepared": "", "mask": None}}


@pytest.mark.parametrize(
    ("scans", "columns", "message"),
    [
        (
            "xy",
            {"subject": ["s-y", "s-b"]},
            r"external\.one: the subject 's-b' is in own\.tsv too, and nobody may be in",
        ),
        ("ay", {}, r"external\.one: the subject 's-a' is in own\.tsv"),
        ("ay", {"subject": ["s-x", "s-y"]}, r"external\.one: the image '.*/a\.nii\.gz' is in own\.tsv too"),
        ("xy", {"path": ["x.nii.gz", "link.nii.gz"]}, r"the image '.*/c\.nii\.gz' is in own\.tsv too"),
        ("xb", {"subject": ["s-x", "s-y"], "path": ["x.nii.gz", "y.nii.gz"]}, r"the scan 'b' is in own\.tsv too"),
        ("xy", {"dx": ["CN", "FTD"]}, r"one\.tsv, row 3: dx 'FTD' is neither CN nor AD"),
    ],
)
def test_what_a_study_shares_with_an_external_cohort_is_refused(tmp_path, own, scans, columns, message):
    cohort = write(tmp_path, "one.tsv", scans)
    table = pd.read_csv(cohort["scans"], sep="\t").assign(**columns)
    table.to_csv(cohort["scans"], sep="\t", index=False)
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "c.nii.gz")
    (tmp_path / "y.nii.gz").touch()
    with pytest.raises(ValueError, match=message) as caught:
        read_external({"one": cohort}, "own.tsv", own)
    assert "\n" not in str(caught.value)


def test_external_cohorts_may_share_subjects_but_no_names_of_scans(tmp_path, own):
    cohorts = {"one": write(tmp_path, "one.tsv", "pq"), "two": write(tmp_path, "two.tsv", "xy", subject=["s-p", "s-q"])}
    assert len(read_external(cohorts, "own.tsv", own)["two"]) == 2
    cohorts["two"] = write(tmp_path, "two.tsv", "xq")
    with pytest.raises(ValueError, match=r"external\.two: the scan 'q' is in external\.one too"):
        read_external(cohorts, "own.tsv", own)


def test_scans_of_every_sheet_may_be_kept_and_others_may_not(tmp_path, own):
    external = read_external({"one": write(tmp_path, "one.tsv", "xy")}, "own.tsv", own)
    check_preprocessing(PREPROCESS | {"keep": ["x"], "exclude": ["b", "y"]}, "own.tsv", own, external)
    with pytest.raises(ValueError, match=r"keep and exclude: 'x' is no scan of the cohort"):
        check_preprocessing(PREPROCESS | {"keep": ["x"]}, "own.tsv", own, {})


def test_masks_are_asked_for_in_every_sheet_but_not_of_what_is_excluded(tmp_path, own):
    external = read_external({"one": write(tmp_path, "one.tsv", "xy")}, "own.tsv", own.assign(mask="m.nii.gz"))
    supplied = PREPROCESS | {"skull_strip": "supplied"}
    with pytest.raises(ValueError, match=r"external\.one: scan 'x' has no file in the column mask"):
        check_preprocessing(supplied, "own.tsv", own.assign(mask="m.nii.gz"), external)
    check_preprocessing(supplied | {"exclude": ["x", "y"]}, "own.tsv", own.assign(mask="m.nii.gz"), external)
    with pytest.raises(ValueError, match=r"own\.tsv: scan 'a' has no file"):
        check_preprocessing(supplied | {"exclude": ["x", "y"]}, "own.tsv", own, external)


def test_a_name_of_another_sheet_does_not_matter_to_a_cohort(own):
    assert json.loads(among(own, ["x", "c", "a"])) == ["c", "a"]


def test_a_digest_follows_the_named_columns_alone(own):
    columns = ["scan", "label"]
    assert digest_scans(own, columns) == digest_scans(own.assign(age=7), columns)
    assert digest_scans(own, columns) != digest_scans(own.assign(label=1), columns)
    # Of the sheets of studies that were run before: another value would split all of them anew.
    assert digest_scans(own, columns) == hashlib.sha256(b"scan,label\na,0\nb,1\nc,1\n").hexdigest()[:12]


def test_a_digest_of_a_sheet_follows_all_rows_whatever_their_order(tmp_path):
    def digest(*rows, header="scan\tdx\tage", columns=("scan", "dx", "site")):
        (tmp_path / "own.tsv").write_text("\n".join([header, *rows]) + "\n")
        return digest_sheet(str(tmp_path / "own.tsv"), [*columns])

    before = digest("a\tCN\t70", "b\tMCI\t71")
    assert digest("b\tMCI\t7", "a\tCN\t7") == before
    assert digest("a\tCN\tn/a\tgood", "b\tMCI\t71\tgood", header="scan\tdx\tage\tmood") == before
    assert digest("a\tCN\t70", "b\tAD\t71") != before
    assert digest("a\tCN\t70") != before
    assert digest("a\tCN\tnorth", "b\tMCI\tnorth", header="scan\tdx\tsite") != before
    assert digest("a\tCN\t70", "b\tMCI\t71", columns=("scan", "dx", "site", "dx")) == before


def test_a_scan_that_failed_is_told_by_the_last_line_of_its_log(tmp_path):
    said = {"register_scan/a": "one\nno head.\n", "strip_skull/b": "no mask.\n", "register_scan/c": "", "x/d": "x\n"}
    said |= {"register_scan/e": "a warning.\n"}
    for name, text in said.items():
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs" / f"{name}.log").write_text(text)
    (tmp_path / "preprocess" / "e").mkdir(parents=True)
    (tmp_path / "preprocess" / "e" / "registration.json").touch()
    assert describe_failures("abcde", tmp_path) == ["a: no head.", "b: no mask."]


def test_a_column_that_leaves_nobody_out_is_not_told():
    assert tell_ignored({"label": "diagnosis", "ignored": ["MCI", 3]}) == '{"diagnosis": ["MCI", "3"]}'
    assert tell_ignored({"label": "diagnosis", "ignored": []}) == "{}"
