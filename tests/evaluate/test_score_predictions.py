import json

import numpy as np
import pandas as pd
import pytest

from neurobar.evaluate.score_predictions import main
from neurobar.metrics.inference import draw_counts

COLUMNS = ["scan", "subject", "part", "label", "probability"]
REPLICATES = 200


@pytest.fixture
def score(tmp_path):
    """Return a function that scores the predictions of some folds, given as {(fold, seed): rows}."""

    def run(jobs, threshold="0.5", draws=0):
        paths = []
        for (fold, seed), rows in jobs.items():
            path = tmp_path / "finetune" / "bar" / f"fold-{fold}" / f"seed-{seed}" / "predictions.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows, columns=COLUMNS).to_csv(path, sep="\t", index=False)
            paths.append(str(path))
        outputs = {name: tmp_path / f"{name}.tsv" for name in ("scores", "summary")}
        words = [word for name, path in outputs.items() for word in (f"--{name}", str(path))]
        bootstrap = json.dumps({"replicates": REPLICATES, "seed": draws})
        main(["--predictions", *paths, "--threshold", threshold, "--bootstrap", bootstrap, *words])
        scores, summary = (pd.read_csv(path, sep="\t") for path in outputs.values())
        return scores.set_index("level"), summary.set_index(["level", "score"])

    return run


def random_rows(seed, subjects=12):
    """Return predictions for some subjects, of whom every third has two scans."""
    random, rows = np.random.default_rng(seed), []
    for number in range(subjects):
        for session in range(1 + (number % 3 == 0)):
            probability = random.beta(2, 3) if number % 2 else random.beta(3, 2)
            rows.append((f"{number}-{session}", f"s{number:02}", "test", 1 - number % 2, round(probability, 6)))
    return rows


def test_each_fold_is_scored_on_the_test_set_alone(score):
    good = [("a", "s1", "test", 1, 0.9), ("b", "s1", "test", 1, 0.5), ("c", "s2", "test", 0, 0.1)]
    wrong_elsewhere = [("d", "s3", "select", 1, 0.0)]
    other = [("a", "s1", "test", 1, 0.2), ("b", "s1", "test", 1, 0.8), ("c", "s2", "test", 0, 0.7)]
    scores, summary = score({(1, 0): good + wrong_elsewhere, (0, 0): other})
    by_scan = scores.loc["scan"]
    assert by_scan["fold"].tolist() == [0, 1]
    assert by_scan["subjects"].tolist() == [2, 2]
    assert by_scan["scans"].tolist() == [3, 3]
    assert by_scan["precision"].tolist() == [0.5, 1]
    assert by_scan["recall"].tolist() == [0.5, 1]
    assert by_scan["accuracy"].tolist() == pytest.approx([1 / 3, 1], abs=1e-6)
    assert summary.loc[("scan", "precision"), ["mean", "folds", "seeds"]].tolist() == [0.75, 2, 1]
    assert summary.loc[("scan", "precision"), "sd"] == pytest.approx(0.5 / 2**0.5, abs=1e-6)


def test_a_subject_is_scored_once_by_the_mean_of_its_scans(score):
    rows = [("a", "s1", "test", 1, 0.9), ("b", "s1", "test", 1, 0.3), ("c", "s2", "test", 0, 0.1)]
    scores, _ = score({(0, 0): rows})
    assert scores.loc["scan", "accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert scores.loc["subject", "accuracy"] == 1
    assert scores.loc["subject", ["subjects", "scans"]].tolist() == [2, 3]
    assert scores.loc["subject", "brier"] == pytest.approx((0.4**2 + 0.1**2) / 2)


def test_an_undefined_score_is_missing_not_zero(score, tmp_path):
    defined = [("a", "s1", "test", 1, 0.7), ("c", "s2", "test", 0, 0.1)]
    scores, summary = score({(0, 0): [("a", "s1", "test", 1, 0.2), ("c", "s2", "test", 0, 0.1)], (1, 0): defined})
    assert "n/a" in (tmp_path / "scores.tsv").read_text()
    assert scores.loc["scan", "precision"].isna().tolist() == [True, False]
    row = summary.loc[("scan", "precision")]
    assert row[["mean", "undefined", "undefined_replicates"]].tolist() == [1, 1, REPLICATES]
    assert row[["low", "high", "sd"]].isna().all()


def test_the_interval_draws_whole_subjects_the_same_for_all_folds_and_seeds(score):
    jobs = {(fold, seed): random_rows(10 * fold + seed) for fold in (0, 1) for seed in (0, 1, 2)}
    _, summary = score(jobs, draws=4)
    counts, accuracies = draw_counts(subjects=12, replicates=REPLICATES, seed=4), []
    for count in counts:
        of_jobs = []
        for rows in jobs.values():
            right = [(p >= 0.5) == label for _, subject, _, label, p in rows for _ in range(count[int(subject[1:])])]
            of_jobs.append(np.mean(right))
        accuracies.append(np.mean(of_jobs))
    expected = np.percentile(accuracies, [2.5, 97.5])
    assert summary.loc[("scan", "accuracy"), ["low", "high"]].tolist() == pytest.approx(expected, abs=1e-6)


def test_another_seed_draws_others_and_leaves_the_mean_alone(score):
    jobs = {(0, 0): random_rows(0)}
    (_, first), (_, again), (_, other) = (score(jobs, draws=draws) for draws in (1, 1, 2))
    assert first.equals(again)
    assert first["mean"].equals(other["mean"])
    assert (first["low"] != other["low"]).any()


def test_a_selected_threshold_depends_on_the_selection_fold_alone(score):
    select = [("e", "s5", "select", 1, 0.3), ("f", "s6", "select", 0, 0.1), ("g", "s7", "select", 0, 0.2)]
    test = [("a", "s1", "test", 1, 0.9), ("b", "s2", "test", 0, 0.26), ("c", "s3", "test", 0, 0.24)]
    scores, _ = score({(0, 0): select + test}, threshold="selected")
    assert scores["threshold"].tolist() == [0.25, 0.25]
    assert scores.loc["scan", "specificity"] == 0.5
    swapped = [(scan, subject, part, 1 - label, p) for scan, subject, part, label, p in test]
    assert score({(0, 0): select + swapped}, threshold="selected")[0]["threshold"].tolist() == [0.25, 0.25]


def test_a_selection_fold_of_one_class_is_refused_in_one_sentence(score):
    rows = [*random_rows(0), ("z", "s99", "select", 1, 0.4)]
    with pytest.raises(SystemExit, match=r"^A threshold cannot be chosen on cases of one class\.$"):
        score({(0, 0): rows}, threshold="selected")


def test_a_threshold_is_a_number_or_the_word(score, capsys):
    with pytest.raises(SystemExit):
        score({(0, 0): random_rows(0)}, threshold="best")
    assert "invalid parse_threshold value: 'best'" in capsys.readouterr().err
