import json

import pandas as pd
import pytest

from neurobar.report.write_table import main

TABLE = {
    "caption": "Two rows",
    "reference": "one",
    "rows": [
        {
            "framework": "A",
            "method": "x_1 | y",
            "task": "one",
            "paper": {"precision": [74.38, 7], "accuracy": [80, None]},
        },
        {"framework": "B & C", "method": "z", "task": "two"},
        {"framework": "C", "method": "z", "task": "three"},
    ],
}
COHORT = {"study": "a study", "label": "diagnosis", "positive": "AD", "negative": "CN"}
ELSEWHERE = COHORT | {"study": "a clinic", "label": "dx", "negative": "none"}
FIGURES = ["mean", "sd", "low", "high", "undefined", "undefined_replicates"]
SUMMARIES = {
    "one": {"precision": [0.6, 0.1414, 0.5, 0.7, 0, 3], "mcc": [-0.05, 0.1, -0.2, 0.1, 0, 0]},
    "two": {"precision": [None, None, None, None, 2, 2000], "mcc": [0.3, 0.1, None, None, 0, 1500]},
    "three": {"precision": [0.5, None, None, None, 1, 2000], "mcc": [0.2, 0.1, 0.1, 0.3, 0, 0]},
}
DIFFERENCES = [
    ["scan", "mcc", "two", "one", True, 0.35, 0.1, 0.6, 0, 0.0005, 0.04, 0.00099, 0.08],
    ["scan", "mcc", "three", "one", False, *[None] * 8],
    ["subject", "mcc", "two", "one", True, -0.11, -0.2, 0.6, 0, 0.5, None, 0.5, None],
    ["subject", "mcc", "three", "one", False, *[None] * 8],
]
COMPARED = ["level", "score", "task", "reference", "paired", "difference", "low", "high", "undefined"]
COMPARED += ["p_bootstrap", "p_ttest", "p_bootstrap_holm", "p_ttest_holm"]


@pytest.fixture
def write(tmp_path):
    """Return the command, with the summaries of three tasks and their differences to read."""
    summaries = []
    for task, scores in SUMMARIES.items():
        rows = [["scan", score, *figures] for score, figures in scores.items()]
        rows += [["subject", "precision", 0.9, 0.1, 0.8, 1.0, 0, 0], ["scan", "accuracy", 0.85, 0.05, 0.8, 0.9, 0, 0]]
        table = pd.DataFrame(rows, columns=["level", "score", *FIGURES]).assign(folds=2, seeds=1, replicates=2000)
        summaries.append(tmp_path / task / "summary.tsv")
        summaries[-1].parent.mkdir()
        table.to_csv(summaries[-1], sep="\t", index=False, na_rep="n/a")
    parts = pd.DataFrame({"scan": list("abcd"), "subject": list("wxyy"), "part": ["test", "0", "1", "1"]})
    parts.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    packed = pd.DataFrame(
        {"scan": list("abcde"), "used": [True] * 4 + [False], "reason": ["Kept.", "", "", "", "Small."]}
    )
    packed.to_csv(tmp_path / "cohort.tsv", sep="\t", index=False)
    parts.assign(part=["test", "1", "1", "0"]).to_csv(tmp_path / "other_folds.tsv", sep="\t", index=False)
    (tmp_path / "apply").mkdir()
    tested = pd.DataFrame({"scan": list("xyz"), "subject": list("mmn"), "part": "test"})
    tested.to_csv(tmp_path / "apply" / "folds.tsv", sep="\t", index=False)
    packed.iloc[1:].to_csv(tmp_path / "apply" / "cohort.tsv", sep="\t", index=False)

    def call(*flags, threshold=0.5, differences=DIFFERENCES, external=(), folds=None, **changes):
        """Write the table; `external` are the places of the rows that are of the external cohort."""
        compared, table = pd.DataFrame(differences, columns=COMPARED), TABLE | changes
        compared.to_csv(tmp_path / "differences.tsv", sep="\t", index=False, na_rep="n/a")
        places = [tmp_path / "apply" if row in external else tmp_path for row in range(len(table["rows"]))]
        cohorts = [COHORT if place == tmp_path else ELSEWHERE for place in places]
        words = {"table": json.dumps(table), "cohorts": json.dumps(cohorts), "threshold": threshold}
        words |= {"differences": tmp_path / "differences.tsv", "output": tmp_path / "table_1"}
        words = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        words += ["--folds", *(folds or [str(place / "folds.tsv") for place in places])]
        words += ["--packed", *[str(place / "cohort.tsv") for place in places]]
        main([*flags, "--summaries", *map(str, summaries), "--scores", "precision", "accuracy", "mcc", *words])
        return tmp_path

    return call


@pytest.fixture
def written(write):
    return write("--simulated", "--paper")


def test_csv_holds_ours_beside_the_papers(written):
    table = pd.read_csv(written / "table_1.csv").set_index("task")
    assert table.loc["one", ["precision_mean", "precision_sd", "precision_low", "precision_high"]].tolist() == [
        60,
        14.14,
        50,
        70,
    ]
    assert table.loc["one", "precision_paper_mean"] == 74.38
    assert table.loc["one", "folds"] == 2
    assert table.loc["two", "precision_undefined"] == 2
    assert pd.isna(table.loc["two", "precision_mean"])
    assert pd.isna(table.loc["two", "accuracy_paper_mean"])
    assert "mcc_paper_mean" not in table


def test_csv_holds_the_scores_by_subject_as_well(written):
    table = pd.read_csv(written / "table_1.csv")
    assert (table["subject_precision_mean"] == 90).all()
    assert "subject_precision_paper_mean" not in table


def test_a_row_shows_mean_spread_interval_and_the_papers_figure(written):
    text = (written / "table_1.md").read_text()
    assert "| A | x_1 \\| y | 60.0 ± 14.1 [50.0, 70.0] | 74.4 ± 7.0 | 85.0 ± 5.0 [80.0, 90.0] | 80.0 |" in text
    assert "| −5.0 ± 10.0 [−20.0, 10.0] |" in text


def test_what_is_undefined_says_so_and_the_caption_says_why(write):
    text = (write() / "table_1.md").read_text()
    assert "| B & C | z | undefined | 85.0 ± 5.0 [80.0, 90.0] | 30.0 ± 10.0 [undefined] |" in text
    assert "| C | z | 50.0 (undefined in 1) |" in text
    assert "Undefined: the score divides by zero" in text


def test_the_caption_names_cohort_counts_interval_threshold_and_that_subjects_are_simulated(written):
    text = (written / "table_1.md").read_text()
    for words in (
        "a study",
        "1 scans of 1 subjects",
        "3 scans of 2 subjects",
        "1 scans left out by their checks or by name, 1 kept by name although a check failed.",
        "simulated",
        "AD (positive)",
        "mean ± standard deviation over 2 folds and 95 % interval of the mean",
        "positive from a probability of 0.5.",
        "2000 draws of the test subjects; it does not cover the chance of training",
    ):
        assert words in text


def test_a_chosen_threshold_and_a_note_are_told(write):
    text = (write(threshold="selected", note="Wrong on purpose.") / "table_1.md").read_text()
    assert "at the threshold of the best balanced accuracy on the fold that selects the model" in text
    assert "probability of" not in text
    assert " Wrong on purpose. " in text


def test_without_the_paper_neither_its_figures_nor_its_name_appear(write):
    folder = write()
    assert not [name for name in pd.read_csv(folder / "table_1.csv") if "paper" in name]
    for suffix in (".md", ".tex"):
        text = (folder / "table_1").with_suffix(suffix).read_text().lower()
        assert "paper" not in text
        assert "simulated" not in text


def test_a_table_without_figures_of_the_paper_does_not_name_it(write):
    rows = [{name: row[name] for name in ("framework", "method", "task")} for row in TABLE["rows"]]
    assert "paper" not in (write("--paper", rows=rows) / "table_1.md").read_text().lower()


def test_differences_by_scan_stand_below_with_intervals_and_corrected_p_values(written):
    text = (written / "table_1.md").read_text()
    assert "| B & C: z | x_1 \\| y | MCC | +35.0 [10.0, 60.0] | < 0.001 | 0.080 |" in text
    assert "−11.0" not in text
    assert "Paired differences [percentage points]" in text


def test_the_caption_names_pairs_that_could_not_be_compared(write):
    assert (
        "Not compared, for want of the same test scans and labels: C: z and x_1 | y."
        in (write() / "table_1.md").read_text()
    )
    text = (write(differences=DIFFERENCES[::2]) / "table_1.md").read_text()
    assert "Paired differences" in text
    assert "Not compared" not in text


def test_differences_are_kept_at_both_levels(written):
    table = pd.read_csv(written / "table_1.differences.csv")
    assert table["level"].tolist() == ["scan", "scan", "subject", "subject"]
    assert table["difference"].dropna().tolist() == [0.35, -0.11]


def test_a_table_of_one_row_has_no_differences(write):
    folder = write(rows=TABLE["rows"][:1], differences=[])
    assert "differences" not in (folder / "table_1.md").read_text()
    assert (folder / "table_1.tex").read_text().count(r"\begin{table}") == 1


def test_latex_is_escaped(written):
    text = (written / "table_1.tex").read_text()
    assert r"A & x\_1 $|$ y & 60.0 $\pm$ 14.1 [50.0, 70.0]" in text
    assert r"B \& C: z & x\_1 $|$ y & MCC & +35.0 [10.0, 60.0] & $<$ 0.001" in text
    assert r"$-$5.0 $\pm$ 10.0" in text
    assert r"[\%]" in text
    assert r"95 \% interval" in text
    assert r"\label{tab:table_1}" in text
    assert r"\label{tab:table_1_differences}" in text
    assert text.count(r"\begin") == text.count(r"\end") == 4


def test_a_test_set_of_few_subjects_is_warned_of(written):
    assert "So few test subjects" in (written / "table_1.md").read_text()


OWN = "Cohort: a study; test set of 1 scans of 1 subjects, 3 scans of 2 subjects to train and select; 1 scans left out"
THERE = "test set of 3 scans of 2 subjects, none of whom was trained on; 1 scans left out by their checks or by name."


def test_a_table_of_one_external_cohort_names_it_and_counts_it_alone(write):
    text = (write("--simulated", external=(0, 1, 2)) / "table_1.md").read_text()
    assert "[%]: dx, AD (positive) against none; mean" in text
    assert f"Cohort: a clinic; {THERE}" in text
    assert "a study" not in text
    assert "splits of their own" not in text
    assert "The models learned from simulated subjects: the figures show that the pipeline works" in text
    assert "These subjects are simulated" not in text


@pytest.mark.parametrize(("external", "first"), [((1,), "diagnosis, AD"), ((0, 2), "dx, AD")])
def test_a_table_of_own_and_external_rows_counts_both_cohorts(write, external, first):
    text = (write("--simulated", external=external) / "table_1.md").read_text()
    assert f"[%]: {first} (positive)" in text
    own, there = OWN, f"Cohort: a clinic (dx, AD (positive) against none); {THERE}"
    if external[0] == 0:
        own = OWN.replace("a study", "a study (diagnosis, AD (positive) against CN)")
        there = f"Cohort: a clinic; {THERE}"
    assert own in text
    assert there in text
    assert text.count("Cohort: ") == 2
    assert "splits of their own" not in text
    assert "These subjects are simulated" not in text


def test_other_splits_of_a_cohort_are_told_and_an_external_cohort_is_none(write):
    told = "Counts are those of the first row of each cohort; other rows have splits of their own."
    for external, is_told in (((), True), ((2,), True), ((1,), False)):
        folder = write(external=external)
        folds = [str(folder / ("apply" if row in external else "") / "folds.tsv") for row in range(3)]
        folds[1] = folds[1] if 1 in external else str(folder / "other_folds.tsv")
        text = (write(external=external, folds=folds) / "table_1.md").read_text()
        assert (told in text) == is_told


def test_a_table_without_a_comparable_pair_says_so_and_has_no_empty_table(write):
    folder = write(differences=DIFFERENCES[1::2], rows=TABLE["rows"][::2])
    text = (folder / "table_1.md").read_text()
    assert text.rstrip().endswith("Not compared, for want of the same test scans and labels: z and x_1 | y.")
    assert "Paired differences" not in text
    assert (folder / "table_1.tex").read_text().count(r"\begin{table}") == 1
    assert pd.read_csv(folder / "table_1.differences.csv")["paired"].tolist() == [False, False]


def test_words_of_the_config_are_words_in_every_form(write, read_page, hostile):
    rows = [row | {"framework": f"{row['framework']}{hostile}", "method": hostile} for row in TABLE["rows"]]
    folder = write("--paper", caption=hostile, note=hostile, rows=rows)
    page = read_page(folder / "table_1.html")
    words = hostile.split("\n")[0]
    assert page.text.count(words) > 2 * len(rows)
    assert "<script" not in (folder / "table_1.md").read_text()
    assert "<" not in (folder / "table_1.tex").read_text().replace("$<$", "")
    assert pd.read_csv(folder / "table_1.csv")["method"].tolist() == [hostile] * len(rows)
