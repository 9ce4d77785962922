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


@pytest.mark.parametrize(
    ("task", "folders"),
    [
        ("bar_recon", {"pretrain/bar_recon", "finetune/bar_recon", "explain/bar_recon"}),
        ("bar_recon_frozen", {"pretrain/bar_recon", "finetune/bar_recon_frozen"}),
        ("scratch", {"finetune/scratch"}),
        ("age_sex", {"regress/age_sex"}),
    ],
)
def test_an_audit_hears_of_every_job_behind_a_task(study, task, folders):
    seen = study.seen_of(task)
    assert {path.removeprefix("results/").split("/fold-")[0] for path in seen} == folders
    assert len(seen) == len(folders) * study.config["split"]["folds"]
