import pandas as pd
import pytest

from neurobar.explain import score_explanation

REGIONS = [f"region-{number:02d}" for number in range(20)]
LOST = {region: 0.5 - 0.02 * number for number, region in enumerate(REGIONS)}
TRUTH = pd.DataFrame(
    {
        "region": REGIONS[::-1],
        "planned": [0.3 if LOST[region] > 0.45 else 0.06 for region in REGIONS[::-1]],
        "measured": [LOST[region] for region in REGIONS[::-1]],
    }
)
BACKWARDS = {region: -lost for region, lost in LOST.items()}


def score(paths, folder, truth=TRUTH):
    truth.to_csv(folder / "losses.tsv", sep="\t", index=False)
    read = ["--explanations", *paths, "--losses", str(folder / "losses.tsv")]
    read += ["--bootstrap", '{"replicates": 200, "seed": 0}']
    score_explanation.main([*read, "--scores", str(folder / "scores.tsv")])
    return pd.read_csv(folder / "scores.tsv", sep="\t").set_index(["measure", "score"])


@pytest.mark.parametrize(("values", "precision", "correlation"), [(LOST, 0.3, 1), (BACKWARDS, 0, -1)])
def test_an_explanation_scores_best_by_the_truth_and_worst_backwards(write, tmp_path, values, precision, correlation):
    scores = score([write(tmp_path, [("s1", "a", 1, values), ("s2", "b", 0, BACKWARDS)])], tmp_path)
    for measure in ("change", "integrated_gradient"):
        found = scores.loc[measure]
        assert found["value"].to_dict() == pytest.approx(
            {"precision_at_10": precision, "rank_correlation": correlation}
        )
        assert found["low"].tolist() == found["high"].tolist() == found["value"].tolist()
    assert scores["chance"].tolist() == [0.15, 0, 0.15, 0]  # three of twenty regions lost more than the others
    assert scores["best"].tolist() == [0.3, 1, 0.3, 1]
    assert scores["scans"].tolist() == [1, 1, 1, 1]


def test_the_interval_tells_how_far_subjects_disagree(write, tmp_path):
    rows = [("s1", "a", 1, LOST), ("s2", "b", 1, BACKWARDS), ("s3", "c", 1, LOST)]
    found = score([write(tmp_path, rows)], tmp_path).loc[("change", "rank_correlation")]
    assert found["value"] == pytest.approx(1)
    assert found["low"] == pytest.approx(-1)
    assert found["high"] == pytest.approx(1)


def test_a_cohort_without_positive_scans_is_refused(write, tmp_path):
    with pytest.raises(SystemExit, match="No test scan is of class 1"):
        score([write(tmp_path, [("s1", "a", 0, LOST)])], tmp_path)


def test_a_truth_of_other_regions_is_refused(write, tmp_path):
    with pytest.raises(SystemExit, match="knows no region 'region-07'"):
        score([write(tmp_path, [("s1", "a", 1, LOST)])], tmp_path, TRUTH[TRUTH["region"] != "region-07"])
