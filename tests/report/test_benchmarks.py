import os

import pytest

from neurobar.report.benchmarks import measure_rules, read_job

HEAD = "s\th:m:s\tmax_rss\tmax_vms\n"


@pytest.fixture
def folder(tmp_path):
    """Write benchmarks of three rules: one job, a tree of jobs, and one too short to be measured."""

    def write(name, lines, ended):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + lines)
        os.utime(path, (ended, ended))

    write("pack.tsv", "12.5\t0:00:12\t301.25\t9\n", 1_000_000)
    write("train/bar/fold-0.tsv", "10\t0:00:10\t500\t9\n", 2_000_000)
    write("train/bar/fold-1.tsv", "30\t0:00:30\t700.5\t9\n", 2_000_060)
    write("train/recon/fold-0.tsv", "14\t0:00:14\tNA\t9\n", 2_000_030)
    write("short.tsv", "0.01\t0:00:00\t-\t-\n", 3_000_000)
    return tmp_path


def test_the_jobs_of_a_rule_are_added_up(folder):
    rules = measure_rules(folder)
    assert rules["train"] == {
        "jobs": 3,
        "seconds_median": 14,
        "seconds_sum": 54,
        "largest_rss_mb": 700.5,
        "first_started": "1970-01-24T03:33:10+00:00",
        "last_ended": "1970-01-24T03:34:20+00:00",
    }
    assert (rules["pack"]["jobs"], rules["pack"]["seconds_sum"]) == (1, 12.5)
    assert list(rules) == ["pack", "short", "train"]


def test_what_was_too_short_to_be_measured_has_no_memory(folder):
    assert measure_rules(folder)["short"]["largest_rss_mb"] is None


@pytest.mark.parametrize("text", ["", HEAD, HEAD + "nan\t0\t1\t1\n", HEAD + "inf\t0\t1\t1\n", HEAD + "-\t0\t1\t1\n"])
def test_a_file_that_says_nothing_is_no_job(tmp_path, text):
    (tmp_path / "rule.tsv").write_text(text)
    assert read_job(tmp_path / "rule.tsv") is None
    assert measure_rules(tmp_path) == {}


def test_of_a_job_that_was_repeated_the_last_line_counts(tmp_path):
    (tmp_path / "rule.tsv").write_text(HEAD + "5\t0\t1\t1\n7\t0\t2\t1\n")
    job = read_job(tmp_path / "rule.tsv")
    assert (job["seconds"], job["rss_mb"]) == (7, 2)


def test_a_study_without_benchmarks_has_no_rules(tmp_path):
    assert measure_rules(tmp_path / "none") == {}
