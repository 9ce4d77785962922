"""Who takes part, and which scans a person should look at first."""

import json

import pandas as pd
import pytest

from neurobar.data.scan_names import digest_names
from neurobar.preprocess.judge_scans import find_reasons, main, rank_outliers

LIMITS = {"overlap": [0.88, None], "brain_ml": [850, 2100], "clipped": [None, 0.05]}
FINE = {
    "prepared": "",
    "credible": True,
    "starts": 1,
    "overlap": 0.95,
    "brain_ml": 1400.0,
    "clipped": 0.0,
    "spacing_mm": [1, 1, 1.2],
}
CHECKS = {
    "a": FINE,
    "b": FINE | {"brain_ml": 2500.0},
    "c": FINE | {"overlap": 0.93},
    "d": FINE | {"credible": False, "starts": 10},
    "e": FINE | {"overlap": 0.89},
}


@pytest.fixture
def folder(tmp_path):
    for scan, check in CHECKS.items():
        (tmp_path / scan).mkdir()
        (tmp_path / scan / "check.json").write_text(json.dumps({"scan": scan} | check))
    return tmp_path


def judge(folder, *words, scans="ecadb"):
    outputs = ["--checks", str(folder / "checks.tsv"), "--table", str(folder / "cohort.tsv")]
    pd.DataFrame({"scan": list(scans)}).to_csv(folder / "scans.tsv", sep="\t", index=False)
    names = ["--sheet", str(folder / "scans.tsv"), "--scans", digest_names(scans)]
    main(["--folder", str(folder), *names, "--limits", json.dumps(LIMITS), *outputs, *words])
    tables = (pd.read_csv(folder / name, sep="\t", keep_default_na=False) for name in ("checks.tsv", "cohort.tsv"))
    return tuple(table.set_index("scan") for table in tables)


def test_each_limit_that_is_passed_gives_a_sentence():
    reasons = find_reasons(FINE | {"overlap": 0.7, "brain_ml": 2500.0}, LIMITS)
    assert reasons == ["overlap is 0.7, below 0.88.", "brain_ml is 2500.0, above 2100."]


def test_a_registration_that_is_not_believed_fails_the_scan():
    assert find_reasons(CHECKS["d"], LIMITS) == ["No credible registration was found in 10 attempts."]
    said = CHECKS["d"] | {"prepared": "stripped+registered"}
    assert find_reasons(said, LIMITS) == ["It is said to be registered, but does not lie on the template."]


def test_what_cannot_be_measured_passes():
    assert find_reasons(FINE | {"brain_ml": None}, LIMITS) == []


def test_a_value_that_is_no_number_passes_no_limit():
    assert len(find_reasons(FINE | {"overlap": float("nan"), "clipped": float("nan")}, LIMITS)) == 2


def test_the_table_for_later_stages_is_sorted_and_gives_reasons(folder):
    _, cohort = judge(folder)
    assert cohort.index.tolist() == list("abcde")
    assert cohort["used"].tolist() == [True, False, True, False, True]
    assert cohort.at["b", "reason"] == "brain_ml is 2500.0, above 2100."


def test_people_see_failures_first_and_then_what_came_near_a_limit(folder):
    checks, _ = judge(folder)
    assert checks.index.tolist() == ["b", "d", "e", "c", "a"]
    assert checks.at["e", "towards"] == "overlap"
    # The median of the cohort is 0.95, the limit 0.88.
    assert checks.at["e", "approach"] == pytest.approx(6 / 7, abs=0.01)
    assert checks.at["a", "approach"] == 0
    assert checks.at["a", "spacing_mm"] == "[1, 1, 1.2]"


@pytest.mark.parametrize(
    ("overlaps", "first", "ways"),
    [
        ([0.9, 0.9, 0.86, 0.95], "c", [0, 0, 2, 0]),
        ([0.88, 0.88, 0.95, 0.95, 0.88], "a", [0, 0, 0, 0, 0]),
        ([0.5, 0.5, 0.4, 0.95], "a", [99, 99, 99, 0]),
    ],
)
def test_good_scans_stay_behind_where_a_cohort_lies_at_or_beyond_a_limit(overlaps, first, ways):
    table = pd.DataFrame({"scan": list("abcde")[: len(overlaps)], "used": True, "reason": "", "overlap": overlaps})
    ranked = rank_outliers(table, {"overlap": [0.88, None]})
    assert ranked["scan"].iloc[0] == first
    assert ranked.sort_values("scan")["approach"].tolist() == pytest.approx(ways)


def test_a_person_overrules_the_checks_and_the_tables_say_so(folder):
    (folder / "a" / "check.json").unlink()  # what is excluded may be broken
    checks, cohort = judge(folder, "--keep", '["b", "c"]', "--exclude", '["a"]')
    assert cohort["used"].tolist() == [False, True, True, False, True]
    assert cohort["reason"].tolist()[:3] == [
        "Excluded in the config.",
        "Kept in the config: brain_ml is 2500.0, above 2100.",
        "",
    ]
    assert checks.at["a", "overlap"] == "n/a"


@pytest.mark.parametrize(
    ("words", "scans", "message"),
    [
        (("--keep", '["a"]', "--exclude", '["a"]'), "ab", "both name 'a'"),
        (("--exclude", '["a"]'), "ab", "No scan passed its checks. The first of 2, a: Excluded in the config."),
        ((), "d", "The first of 1, d: No credible registration was found in 10 attempts."),
    ],
)
def test_faults_end_in_one_sentence(folder, words, scans, message):
    with pytest.raises(SystemExit, match=message):
        judge(folder, *words, scans=scans)


def test_scans_that_the_sheet_leaves_out_need_no_check(folder):
    (folder / "scans.tsv").write_text("scan\tdiagnosis\na\tCN\nnone\tMCI\nb\tAD\n")
    names = ["--sheet", str(folder / "scans.tsv"), "--ignored", '{"diagnosis": ["MCI"]}', "--scans", digest_names("ab")]
    outputs = ["--checks", str(folder / "checks.tsv"), "--table", str(folder / "cohort.tsv")]
    main(["--folder", str(folder), *names, "--limits", json.dumps(LIMITS), *outputs])
    assert pd.read_csv(folder / "cohort.tsv", sep="\t")["scan"].tolist() == ["a", "b"]


def test_a_sheet_that_was_edited_meanwhile_ends_in_one_sentence(folder):
    (folder / "scans.tsv").write_text("scan\na\nnew\n")
    words = ["--sheet", str(folder / "scans.tsv"), "--scans", digest_names("a"), "--limits", "{}"]
    outputs = ["--checks", str(folder / "checks.tsv"), "--table", str(folder / "cohort.tsv")]
    with pytest.raises(SystemExit, match="lists other scans than when the run began"):
        main(["--folder", str(folder), *words, *outputs])
    assert not (folder / "cohort.tsv").exists()
