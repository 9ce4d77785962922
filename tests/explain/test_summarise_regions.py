import numpy as np
import pandas as pd
import pytest

from neurobar.explain import summarise_regions
from neurobar.explain.region_means import read_explanations, resample_means

BOOTSTRAP = '{"replicates": 200, "seed": 0}'


def summarise(paths, folder):
    words = ["--explanations", *paths, "--bootstrap", BOOTSTRAP, "--regions", str(folder / "regions.tsv")]
    summarise_regions.main(words)
    return pd.read_csv(folder / "regions.tsv", sep="\t")


def test_regions_are_ranked_by_their_mean_over_scans_of_class_1_and_over_all(write, tmp_path):
    rows = [
        ("s1", "a", 1, {"left": 0.1, "right": 0.3}),
        ("s2", "b", 1, {"left": 0.2, "right": 0.5}),
        ("s3", "c", 0, {"left": 0.9, "right": 0.1}),
    ]
    table = summarise([write(tmp_path, rows)], tmp_path).set_index(["group", "region"])
    assert table.index.tolist() == [("positive", "right"), ("positive", "left"), ("all", "left"), ("all", "right")]
    assert table["change"].tolist() == pytest.approx([0.4, 0.15, 0.4, 0.3])
    assert table["integrated_gradient"].tolist() == pytest.approx([4, 1.5, 4, 3])
    assert table["change_rank"].tolist() == table["integrated_gradient_rank"].tolist() == [1, 2, 1, 2]
    assert table["scans"].tolist() == [2, 2, 3, 3]
    assert table.loc[("positive", "right"), ["change_low", "change_high"]].tolist() == pytest.approx([0.3, 0.5])


def test_a_cohort_without_positive_scans_has_no_positive_group(write, tmp_path):
    table = summarise([write(tmp_path, [("s1", "a", 0, {"left": 0.1})])], tmp_path)
    assert table["group"].tolist() == ["all"]


def test_models_are_averaged_before_scans(write, tmp_path):
    both = [("s1", "a", 1, {"left": 1.0}), ("s2", "b", 1, {"left": 0.0})]
    paths = [write(tmp_path, both), write(tmp_path, [("s1", "a", 1, {"left": 3.0})], fold=1)]
    scans = read_explanations(paths).set_index("scan")["change"]
    assert scans.to_dict() == {"a": 2.0, "b": 0.0}


def test_the_scans_of_a_subject_are_drawn_together(write, tmp_path):
    rows = [("s1", "a", 1, {"x": 1.0}), ("s1", "b", 1, {"x": 1.0}), ("s2", "c", 1, {"x": 4.0})]
    means = resample_means(read_explanations([write(tmp_path, rows)]), "change", replicates=100, seed=0)
    assert means["x"][0] == 2.0
    # Either subject twice, or both with three scans; a draw of scans would also give 3 or 2.5.
    assert set(np.round(means["x"], 9)) == {1.0, 2.0, 4.0}


def test_regions_keep_the_order_of_the_atlas(write, tmp_path):
    rows = [("s1", "a", 1, {"x": 1.0, "b": 2.0, "m": 3.0})]
    means = resample_means(read_explanations([write(tmp_path, rows)]), "change", replicates=3, seed=0)
    assert means.columns.tolist() == ["x", "b", "m"]
    assert means.to_numpy().tolist() == [[1.0, 2.0, 3.0]] * 4
