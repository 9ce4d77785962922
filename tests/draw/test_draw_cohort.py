import json

import pandas as pd
import pytest

from neurobar.draw.draw_cohort import describe_overlap, is_permuted, main

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "ignored": ["MCI"]}
COHORT |= {"study": "a study", "simulated": True}


@pytest.fixture
def tables():
    """Return a sheet, the table of the packed cohort and a split of twelve subjects in four parts."""
    told = ["CN", "AD"] * 6
    subjects = [f"sub-{i}" for i in range(12)]
    sheet = pd.DataFrame({"scan": [f"{name}_1" for name in subjects], "subject": subjects, "path": "x.nii.gz"})
    sheet = sheet.assign(
        diagnosis=told, age=[60.0 + i for i in range(12)], sex=["F", "F", "M"] * 4, site=["n", "s"] * 6
    )
    sheet.loc[12] = ["sub-12_1", "sub-12", "x.nii.gz", "MCI", 60, "F", "n"]
    packed = pd.DataFrame({"scan": sheet["scan"][:12], "used": True, "reason": None})
    packed.loc[11, ["used", "reason"]] = [False, "overlap is 0.2, below 0.88."]
    folds = sheet[:11].assign(label=[0, 1] * 5 + [0], part=["test", "test", "test", *["0", "1", "2"] * 2, "0", "1"])
    return sheet, packed, folds[["scan", "subject", "label", "age", "sex", "part"]]


@pytest.fixture
def draw(tables, tmp_path):
    """Return the command; it returns the captions."""

    def call(sheet=None, folds=None, **changes):
        given = {"sheet": tables[0] if sheet is None else sheet, "table": tables[1]}
        given["folds"] = tables[2] if folds is None else folds
        words = {"cohort": json.dumps(COHORT | changes)}
        for name, table in given.items():
            words[name] = str(tmp_path / f"{name}.tsv")
            table.to_csv(words[name], sep="\t", index=False, na_rep="" if name == "table" else "n/a")
        words |= {"figures": str(tmp_path / "cohort"), "captions": str(tmp_path / "cohort.tsv")}
        main([word for name, each in words.items() for word in (f"--{name}", each)])
        return pd.read_csv(tmp_path / "cohort.tsv", sep="\t", index_col="figure", quoting=3)["caption"]

    return call


def test_captions_name_the_cohort_and_count(draw, tmp_path):
    captions = draw()
    assert list(captions.index) == ["flow", "balance", "groups"]
    assert captions.str.startswith("A study (these subjects are simulated)").all()
    assert "13 scans of 13 subjects in the sheet" in captions["flow"]
    assert "3 folds, in which 11 scans of 11 subjects take part" in captions["flow"]
    assert "11 scans of 11 subjects" in captions["balance"]
    names = sorted(path.name for path in (tmp_path / "cohort").iterdir())
    assert names == ["balance.pdf", "balance.png", "flow.pdf", "flow.png", "groups.csv", "groups.html"]


def test_the_table_holds_every_part_and_class(draw, tmp_path):
    draw()
    groups = pd.read_csv(tmp_path / "cohort" / "groups.csv").set_index(["part", "class"])
    assert len(groups) == 18
    assert groups.loc[("all", "all"), ["scans", "subjects", "age_mean_years"]].tolist() == [11, 11, 65]
    assert groups.loc[("test", "CN"), "sites"] == "n (2)"


def test_the_page_names_tests_and_says_what_p_means(draw, tmp_path):
    draw()
    page = (tmp_path / "cohort" / "groups.html").read_text()
    for words in ("Mann-Whitney", "Fisher, exact", "on subjects, not on scans", "A small p says", "chosen among many"):
        assert words in page
    assert "<td>test set against development</td>" in page
    assert "Sites (subjects)" in page
    assert "nothing to compare" not in page


def test_a_sheet_without_age_sex_and_site_is_drawn(draw, tables, tmp_path):
    sheet = tables[0].drop(columns=["age", "sex", "site"])
    draw(sheet, tables[2].assign(age=None, sex=None))
    page = (tmp_path / "cohort" / "groups.html").read_text()
    assert "Sites (subjects)" not in page
    assert "Beside the class there is nothing to compare" in page
    assert "<td>Mann-Whitney" not in page
    groups = pd.read_csv(tmp_path / "cohort" / "groups.csv")
    assert groups["age_unknown"].tolist() == groups["subjects"].tolist()


def test_a_fold_without_a_class_is_drawn(draw, tables, tmp_path):
    folds = tables[2]
    draw(folds=folds[~((folds["part"] == "2") & (folds["label"] == 1))])
    groups = pd.read_csv(tmp_path / "cohort" / "groups.csv").set_index(["part", "class"])
    assert groups.loc[("fold 2", "AD"), "scans"] == 0


def test_names_from_the_sheet_are_escaped(draw, tables, tmp_path):
    draw(tables[0].assign(site=["<b>", "<i>", *["n"] * 11]))
    page = (tmp_path / "cohort" / "groups.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_permuted_labels_are_told(draw, tables):
    listed = tables[0].assign(told=tables[0]["diagnosis"])
    assert not is_permuted(listed, tables[2], COHORT)
    permuted = tables[2].assign(label=1 - tables[2]["label"])
    assert is_permuted(listed, permuted, COHORT)
    assert draw(folds=permuted).str.contains("permuted among the subjects on purpose").all()


def test_a_subject_in_two_parts_is_told(tables):
    folds = tables[2]
    assert describe_overlap(folds) == ""
    torn = folds.assign(subject=["a", "a", "b", "b", *folds["subject"][4:]])
    assert (
        describe_overlap(torn) == "Subjects that are counted more than once: 1 in several parts, 2 in several classes."
    )
    assert describe_overlap(torn.assign(label=0)) == "Subjects that are counted more than once: 1 in several parts."


def test_a_real_cohort_is_not_called_simulated(draw):
    assert not draw(simulated=False).str.contains("simulated").any()


def test_equal_inputs_give_equal_bytes(draw, tmp_path):
    draw()
    first = {path.name: path.read_bytes() for path in (tmp_path / "cohort").iterdir()}
    draw()
    assert {path.name: path.read_bytes() for path in (tmp_path / "cohort").iterdir()} == first


def test_words_of_the_sheet_and_the_config_are_words_on_the_page(draw, tables, tmp_path, read_page, hostile):
    words = hostile.split("\n")[0]  # a sheet has one line for each scan
    sheet = tables[0].assign(diagnosis=tables[0]["diagnosis"].replace({"AD": words}), site=words, sex=words)
    folds = tables[2].assign(sex=words)
    captions = draw(sheet, folds, positive=words, label="diagnosis", study=hostile)
    page = read_page(tmp_path / "cohort" / "groups.html")
    assert page.text.count(words) > 18  # as class of many groups, and as site of most
    assert captions.str.contains(" ".join(hostile.split())[5:], regex=False).all()
