import numpy as np
import pandas as pd
import pytest

from neurobar.draw.cohort_groups import describe_subjects, parts_of, read_sheet, readable_groups, tabulate_groups


@pytest.fixture
def scans():
    """Return seven scans of five subjects, one of whom has three; of one nothing is known."""
    return pd.DataFrame(
        {
            "scan": list("abcdefg"),
            "subject": ["u", "u", "u", "v", "w", "x", "y"],
            "label": [1, 1, 1, 0, 0, 1, 0],
            "age": [70.0, 71, 72, 60, 80, 64, np.nan],
            "sex": ["F", "F", "F", "male", " Female", "M", None],
            "site": ["n", "n", "n", "n", "s", None, None],
            "part": ["test", "test", "test", "test", "0", "1", "1"],
        }
    )


def test_subjects_with_many_scans_count_once(scans):
    subjects = describe_subjects(scans)
    assert subjects.loc["u", ["label", "age", "female", "site"]].tolist() == [1, 71, 1, "n"]
    assert subjects["female"].tolist()[:4] == [1, 0, 1, 0]
    assert np.isnan(subjects.loc["y", "female"])


def test_parts_are_all_test_development_and_folds(scans):
    sizes = {part: int(inside.sum()) for part, inside in parts_of(scans).items()}
    assert sizes == {"all": 7, "test": 4, "development": 3, "fold 0": 1, "fold 1": 2}


def test_folds_are_in_the_order_of_their_numbers(scans):
    scans = scans.assign(part=["test", "10", "2", "1", "0", "9", "11"])
    assert list(parts_of(scans))[3:] == ["fold 0", "fold 1", "fold 2", "fold 9", "fold 10", "fold 11"]


def test_groups_are_counted_and_described(scans):
    groups = tabulate_groups(scans, ("CN", "AD")).set_index(["part", "class"])
    assert groups.loc[("all", "all"), ["scans", "subjects", "age_unknown", "sex_unknown"]].tolist() == [7, 5, 1, 1]
    assert groups.loc[("all", "all"), "age_mean_years"] == np.mean([71, 60, 80, 64])
    assert groups.loc[("all", "all"), "age_sd_years"] == pytest.approx(np.std([71, 60, 80, 64], ddof=1))
    assert groups.loc[("all", "all"), ["female", "female_percent"]].tolist() == [2, 50]
    assert groups.loc[("all", "all"), "sites"] == "n (2); unknown (2); s (1)"
    assert groups.loc[("test", "AD"), ["scans", "subjects"]].tolist() == [3, 1]


def test_classes_and_folds_add_up(scans):
    groups = tabulate_groups(scans, ("CN", "AD")).set_index(["part", "class"])["scans"].unstack()
    assert (groups["CN"] + groups["AD"] == groups["all"]).all()
    assert (groups.loc["fold 0"] + groups.loc["fold 1"] == groups.loc["development"]).all()


def test_an_empty_group_has_no_age(scans):
    cells = readable_groups(tabulate_groups(scans, ("CN", "AD")), sites=True).set_index(["Part", "Class"])
    assert cells.loc[("fold 0", "AD")].tolist() == ["0", "0", "–", "–", "–"]


def test_cells_say_what_is_unknown(scans):
    cells = readable_groups(tabulate_groups(scans, ("CN", "AD")), sites=False).set_index(["Part", "Class"])
    assert cells.loc[("fold 1", "all"), "Age [years]"] == "64.0, 1\N{NO-BREAK SPACE}unknown"
    assert cells.loc[("all", "all"), "Female"] == "2 (50 %), 1\N{NO-BREAK SPACE}unknown"
    assert cells.loc[("test", "all"), "Age [years]"] == "65.5 ± 7.8"
    assert "Sites (subjects)" not in cells


def test_a_cell_names_the_largest_sites_only(scans):
    many = scans.assign(subject=list("abcdefg"), site=["n", "n", "p", "q", "r", "s", "t"])
    cells = readable_groups(tabulate_groups(many, ("CN", "AD")), sites=True)
    assert cells["Sites (subjects)"][0] == "n (2); p (1); q (1); r (1) and 2 more"


@pytest.mark.parametrize(("name", "separator"), [("scans.tsv", "\t"), ("scans.csv", ",")])
def test_a_sheet_keeps_ignored_scans_and_may_lack_a_site(tmp_path, name, separator):
    table = pd.DataFrame({"scan": ["01", "02"], "subject": ["1", "2"], "diagnosis": ["MCI", None]})
    table.to_csv(tmp_path / name, sep=separator, index=False, na_rep="n/a")
    listed = read_sheet(tmp_path / name, {"label": "diagnosis"})
    assert listed["scan"].tolist() == ["01", "02"]
    assert listed["told"].tolist() == ["MCI", "n/a"]
    assert listed["site"].isna().all()
