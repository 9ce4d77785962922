"""Every study can be planned."""

import pandas as pd
import pytest
import yaml

PRETRAINING_RUNS, TASKS, BASELINES, TABLES = 11, 14, 2, 5


def write_sheet(folder, study):
    """Write the sheet that a study asks for, with empty images."""
    cohort = study["cohort"]
    classes = [cohort["negative"], cohort["positive"]]
    rows = [
        {
            "scan": f"s{number}",
            "subject": f"s{number}",
            "path": f"s{number}.nii.gz",
            cohort["label"]: classes[number % 2],
        }
        for number in range(6)
    ]
    for row in rows:
        (folder / row["path"]).touch()
    pd.DataFrame(rows).to_csv(folder / cohort["scans"], sep="\t", index=False)


def test_the_default_study_plans_all_rows(workflow, root):
    jobs = workflow.plan()
    folds = yaml.safe_load((root / "config.yaml").read_text())["split"]["folds"]
    assert jobs["pretrain_encoder"] == PRETRAINING_RUNS * folds
    assert jobs["finetune_classifier"] == jobs["predict_scans"] == TASKS * folds
    assert jobs["simulate_scan"] == jobs["register_scan"] == jobs["check_scan"]
    assert jobs["fit_regression"] == BASELINES * folds
    assert jobs["explain_regions"] == folds
    assert jobs["write_table"] == jobs["compare_tasks"] == TABLES


@pytest.mark.parametrize(("name", "baselines"), [("real_heads", 1), ("bar_adni", BASELINES)])
def test_a_study_with_a_sheet_plans_its_scans(workflow, root, name, baselines):
    path = root / "studies" / f"{name}.yaml"
    write_sheet(workflow.folder, yaml.safe_load(path.read_text()))
    jobs = workflow.plan("--configfile", str(path))
    assert jobs["register_scan"] == 6
    assert "simulate_scan" not in jobs
    assert jobs["score_predictions"] == TASKS + baselines
    assert "score_explanation" not in jobs


def test_the_study_of_open_points_plans_a_run_for_each_and_shares_the_default_ones(workflow, root):
    path = root / "studies" / "open_points.yaml"
    study = yaml.safe_load(path.read_text())
    jobs = workflow.plan("--configfile", str(path))
    folds = yaml.safe_load((root / "config.yaml").read_text())["split"]["folds"]
    assert jobs["pretrain_encoder"] == (PRETRAINING_RUNS + len(study["runs"])) * folds
    assert jobs["write_table"] == TABLES + len(study["tables"])


def test_every_study_is_tested(root):
    assert {path.stem for path in (root / "studies").glob("*.yaml")} == {"real_heads", "bar_adni", "open_points"}


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("simulate", "simulate_scan"),
        ("preprocess", "pack_volumes"),
        ("split", "audit_folds"),
        ("pretrain", "pretrain_encoder"),
        ("finetune", "predict_scans"),
        ("evaluate", "score_predictions"),
        ("regress", "fit_regression"),
        ("explain", "summarise_regions"),
        ("report", "write_table"),
        ("all", "write_table"),
    ],
)
def test_every_stage_is_a_target(workflow, target, last):
    order = ["simulate_scan", "pack_volumes", "audit_folds", "pretrain_encoder", "predict_scans", "score_predictions"]
    jobs = workflow.plan(target)
    assert last in jobs
    assert not set(order[order.index(last) + 1 :] if last in order else []) & set(jobs)


@pytest.mark.parametrize(
    ("control", "split", "runs"), [("permuted_labels", "permuted_labels", 1), ("scan_level_split", "scans", 2)]
)
def test_a_control_is_a_target_and_its_split_is_in_no_other_table(workflow, control, split, runs):
    jobs = workflow.plan(control)
    assert jobs["write_table"] == 1
    assert jobs["pretrain_encoder"] == jobs["finetune_classifier"] == 5 * runs
    folds = f"results/split/{split}/folds.tsv"
    assert folds in workflow.run("--dry-run", control).stdout
    assert folds not in workflow.run("--dry-run").stdout


def test_a_baseline_goes_neither_by_the_label_nor_by_what_no_scan_has(workflow, root):
    study = yaml.safe_load((root / "studies" / "bar_adni.yaml").read_text())
    for name, label, features in (("sexless", "diagnosis", []), ("by sex", "sex", [])):
        cohort = study["cohort"] | {"scans": "scans.tsv", "label": label, "negative": "F", "positive": "M"}
        write_sheet(workflow.folder, {"cohort": cohort})
        target = "results/regress/age_sex/fold-0/seed-0/predictions.tsv"
        planned = workflow.run("--dry-run", "--printshellcmds", target, settings={"cohort": cohort})
        assert planned.returncode == 0, name
        assert f"""--settings '{{"features": {features}}}'""" in planned.stdout, name
