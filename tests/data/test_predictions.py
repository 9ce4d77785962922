import pandas as pd
import pytest

from neurobar.data.predictions import average_subjects, place_of, predictions_by_level, read_predictions

COLUMNS = ["scan", "subject", "part", "label", "probability"]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the predictions of one job."""

    def write_job(task, fold, seed, rows):
        path = tmp_path / "results" / "finetune" / task / f"fold-{fold}" / f"seed-{seed}" / "predictions.tsv"
        path.parent.mkdir(parents=True)
        pd.DataFrame(rows, columns=COLUMNS).to_csv(path, sep="\t", index=False)
        return str(path)

    return write_job


def test_the_path_tells_task_fold_and_seed():
    assert place_of("results/regress/age_sex/fold-12/seed-3/predictions.tsv") == ("age_sex", 12, 3)
    with pytest.raises(ValueError, match=r"predictions lie in \{task\}/fold-\{fold\}/seed-\{seed\}/\.$"):
        place_of("results/regress/predictions.tsv")


def test_tables_are_read_in_one_order_and_names_stay_words(write):
    paths = [
        write("two", 0, 0, [("2", "007", "test", 1, 0.5), ("1", "007", "test", 1, 0.4)]),
        write("one", 1, 0, [("1", "007", "test", 1, 0.3)]),
        write("one", 0, 1, [("1", "007", "select", 1, 0.2)]),
    ]
    table = read_predictions(paths)
    assert table["task"].tolist() == ["one", "one", "two", "two"]
    assert table["probability"].tolist() == [0.3, 0.2, 0.4, 0.5]
    assert table["subject"].tolist() == ["007"] * 4


def test_a_subject_has_the_mean_probability_and_the_label_of_most_of_its_scans(write):
    path = write(
        "one",
        0,
        0,
        [
            ("a", "odd", "test", 0, 0.1),
            ("b", "odd", "test", 0, 0.2),
            ("c", "odd", "test", 1, 0.3),
            ("d", "even", "test", 0, 0.2),
            ("e", "even", "test", 1, 0.7),
            ("f", "odd", "select", 1, 0.9),
        ],
    )
    subjects = average_subjects(read_predictions([path])).set_index(["part", "subject"])
    assert subjects.loc[("test", "odd"), ["label", "probability", "scans"]].tolist() == [0, 0.2, 3]
    assert subjects.loc[("test", "even"), ["label", "probability", "scans"]].tolist() == [1, 0.45, 2]
    assert subjects.loc[("select", "odd"), ["label", "probability", "scans"]].tolist() == [1, 0.9, 1]


def test_folds_seeds_and_tasks_are_averaged_apart_and_no_scan_is_lost(write):
    paths = [
        write(task, fold, seed, [("a", "s", "test", 1, 0.25), ("b", "s", "test", 1, 0.5)])
        for task in ("one", "two")
        for fold in (0, 1)
        for seed in (0, 1, 2)
    ]
    levels = predictions_by_level(read_predictions(paths))
    assert {name: len(table) for name, table in levels.items()} == {"scan": 24, "subject": 12}
    assert {table["scans"].sum() for table in levels.values()} == {24}
