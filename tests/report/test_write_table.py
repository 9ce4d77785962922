import json

import pandas as pd
import pytest

from neurobar.report.write_table import cell, main

TABLE = {
    "caption": "Two rows",
    "rows": [
        {"framework": "A", "method": "x_1 | y", "task": "one", "paper": {"precision": [74.38, 7], "accuracy": [80, 3]}},
        {"framework": "B", "method": "z", "task": "two"},
    ],
}


COHORT = {"label": "diagnosis", "positive": "AD", "negative": "CN"}


@pytest.fixture
def write(tmp_path):
    """Return the command, with scores of two tasks to read."""
    scores = {
        "one": pd.DataFrame(
            {"fold": [0, 1], "seed": 0, "precision": [0.5, 0.7], "recall": 1.0, "accuracy": [0.8, 0.9]}
        ),
        "two": pd.DataFrame({"fold": [0, 1], "seed": 0, "precision": None, "recall": [0.0, 0.0], "accuracy": 0.5}),
    }
    for task, table in scores.items():
        (tmp_path / task).mkdir()
        table.to_csv(tmp_path / task / "scores.tsv", sep="\t", index=False, na_rep="n/a")
    parts = pd.DataFrame({"scan": list("abcd"), "subject": list("wxyy"), "part": ["test", "0", "1", "1"]})
    parts.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    packed = pd.DataFrame(
        {"scan": list("abcde"), "used": [True] * 4 + [False], "reason": ["Kept.", "", "", "", "Small."]}
    )
    packed.to_csv(tmp_path / "cohort.tsv", sep="\t", index=False)
    words = {"table": json.dumps(TABLE), "study": "a study", "cohort": json.dumps(COHORT)}
    words |= {"folds": tmp_path / "folds.tsv", "packed": tmp_path / "cohort.tsv"}
    words |= {"scores": tmp_path, "output": tmp_path / "table_1"}

    def call(*flags):
        main([*flags, *[word for name, value in words.items() for word in (f"--{name}", str(value))]])
        return tmp_path

    return call


@pytest.fixture
def written(write):
    return write("--simulated", "--paper")


def test_csv_holds_ours_beside_the_papers(written):
    table = pd.read_csv(written / "table_1.csv").set_index("task")
    assert table.loc["one", "precision_mean"] == 60
    assert table.loc["one", "precision_sd"] == pytest.approx(14.14)
    assert table.loc["one", "precision_paper_mean"] == 74.38
    assert table.loc["one", "folds"] == 2
    assert pd.isna(table.loc["two", "accuracy_paper_mean"])


def test_markdown_names_cohort_counts_and_that_subjects_are_simulated(written):
    text = (written / "table_1.md").read_text()
    assert "| 60.0 ± 14.1 | 74.4 ± 7.0 |" in text
    assert r"x_1 \| y" in text
    assert "undefined" in text
    for words in (
        "a study",
        "1 scans of 1 subjects",
        "3 scans of 2 subjects",
        "1 scans left out by their checks or by name, 1 kept by name although a check failed.",
        "simulated",
        "AD (positive)",
    ):
        assert words in text


def test_without_the_paper_neither_its_figures_nor_its_name_appear(write):
    folder = write()
    assert not [name for name in pd.read_csv(folder / "table_1.csv") if "paper" in name]
    for suffix in (".md", ".tex"):
        text = (folder / "table_1").with_suffix(suffix).read_text().lower()
        assert "paper" not in text
        assert "simulated" not in text


def test_latex_is_escaped(written):
    text = (written / "table_1.tex").read_text()
    assert r"x\_1 | y" in text
    assert r"60.0 $\pm$ 14.1" in text
    assert r"[\%]" in text
    assert text.count(r"\begin") == text.count(r"\end") == 2


def test_a_cell_says_when_it_is_undefined():
    assert cell(80.04, 2.96) == "80.0 ± 3.0"
    assert cell(80.0, None) == "80.0"
    assert cell(None, None) == "–"
    assert cell(float("nan"), float("nan"), undefined=5) == "undefined"
    assert cell(50.0, 1.0, undefined=2) == "50.0 ± 1.0 (undefined in 2)"
