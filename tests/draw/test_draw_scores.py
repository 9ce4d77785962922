import argparse
import json

import numpy as np
import pandas as pd
import pytest

from neurobar.draw.draw_scores import describe_tests, main, write_captions

COHORT = {"study": "a study", "label": "diagnosis", "negative": "CN", "positive": "AD"}
ROWS = [
    {"framework": "A", "method": "x", "task": "one"},
    {"framework": "B", "method": "z", "task": "two"},
    {"framework": "C", "method": "z", "task": "three"},
]
FOLDS, TESTED = 2, 12
COLUMNS = ["level", "score", "task", "reference", "paired", "difference", "low", "high"]


def write_predictions(folder, task, fold, label_of):
    random = np.random.default_rng((len(task), fold))
    rows = []
    for part, number in (("test", TESTED), ("select", 8)):
        for case in range(number):
            label = label_of(case) if part == "test" else case % 2
            rows.append((f"{part}-{case}", f"{part}-{case // 2}", part, label, 0.3 * label + 0.7 * random.random()))
    path = folder / "finetune" / task / f"fold-{fold}" / "seed-0" / "predictions.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows, columns=["scan", "subject", "part", "label", "probability"])
    table.to_csv(path, sep="\t", index=False, float_format="%.6f")
    return str(path)


@pytest.fixture
def split(tmp_path):
    """Write the split of the study, and the list of an external cohort, and return their paths."""
    scans = [(f"test-{case}", f"test-{case // 2}", "test") for case in range(TESTED)]
    rest = [(f"select-{case}", f"select-{case // 2}", str(case % FOLDS)) for case in range(8)]
    for name, rows in {"folds.tsv": scans + rest, "external.tsv": scans[:5]}.items():
        pd.DataFrame(rows, columns=["scan", "subject", "part"]).to_csv(tmp_path / name, sep="\t", index=False)
    return str(tmp_path / "folds.tsv"), str(tmp_path / "external.tsv")


@pytest.fixture
def draw(tmp_path, split):
    """Return the command, which returns the captions."""

    def run(rows=ROWS, threshold="0.5", label_of=lambda case: case % 2, out="scores"):
        paths = [write_predictions(tmp_path, row["task"], fold, label_of) for row in rows for fold in range(FOLDS)]
        differences = [["scan", "accuracy", row["task"], "one", True, 0.1, 0.0, 0.2] for row in rows[1:]]
        table = pd.DataFrame(differences, columns=COLUMNS).assign(p_bootstrap_holm=0.01, p_ttest_holm=0.2)
        table.to_csv(tmp_path / "differences.tsv", sep="\t", index=False)
        told = {
            "table": {"caption": "Rows compared", "reference": "one", "rows": rows},
            "cohorts": [COHORT] * len(rows),
        }
        words = {"differences": tmp_path / "differences.tsv", "threshold": threshold}
        words |= {name: json.dumps(value) for name, value in told.items()}
        words |= {"figures": tmp_path / out, "captions": tmp_path / f"{out}.tsv"}
        words = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        main(["--predictions", *paths, "--folds", *[split[0]] * len(rows), "--simulated", *words])
        return pd.read_csv(tmp_path / f"{out}.tsv", sep="\t").set_index("figure")["caption"]

    return run


def test_four_figures_have_captions_that_name_cohort_counts_and_what_bands_are(draw, tmp_path):
    captions = draw()
    assert captions.index.tolist() == ["curves", "confusion", "calibration", "differences"]
    for name, words in captions.items():
        assert (tmp_path / "scores" / f"{name}.png").stat().st_size > 5000
        assert words.startswith("Rows compared: ")
        assert words.endswith("; a study (these subjects are simulated), test set of 12 scans of 6 subjects.")
    assert "mean over 2 folds and band of ± 1 standard deviation" in captions["curves"]
    assert "AD from a probability of 0.5, as mean number over 2 folds" in captions["confusion"]
    assert "95 % interval from draws of the test subjects; p after Holm" in captions["differences"]


def test_equal_predictions_give_equal_pictures_and_other_ones_do_not(draw, tmp_path):
    draw(out="first")
    draw(out="again")
    draw(out="other", label_of=lambda case: case % 3 // 2)
    for name in ("curves", "confusion", "calibration"):
        first, again, other = ((tmp_path / out / f"{name}.png").read_bytes() for out in ("first", "again", "other"))
        assert first == again
        assert first != other


def test_a_chosen_threshold_is_told(draw):
    assert "best balanced accuracy on the fold that selects the model" in draw(threshold="selected")["confusion"]


@pytest.mark.parametrize("label", [0, 1])
def test_a_test_set_of_one_class_and_a_table_of_one_row_are_drawn(draw, label):
    captions = draw(rows=ROWS[:1], label_of=lambda case: label)
    assert "no paired difference" in captions["differences"]


def test_rows_of_other_cohorts_are_counted_apart_and_only_the_study_is_simulated(split):
    other = COHORT | {"study": "another"}
    words = describe_tests([COHORT, other, COHORT], [split[0], split[1], split[0]], is_simulated=True)
    assert words == (
        "a study (these subjects are simulated), test set of 12 scans of 6 subjects; "
        "another, test set of 5 scans of 3 subjects, by models of simulated subjects."
    )


def test_rows_with_splits_of_their_own_are_told(split):
    words = describe_tests([COHORT] * 2, list(split), is_simulated=False)
    assert words.startswith("a study, test set of 12 scans of 6 subjects. Counts are those of the first row")


def test_cohorts_that_call_the_positive_class_otherwise_are_named_too(split):
    cohorts = [COHORT, COHORT | {"study": "another", "positive": "Dementia"}, COHORT]
    folds = [split[0], split[1], split[0]]
    args = argparse.Namespace(cohorts=cohorts, folds=folds, simulated=False, threshold="0.5", table={"caption": "x"})
    captions = write_captions(args, pd.DataFrame({"fold": [0, 1], "seed": 0}), is_paired=True)
    assert "curves for AD or Dementia, by scan" in captions["curves"]
    assert "AD or Dementia from a probability" in captions["confusion"]
    assert "share of AD or Dementia scans" in captions["calibration"]


def test_what_cannot_be_scored_is_refused_in_one_sentence(draw):
    with pytest.raises(SystemExit, match="each from 0 to 1"):
        draw(label_of=lambda case: 2)
