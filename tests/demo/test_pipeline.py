"""The whole pipeline on a few simulated heads, once."""

import base64
import contextlib
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
import zlib

import numpy as np
import pandas as pd
import pytest
import yaml

from neurobar.simulate.list_simulated_scans import planned_scans

pytestmark = pytest.mark.slow

TINY = {
    "simulate": {"subjects": 8, "two_session_share": 0.3},
    "split": {"folds": 2, "candidates": 10},
    "training": {"voxel_mm": 6},
    "encoder": {"patch": 8, "width": 16, "layers": 1, "heads": 2},
    "pretrain": {
        "epochs": 1,
        "inner_cuts": {"count": 2, "size": 2},
        "outer_cuts": {"count": 2, "size": 5},
        "shuffle": {"count": 2, "size": 2},
    },
    "finetune": {"epochs": 1},
}
RUNS, TASKS, BASELINES, FOLDS = 11, 14, 2, 2


@pytest.fixture(scope="module")
def demo(root, workflow_class, tmp_path_factory):
    """Run the pipeline."""
    calls = workflow_class(root, tmp_path_factory.mktemp("demo"))
    done = calls.run(settings=TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    return calls


def changed(**blocks):
    """Return the tiny study with changes to some of its blocks."""
    return TINY | {name: TINY.get(name, {}) | block for name, block in blocks.items()}


def test_the_table_has_eight_rows_beside_the_papers(demo):
    table = pd.read_csv(demo.folder / "results" / "report" / "table_1.csv")
    assert table["method"].tolist() == [
        "ViT from scratch",
        "Contrastive",
        "Recon",
        "Contrastive + Recon",
        "CutMix",
        "CutMix + Recon",
        "BAR",
        "BAR + Recon",
    ]
    assert table["accuracy_paper_mean"].tolist() == [80.83, 80.1, 82.69, 83.4, 85.29, 86.4, 86.3, 87.22]
    assert table["accuracy_mean"].between(0, 100).all()
    assert (table["folds"] == 2).all()
    text = (demo.folder / "results" / "report" / "table_1.md").read_text()
    assert "simulated" in text


def test_every_table_has_intervals_and_paired_differences(demo):
    report = demo.folder / "results" / "report"
    assert {path.stem for path in report.glob("*.md")} == {"table_1", "table_2", "table_3", "table_4", "baselines"}
    for path in report.glob("*.md"):
        table = pd.read_csv(path.with_suffix(".csv"))
        assert (table["accuracy_low"] <= table["accuracy_mean"] + 1e-6).all()
        assert (table["accuracy_mean"] <= table["accuracy_high"] + 1e-6).all()
        differences = pd.read_csv(path.with_suffix(".differences.csv"))
        assert {"low", "high", "p_bootstrap_holm", "p_ttest_holm"} <= set(differences)
        assert len(differences) == 2 * 3 * (len(table) - 1)  # levels, scores, rows beside the reference
        assert "95 %" in path.read_text()


def test_every_region_is_explained_and_the_explanation_is_scored(demo):
    folder = demo.folder / "results" / "explain" / "bar_recon"
    assert len(pd.read_csv(folder / "regions.tsv", sep="\t")["region"].unique()) == 64
    scores = pd.read_csv(folder / "scores.tsv", sep="\t")
    precision = scores[scores["score"] == "precision_at_10"]
    assert set(precision["measure"]) == {"change", "integrated_gradient"}
    assert precision["value"].between(0, 1).all()


def test_no_leak_was_found_and_every_job_was_looked_at(demo):
    audits = {
        path.parent.name: json.loads(path.read_text())
        for path in (demo.folder / "results" / "evaluate").glob("*/audit.json")
    }
    assert all(audit["leaks"] == [] for audit in audits.values())
    jobs = {task: audit["jobs"] for task, audit in audits.items()}
    assert len(jobs) == TASKS + BASELINES
    expected = {"scratch": FOLDS, "bar": 2 * FOLDS, "bar_recon": 3 * FOLDS, "age_sex": FOLDS}
    assert {task: jobs[task] for task in expected} == expected


def test_volumes_are_brains_on_the_grid(demo):
    volumes = np.load(demo.folder / "results" / "preprocess" / "cohort.npy", mmap_mode="r")
    assert volumes.shape[1:] == (96, 96, 96)
    litres = (volumes > 0).sum((1, 2, 3)) * 8e-6
    assert ((litres > 0.9) & (litres < 2.2)).all()


def test_true_and_found_brain_masks_agree(demo):
    import nibabel as nib

    dice = []
    for truth in (demo.folder / "results" / "simulate" / "derivatives").rglob("*_desc-brain_mask.nii.gz"):
        scan = truth.name.removesuffix("_desc-brain_mask.nii.gz")
        found = demo.folder / "results" / "preprocess" / scan / "native_brain_mask.nii.gz"
        true, mask = (np.asarray(nib.load(path).dataobj) > 0 for path in (truth, found))
        dice.append(2 * (true & mask).sum() / (true.sum() + mask.sum()))
    assert len(dice) == 10
    assert np.mean(dice) > 0.97


def test_every_job_left_its_log_and_its_costs(demo):
    for folder in ("logs", "benchmarks"):
        rules = {path.name.split(".")[0] for path in (demo.folder / "results" / folder).iterdir()}
        assert {"register_scan", "pretrain_encoder", "write_table", "audit_folds"} <= rules
    log = demo.folder / "results/logs/pretrain_encoder/bar_recon/fold-0/seed-0.log"
    assert "epoch 1/1  loss" in log.read_text()
    assert "s left" in log.read_text()


def test_intermediate_volumes_are_gone_and_little_is_kept(demo):
    for folder in (demo.folder / "results" / "preprocess").glob("sub-*"):
        assert not list(folder.glob("t1w_*"))
        assert sum(path.stat().st_size for path in folder.iterdir()) < 3e6


def test_a_second_run_does_nothing(demo):
    assert demo.plan(settings=TINY) == {}


def test_a_further_subject_is_preprocessed_alone(demo):
    study = changed(simulate={"subjects": 9})
    config = yaml.safe_load((demo.root / "config.yaml").read_text())["simulate"]
    before, after = (len(planned_scans(config | settings["simulate"])) for settings in (TINY, study))
    jobs = demo.plan("preprocess", settings=study)
    assert jobs["simulate_scan"] == jobs["register_scan"] == jobs["check_scan"] == after - before
    assert jobs["pack_volumes"] == 1


FIGURES = {
    "1 Cohort": {"Flow", "Balance", "Groups"},
    "2 Preprocessing": {"Checks", "Montage", "Histograms"},
    "3 Method": {"Mixings", "Second views", "Restored"},
    "4 Training": {"Pretraining", "Finetuning"},
    "5 Results": {"Table", "Curves", "Confusion", "Calibration", "Differences", "Tokens"},
    "6 Explanation": {"Regions", "Planes"},
    "7 Provenance": {"Provenance"},
}


@pytest.fixture(scope="module")
def report(demo):
    """Make the report of the demo."""
    path = demo.folder / "results" / "report" / "report.html"
    done = demo.run("--report", str(path), settings=TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def open_category(browser, report, category):
    browser.open(report)
    browser.click(category)
    return browser.wait_for("a[iconname=eye]")


def look_at_what_is_shown(browser):
    """Make sure that a figure has a size, or a page a title."""
    shown = browser.wait_for("img[src^='data:image/png'], iframe[src^='data:']")[0]
    if shown.tag_name == "img":
        assert browser.driver.execute_script("return arguments[0].naturalWidth", shown) > 300
    else:
        browser.driver.switch_to.frame(shown)
        assert browser.wait_for("h1")[0].text
        browser.driver.switch_to.default_content()


@pytest.mark.parametrize("category", FIGURES)
def test_a_person_finds_every_figure_of_a_category(report, browser, category):
    open_category(browser, report, category)
    # Where a label has two values, the report lets its reader switch between them.
    switches = browser.find("fieldset label")
    seen = {element.text.strip() for element in [*switches, *browser.find("td")]}
    assert FIGURES[category] <= seen
    for switch in switches or [None]:
        if switch is not None:
            switch.click()
        for number in range(len(browser.wait_for("a[iconname=eye]"))):
            browser.find("a[iconname=eye]")[number].click()
            look_at_what_is_shown(browser)
    assert browser.errors() == []


def test_a_table_of_the_report_has_the_rows_of_the_study_and_its_figures_count(demo, report, browser):
    eyes = open_category(browser, report, "5 Results")
    rows = [row.text.split() for row in browser.find("tr")]
    place = [row[:2] for row in rows if len(row) > 1 and row[0] != "TABLE"].index(["table_1", "Table"])
    eyes[place].click()
    browser.driver.switch_to.frame(browser.wait_for("iframe")[0])
    text = browser.find("body")[0].text
    browser.driver.switch_to.default_content()
    assert text.count("BAR + Recon") >= 2
    assert "These subjects are simulated" in text
    folds = pd.read_csv(demo.folder / "results" / "split" / "subjects" / "folds.tsv", sep="\t")
    tested = folds.loc[folds["part"] == "test", "subject"]
    assert f"test set of {len(tested)} scans of {tested.nunique()} subjects" in text


def test_the_provenance_names_every_rule_that_ran_and_the_code_that_made_it(demo):
    said = json.loads((demo.folder / "results" / "report" / "provenance.json").read_text(encoding="utf-8"))
    ran = {path.name.split(".")[0] for path in (demo.folder / "results" / "benchmarks").iterdir()}
    assert set(said["rules"]) == ran - {"write_provenance"}
    assert all(rule["seconds_sum"] > 0 for rule in said["rules"].values())
    assert said["rules"]["pretrain_encoder"]["jobs"] == RUNS * FOLDS
    assert said["rules"]["pretrain_encoder"]["largest_rss_mb"] > 50
    assert ran <= set(said["codes"])
    assert len(said["codes"]["pretrain_encoder"]) == RUNS
    assert said["settings"]["simulate"]["subjects"] == TINY["simulate"]["subjects"]
    assert said["settings"]["training"]["device"] == "auto"
    assert sum(row["jobs"] for row in said["devices"]) == (RUNS + TASKS) * FOLDS
    asked = subprocess.run(["git", "-C", demo.root, "rev-parse", "HEAD"], capture_output=True, text=True)
    assert said["commit"]["commit"] == (asked.stdout.strip() or os.environ.get("NEUROBAR_COMMIT"))


def unpack(content):
    """Return the words of a file and of everything that is packed or written in base64 in it, at any depth."""
    found, waiting = [], [content]
    while waiting:
        found.append(waiting.pop())
        if found[-1].startswith(b"PK"):
            archive = zipfile.ZipFile(io.BytesIO(found[-1]))
            waiting += [archive.read(name) for name in archive.namelist()] + [" ".join(archive.namelist()).encode()]
        elif found[-1].startswith(b"\x1f\x8b"):
            waiting.append(gzip.decompress(found[-1]))
        waiting += [base64.b64decode(packed) for packed in re.findall(rb";base64,([A-Za-z0-9+/=]+)", found[-1])]
        # Of PNG and PDF, whose own words are packed as well.
        for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", found[-1], re.DOTALL):
            with contextlib.suppress(zlib.error):
                waiting.append(zlib.decompress(packed))
    return b"\n".join(found)


@pytest.fixture(scope="module")
def anonymised(demo, tmp_path_factory):
    """Draw what an anonymised study draws otherwise, beside a copy of the results, and make both kinds of report."""
    calls = type(demo)(demo.root, tmp_path_factory.mktemp("anonymised") / "run")
    shutil.copytree(demo.folder, calls.folder)
    settings = TINY | {"report": {"anonymise": True}}
    planned = calls.plan(settings=settings)
    for report in ("report.html", "report.zip"):
        done = calls.run("--report", f"results/report/{report}", "--report-after-run", settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
    return calls, planned


def test_anonymising_draws_the_checks_and_the_provenance_anew_and_nothing_else(anonymised):
    assert anonymised[1] == {"draw_checks": 1, "write_provenance": 1, "all": 1}


def test_nothing_in_the_folder_of_an_anonymised_report_names_anybody(anonymised):
    files = [path for path in (anonymised[0].folder / "results" / "report").rglob("*") if path.is_file()]
    assert {"report.html", "report.zip", "provenance.json", "table_1.tex"} <= {path.name for path in files}
    for path in files:
        words = unpack(path.read_bytes())
        assert not re.search(rb"sub-\d", words), path
        if path.name.startswith("report."):
            assert b"Planes of row 1:" in words


def test_what_is_looked_for_would_be_found_in_a_report_that_is_not_anonymised(report):
    words = unpack(report.read_bytes())
    assert re.search(rb"Planes of sub-\d+_ses-\d: raw head", words)
    assert b"Planes of row 1:" not in words


def test_every_caption_is_in_the_report(demo, report):
    text = report.read_text(encoding="utf-8")
    for path in (demo.folder / "results" / "draw").rglob("*.tsv"):
        for caption in pd.read_csv(path, sep="\t", quoting=3)["caption"]:
            assert caption[:40] in text


def test_every_figure_has_a_caption_of_the_cohort_and_is_there_for_print(demo):
    folder = demo.folder / "results" / "draw"
    pictures = sorted(folder.rglob("*.png"))
    for picture in pictures:
        captions = pd.read_csv(picture.parent.with_suffix(".tsv"), sep="\t", index_col="figure", quoting=3)["caption"]
        assert picture.with_suffix(".pdf").stat().st_size > 1000, picture
        assert "simulated" in captions[picture.stem], picture
    assert len(pictures) > 20


CLINIC = {
    "external": {"clinic": {"scans": "clinic/scans.tsv", "study": "a clinic", "label": "dx"}},
    "applied": {f"{task}_clinic": {"task": task, "cohort": "clinic"} for task in ("scratch", "bar_recon")},
}
CLINIC["tables"] = {
    "clinic": {
        "caption": "On a clinic",
        "rows": [{"framework": "Applied", "method": name, "task": name} for name in CLINIC["applied"]],
    }
}


@pytest.fixture(scope="module")
def applied(demo, tmp_path_factory):
    """Put the models of the demo to the test on four heads of a clinic, beside a copy of its results."""
    import nibabel as nib

    from neurobar.simulate.simulate_scan import simulate_scan

    calls = type(demo)(demo.root, tmp_path_factory.mktemp("applied") / "run")
    shutil.copytree(demo.folder, calls.folder)
    settings = yaml.safe_load((demo.root / "config.yaml").read_text())["simulate"]
    plans = planned_scans(settings | {"subjects": 4, "seed": 7, "two_session_share": 0.0})
    (calls.folder / "clinic").mkdir()
    for plan in plans.to_dict("records"):
        nib.save(simulate_scan(plan)[0], calls.folder / "clinic" / f"{plan['scan']}.nii.gz")
    sheet = plans.assign(path=plans["scan"] + ".nii.gz", dx=plans["diagnosis"])[["scan", "subject", "path", "dx"]]
    sheet[["scan", "subject"]] = "clinic-" + sheet[["scan", "subject"]]
    sheet.to_csv(calls.folder / "clinic" / "scans.tsv", sep="\t", index=False)
    done = calls.run("results/report/clinic.md", settings=TINY | CLINIC)
    assert done.returncode == 0, done.stdout + done.stderr
    return calls


def test_trained_models_are_applied_to_an_external_cohort_untouched(applied, demo):
    for task in ("scratch", "bar_recon"):
        name = f"finetune/{task}/fold-1/seed-0/classifier.safetensors"
        before, after = (calls.folder / "results" / name for calls in (demo, applied))
        assert before.stat().st_mtime_ns == after.stat().st_mtime_ns
        predictions = pd.read_csv(
            applied.folder / f"results/apply/{task}_clinic/fold-1/seed-0/predictions.tsv", sep="\t"
        )
        assert predictions["part"].eq("test").sum() == 4
        assert predictions.loc[predictions["part"] == "test", "scan"].str.startswith("clinic-").all()
    assert applied.plan("results/report/clinic.md", "results/report/table_1.md", settings=TINY | CLINIC) == {}


def test_the_rows_of_an_external_cohort_have_intervals_and_paired_differences(applied):
    table = pd.read_csv(applied.folder / "results" / "report" / "clinic.csv")
    assert table["method"].tolist() == ["scratch_clinic", "bar_recon_clinic"]
    assert (table["accuracy_low"] <= table["accuracy_mean"]).all()
    assert (table["accuracy_mean"] <= table["accuracy_high"]).all()
    differences = pd.read_csv(applied.folder / "results" / "report" / "clinic.differences.csv")
    assert differences["paired"].all()
    text = (applied.folder / "results" / "report" / "clinic.md").read_text()
    assert "Cohort: a clinic; test set of 4 scans of 4 subjects, none of whom was trained on" in text
    assert "The models learned from simulated subjects" in text


def test_the_audit_of_an_applied_task_looked_at_every_job_behind_it(applied):
    for task, jobs in {"scratch": 2 * FOLDS, "bar_recon": 3 * FOLDS}.items():
        audit = json.loads((applied.folder / "results" / "evaluate" / f"{task}_clinic" / "audit.json").read_text())
        assert (audit["leaks"], audit["jobs"]) == ([], jobs)
