import json

import pytest
import yaml

from neurobar.data.studies import Study


@pytest.fixture
def study(root):
    return Study(yaml.safe_load((root / "config.yaml").read_text()))


def test_a_job_is_told_its_own_block_over_the_shared_one_and_nothing_of_the_machine(study):
    told = json.loads(study.told_run("bar_recon_beta_1_1"))
    assert told["pretrain"]["beta"] == [1.0, 1.0]
    assert told["pretrain"]["epochs"] == study.config["pretrain"]["epochs"]
    assert set(told) == {"encoder", "precision", "voxel_mm", "pretrain"}
    assert not {"run", "split"} & set(json.loads(study.told_task("bar_recon_scans"))["finetune"])


def test_tables_ask_for_each_task_once(study):
    tasks = study.tasks_of(["table_1", "table_2", "table_3"])
    assert len(tasks) == len(set(tasks)) == 11
    assert "bar_recon_permuted" not in study.tasks_of(study.config["tables"])
    assert study.runs_of(["scratch", "bar_recon", "bar_recon_frozen", "age_sex"]) == ["bar_recon"]


def test_an_audit_hears_of_every_job_that_learns_from_its_split(study):
    seen = study.seen_of("scans")
    assert {path.split("/fold-")[0] for path in seen} == {
        "results/pretrain/bar_recon_scans",
        "results/finetune/bar_recon_scans",
        "results/regress/regional_volumes_scans",
    }
    assert len(seen) == 3 * study.config["split"]["folds"]
    assert any("explain/bar_recon/fold-0" in path for path in study.seen_of("subjects"))
    assert study.audits_of(["bar", "bar_recon_scans"]) == [
        "results/evaluate/scans.audit.json",
        "results/evaluate/subjects.audit.json",
    ]
