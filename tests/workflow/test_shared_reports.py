"""What Snakemake itself puts into a report: rules, params, captions and what the study is called."""

import json
import re

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

SCANS = [f"ZQXsubject{number:02d}_ses-1" for number in range(8)]
WRITTEN = re.compile(r"^    output: (.+)$", re.MULTILINE)
TABLES = ["table_1", "table_2", "table_3", "table_4", "baselines"]
#: Pictures and pages that stand for those of each drawing.
FIGURES = ["one.png", "two.html"]


def settings_of(words, *, anonymise):
    """Return a study of baselines alone, in which what a person may write is `words`."""
    rows = [{"framework": words, "method": words, "task": "age_sex"}]
    table = {"caption": words, "note": words, "reference": "age_sex", "rows": rows}
    return {
        "study": words,
        "cohort": {
            "scans": "ZQXfolder/scans.tsv",
            "label": "group",
            "negative": "no",
            "positive": words,
        },
        "preprocess": {"exclude": [SCANS[0]], "keep": [SCANS[1]]},
        "explain": {"tasks": []},
        "report": {"anonymise": anonymise, "paper_figures": False},
        "tables": dict.fromkeys(TABLES, table),
    }


def fake_outputs(calls, words, settings):
    """Write something for every output of a study, so that Snakemake believes that all is done."""
    planned = calls.run("--dry-run", "--forceall", settings=settings)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    for name in [name for line in WRITTEN.findall(planned.stdout) for name in line.split(", ")]:
        folder = calls.folder / name
        if name.startswith("results/draw/") and not folder.suffix:
            for figure in FIGURES:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / figure).write_text("<p>A page.</p>")
            captions = "".join(f"{figure.split('.')[0]}\t{' '.join(words.split())}\n" for figure in FIGURES)
            folder.with_suffix(".tsv").write_text(f"figure\tcaption\n{captions}")
        elif not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.write_text("<p>A page.</p>")
    done = calls.run("--touch", "--forceall", settings=settings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def make_report(root, workflow_class, tmp_path_factory):
    """Return the function that makes the report of a study of which nothing was computed."""

    def make(words, *, anonymise):
        calls = workflow_class(root, tmp_path_factory.mktemp("report"))
        settings = settings_of(words, anonymise=anonymise)
        table = pd.DataFrame({"scan": SCANS, "subject": SCANS, "path": [f"{scan}.nii.gz" for scan in SCANS]})
        table["group"] = ["no", settings["cohort"]["positive"]] * 4
        (calls.folder / "ZQXfolder").mkdir()
        for scan in SCANS:
            (calls.folder / "ZQXfolder" / f"{scan}.nii.gz").write_text("An image.")
        table.assign(age=70, sex="F").to_csv(calls.folder / "ZQXfolder" / "scans.tsv", sep="\t", index=False)
        fake_outputs(calls, words, settings)
        done = calls.run("--report", "report.html", settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return (calls.folder / "report.html").read_text(encoding="utf-8")

    return make


def told(report, name):
    """Return what a script of the report says of itself."""
    said = re.search(rf'<script id="{name}">\s*var \w+ = (.*?);?\s*</script>', report, re.DOTALL)[1]
    return json.loads(said)


@pytest.fixture(scope="module")
def hostile_report(make_report, hostile):
    """Return the report of an anonymised study in which people wrote markup wherever they could."""
    # A config takes no end of a line.
    return make_report(" ".join(hostile.split()), anonymise=True)


def test_rules_and_params_name_nobody_where_the_report_is_anonymised(hostile_report):
    assert {"draw_checks", "judge_scans", "pack_volumes", "register_scan"} <= told(hostile_report, "rules").keys()
    assert "ZQX" not in hostile_report


def test_names_would_be_found_where_the_report_is_not_anonymised(make_report):
    report = make_report("a study", anonymise=False)
    assert all(name in report for name in ("ZQXfolder/scans.tsv", *SCANS[:2]))
    # What is shown of a rule does not hang on a setting.
    assert "ZQX" not in json.dumps(told(report, "rules"))


def test_no_word_of_a_study_becomes_a_script_of_the_report(hostile_report, read_markup):
    page = read_markup(hostile_report)
    assert [pair for pair in page.harms if pair[0] == "img"] == []
    assert not any(script.strip().startswith("alert(") for script in page.scripts)
    assert sum("alert(1)" in script for script in page.scripts) == 2  # the description, and params and captions


def test_captions_and_the_description_say_words_as_they_are(hostile_report, hostile, read_markup):
    results = told(hostile_report, "results")
    captions = [result["caption"] for path, result in results.items() if path.startswith("results/draw/")]
    assert len(captions) >= 2 * 4
    for html in [*captions, told(hostile_report, "workflow-desc")]:
        page = read_markup(html)
        assert page.harms == []
        assert page.scripts == []
        assert " ".join(hostile.split()) in page.text
        assert "system-message" not in html


def test_params_are_what_jobs_are_told(hostile_report, hostile):
    params = told(hostile_report, "results")["results/report/table_1.html"]["job_properties"]["params"]
    assert "\\u003cscript" in params
    assert "<script" not in params
