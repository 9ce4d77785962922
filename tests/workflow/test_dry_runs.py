"""Every study can be planned."""

import pandas as pd
import pytest
import yaml

PRETRAINING_RUNS, TASKS = 7, 8


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
    assert jobs["write_table"] == 1


@pytest.mark.parametrize("name", ["real_heads", "bar_adni"])
def test_a_study_with_a_sheet_plans_its_scans(workflow, root, name):
    path = root / "studies" / f"{name}.yaml"
    write_sheet(workflow.folder, yaml.safe_load(path.read_text()))
    jobs = workflow.plan("--configfile", str(path))
    assert jobs["register_scan"] == 6
    assert "simulate_scan" not in jobs
    assert jobs["score_predictions"] == TASKS


def test_every_study_is_tested(root):
    assert {path.stem for path in (root / "studies").glob("*.yaml")} == {"real_heads", "bar_adni"}


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("simulate", "simulate_scan"),
        ("preprocess", "pack_volumes"),
        ("split", "audit_folds"),
        ("pretrain", "pretrain_encoder"),
        ("finetune", "predict_scans"),
        ("evaluate", "score_predictions"),
        ("report", "write_table"),
        ("all", "write_table"),
    ],
)
def test_every_stage_is_a_target(workflow, target, last):
    order = ["simulate_scan", "pack_volumes", "audit_folds", "pretrain_encoder", "predict_scans", "score_predictions"]
    order = [*order, "write_table"]
    jobs = workflow.plan(target)
    assert last in jobs
    assert not set(order[order.index(last) + 1 :]) & set(jobs)
