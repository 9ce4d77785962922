import pandas as pd
import pytest

from neurobar.evaluate.score_predictions import main


def write(folder, fold, seed, rows):
    path = folder / "finetune" / "bar" / f"fold-{fold}" / f"seed-{seed}" / "predictions.tsv"
    path.parent.mkdir(parents=True)
    columns = ["scan", "subject", "part", "label", "probability"]
    pd.DataFrame(rows, columns=columns).to_csv(path, sep="\t", index=False)
    return str(path)


def test_each_fold_is_scored_on_the_test_set_alone(tmp_path):
    good = [("a", "s1", "test", 1, 0.9), ("b", "s1", "test", 1, 0.5), ("c", "s2", "test", 0, 0.1)]
    wrong_elsewhere = [("d", "s3", "select", 1, 0.0)]
    paths = [
        write(tmp_path, 1, 0, good + wrong_elsewhere),
        write(tmp_path, 0, 0, [("a", "s1", "test", 1, 0.2), ("b", "s1", "test", 1, 0.8), ("c", "s2", "test", 0, 0.7)]),
    ]
    main(["--predictions", *paths, "--threshold", "0.5", "--scores", str(tmp_path / "scores.tsv")])
    scores = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert scores["fold"].tolist() == [0, 1]
    assert scores["subjects"].tolist() == [2, 2]
    assert scores["scans"].tolist() == [3, 3]
    assert scores["precision"].tolist() == [0.5, 1]
    assert scores["recall"].tolist() == [0.5, 1]
    assert scores["accuracy"].tolist() == pytest.approx([1 / 3, 1], abs=1e-6)


def test_an_undefined_score_is_missing_not_zero(tmp_path):
    path = write(tmp_path, 0, 0, [("a", "s1", "test", 1, 0.2), ("c", "s2", "test", 0, 0.1)])
    main(["--predictions", path, "--threshold", "0.5", "--scores", str(tmp_path / "scores.tsv")])
    assert "n/a" in (tmp_path / "scores.tsv").read_text()
    assert pd.read_csv(tmp_path / "scores.tsv", sep="\t")["precision"].isna().all()
