import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from neurobar.evaluate.compare_tasks import correct_for_many, main, pairs_of
from neurobar.metrics.inference import draw_counts

COLUMNS = ["scan", "subject", "part", "label", "probability"]
FOLDS, SUBJECTS, REPLICATES = 3, 14, 150


def predictions(quality, seed, prefix="s"):
    """Return predictions for some subjects, of whom every third has two scans; quality 1 is perfect, 0 is chance."""
    random, rows = np.random.default_rng(seed), []
    for number in range(SUBJECTS):
        for session in range(1 + (number % 3 == 0)):
            label = number % 2
            probability = quality * (0.3 + 0.4 * label) + (1 - quality) * random.random()
            rows.append(
                (f"{prefix}{number:02}-{session}", f"{prefix}{number:02}", "test", label, round(probability, 6))
            )
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture
def compare(tmp_path):
    """Return a function that compares tasks, given as {task: function from (fold, seed) to its predictions}."""

    def run(tasks, reference=None, scores=("accuracy", "roc_auc"), seeds=(0,), external=False):
        paths = []
        for task, predict in tasks.items():
            for fold, seed in ((fold, seed) for fold in range(FOLDS) for seed in seeds):
                path = tmp_path / "finetune" / task / f"fold-{fold}" / f"seed-{seed}" / "predictions.tsv"
                path.parent.mkdir(parents=True, exist_ok=True)
                predict(fold, seed).to_csv(path, sep="\t", index=False)
                paths.append(str(path))
        tested = predictions(0, 0)[["scan", "subject"]].assign(part="test")
        rest = pd.DataFrame({"scan": [f"r{n}" for n in range(24)], "subject": [f"r{n // 2}" for n in range(24)]})
        rest["part"] = [str(n // 2 % FOLDS) for n in range(24)]
        pd.concat([tested, rest]).to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
        tested.to_csv(tmp_path / "external.tsv", sep="\t", index=False)
        own = pd.DataFrame({"scan": ["o"] * 5, "subject": ["o"] * 5, "part": "test"})
        pd.concat([own, rest]).to_csv(tmp_path / "trained.tsv", sep="\t", index=False)
        words = {"threshold": 0.5, "differences": tmp_path / "differences.tsv"}
        words["bootstrap"] = json.dumps({"replicates": REPLICATES, "seed": 3})
        words = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        against = ["--reference", *([reference] if reference else [])]
        for option, name in (("folds", "external"), ("trained", "trained")):
            against += [f"--{option}", *[str(tmp_path / f"{name if external else 'folds'}.tsv")] * len(tasks)]
        main(["--predictions", *paths, *against, "--scores", *scores, *words])
        return pd.read_csv(tmp_path / "differences.tsv", sep="\t").set_index(["level", "score", "task"])

    return run


def good(fold, seed):
    return predictions(0.8, 100 + 10 * fold + seed)


def bad(fold, seed):
    return predictions(0.1, 200 + 10 * fold + seed)


def elsewhere(fold, seed):
    return predictions(0.8, 300 + fold, prefix="t")


def test_a_difference_and_its_interval_equal_plain_loops_over_the_same_draws(compare):
    row = compare({"bad": bad, "good": good}, "bad").loc[("scan", "roc_auc", "good")]

    def auc(table, count):
        return roc_auc_score(
            table["label"], table["probability"], sample_weight=count[table["subject"].str[1:].astype(int)]
        )

    def difference(count):
        return np.mean([auc(good(fold, 0), count) - auc(bad(fold, 0), count) for fold in range(FOLDS)])

    drawn = [difference(count) for count in draw_counts(subjects=SUBJECTS, replicates=REPLICATES, seed=3)]
    assert row["difference"] == pytest.approx(difference(np.ones(SUBJECTS)), abs=1e-6)
    assert row[["low", "high"]].tolist() == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=1e-6)
    share = min(np.mean(np.array(drawn) <= 0), np.mean(np.array(drawn) >= 0))
    assert row["p_bootstrap"] == pytest.approx(2 * (1 + share * REPLICATES) / (1 + REPLICATES), abs=1e-6)


@pytest.mark.parametrize("external", [False, True], ids=["own", "external"])
@pytest.mark.parametrize(("level", "ratio"), [("scan", 19 / 16), ("subject", 14 / 8)])
def test_the_t_test_is_over_folds_and_knows_the_sizes_of_the_sets(compare, level, ratio, external):
    table = compare({"bad": bad, "good": good}, "bad", seeds=(0, 1), external=external)
    row = table.loc[(level, "roc_auc", "good")]

    def auc(table):
        cases = table.groupby("subject").mean(numeric_only=True) if level == "subject" else table
        return roc_auc_score(cases["label"], cases["probability"])

    by_fold = [np.mean([auc(good(fold, seed)) - auc(bad(fold, seed)) for seed in (0, 1)]) for fold in range(FOLDS)]
    t = np.mean(by_fold) / np.sqrt((1 / FOLDS + ratio) * np.var(by_fold, ddof=1))
    assert row["t"] == pytest.approx(t, abs=1e-6)
    assert row["p_ttest"] == pytest.approx(2 * stats.t.sf(abs(t), FOLDS - 1), abs=1e-6)


def test_equal_tasks_do_not_differ(compare):
    table = compare({"one": good, "two": good})
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    assert (table["p_bootstrap_holm"] == 1).all()
    assert table["p_ttest"].isna().all()


def test_exchanging_the_two_exchanges_the_sign(compare):
    one = compare({"bad": bad, "good": good}, "bad").loc[("scan", "accuracy", "good")]
    other = compare({"bad": bad, "good": good}, "good").loc[("scan", "accuracy", "bad")]
    assert one[["difference", "low", "high", "t"]].tolist() == (-other[["difference", "high", "low", "t"]]).tolist()
    assert one["p_bootstrap"] == other["p_bootstrap"]


def test_a_pair_that_was_tested_on_other_scans_is_left_out_and_named(compare, capsys):
    table = compare({"bad": bad, "elsewhere": elsewhere, "good": good}, "bad", scores=["accuracy"])
    assert "elsewhere and bad were tested on different scans or labels" in capsys.readouterr().out
    assert table["paired"].tolist() == [False, True, False, True]
    assert table.xs("elsewhere", level="task").drop(columns=["reference", "paired"]).isna().all(axis=None)
    # One pair is left, so nothing is to be corrected for.
    assert (
        table.loc[("scan", "accuracy", "good"), "p_bootstrap_holm"]
        == table.loc[("scan", "accuracy", "good"), "p_bootstrap"]
    )


def test_a_pair_with_other_labels_of_the_same_scans_is_left_out(compare):
    def relabelled(fold, seed):
        table = good(fold, seed)
        return table.assign(label=1 - table["label"])

    assert not compare({"good": good, "relabelled": relabelled})["paired"].any()


def test_a_fold_without_a_value_is_counted_and_left_out_of_the_mean(compare):
    def never_positive(fold, seed):
        table = bad(fold, seed)
        return table.assign(probability=table["probability"] * (0.4 if fold == 1 else 1))

    row = compare({"good": good, "never": never_positive}, "good", scores=["precision"]).loc[
        ("scan", "precision", "never")
    ]
    assert row[["undefined", "undefined_replicates"]].tolist() == [1, REPLICATES]
    assert row[["low", "high", "p_bootstrap", "p_bootstrap_holm"]].isna().all()
    assert not np.isnan(row["difference"])


def test_without_a_reference_all_pairs_are_compared():
    assert pairs_of(["a", "b", "c"], None) == [("b", "a"), ("c", "a"), ("c", "b")]
    assert pairs_of(["a", "b", "c"], "b") == [("a", "b"), ("c", "b")]


def test_a_table_of_one_task_has_no_differences(compare):
    assert compare({"good": good}, "good").empty


def test_a_reference_outside_the_table_is_refused_in_one_sentence(compare):
    with pytest.raises(SystemExit, match=r"^The reference 'best' is no task of the table \(good\)\.$"):
        compare({"good": good}, "best")


def test_holm_by_hand_within_each_level_and_score_without_undefined_p_values():
    table = pd.DataFrame({"level": "scan", "score": ["a"] * 4 + ["b"], "p_bootstrap": [0.01, np.nan, 0.04, 0.03, 0.02]})
    corrected = correct_for_many(table.assign(p_ttest=np.nan))
    assert corrected["p_bootstrap_holm"].tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06, 0.02], nan_ok=True)
    assert corrected["p_ttest_holm"].isna().all()
