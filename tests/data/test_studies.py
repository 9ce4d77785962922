import json

import pytest
import yaml

from neurobar.data.studies import Study, name_tasks


@pytest.fixture
def study(root):
    return Study(yaml.safe_load((root / "config.yaml").read_text()))


@pytest.fixture
def applying(study):
    """Return a study that applies tasks to two external cohorts."""
    external = {"oasis": {"scans": "o.tsv", "study": "OASIS-3"}}
    external["aibl"] = {"scans": "a.tsv", "study": "AIBL", "label": "dx", "negative": 0, "positive": 1, "ignored": [2]}
    applied = {"bar_oasis": {"task": "bar_recon", "cohort": "oasis"}}
    applied |= {"scratch_aibl": {"task": "scratch", "cohort": "aibl"}}
    applied |= {"leaking_aibl": {"task": "bar_recon_scans", "cohort": "aibl"}}
    return Study(study.config | {"external": external, "applied": applied})


def test_a_job_is_told_its_own_block_over_the_shared_one_and_nothing_of_the_machine(study):
    told = json.loads(study.told_run("bar_recon_beta_1_1"))
    assert told["pretrain"]["beta"] == [1.0, 1.0]
    assert told["pretrain"]["epochs"] == study.config["pretrain"]["epochs"]
    assert set(told) == {"encoder", "precision", "voxel_mm", "pretrain"}
    assert not {"run", "split"} & set(json.loads(study.told_task("bar_recon_scans"))["finetune"])


def test_a_figure_is_told_nothing_that_it_does_not_show(study):
    runs = json.loads(study.told_views(["bar_recon", "contrastive"]))
    assert runs["bar_recon"]["mixing"] == "regions"
    assert runs["contrastive"]["cuts_on_view_1"] is True
    assert not {"epochs", "rate", "temperature", "sigma", "beta"} & {*runs["bar_recon"]}
    told = json.loads(study.told_figures("permuted_labels"))
    assert {*told} == {"caption", "rows"}
    assert json.loads(study.told_figures("table_1"))["reference"] == "bar_recon"
    assert {*json.loads(study.told_figures("table_1"))["rows"][0]} == {"framework", "method", "task"}


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


def test_tasks_of_one_method_are_told_apart_by_their_framework():
    rows = [("A", "x", "one"), ("B", "z", "two"), ("C", "z", "three")]
    named = name_tasks([dict(zip(("framework", "method", "task"), row, strict=True)) for row in rows])
    assert named == {"one": "x", "two": "B: z", "three": "C: z"}


APPLIED = ["bar_recon", "bar_oasis", "scratch_aibl", "leaking_aibl", "age_sex"]


def test_an_applied_task_has_the_settings_the_run_and_the_split_of_its_source(applying):
    assert applying.task("bar_oasis") == applying.task("bar_recon")
    assert applying.told_task("scratch_aibl") == applying.told_task("scratch")
    assert applying.runs_of(["bar_oasis", "scratch_aibl", "leaking_aibl"]) == ["bar_recon", "bar_recon_scans"]
    assert applying.splits_of(APPLIED) == ["subjects", "subjects", "subjects", "scans", "subjects"]


def test_an_applied_task_is_tested_on_the_scans_of_its_cohort_and_was_trained_in_the_split_of_its_source(applying):
    tested = ["split/subjects", "apply/oasis", "apply/aibl", "apply/aibl", "split/subjects"]
    assert applying.folds_of(APPLIED) == [f"results/{folder}/folds.tsv" for folder in tested]
    split = ["subjects", "subjects", "subjects", "scans", "subjects"]
    assert applying.trained_of(APPLIED) == [f"results/split/{name}/folds.tsv" for name in split]
    packed = ["preprocess", "apply/oasis", "apply/aibl", "apply/aibl", "preprocess"]
    assert applying.packed_of(APPLIED) == [f"results/{folder}/cohort.tsv" for folder in packed]
    assert applying.external_of(["bar_recon"]) == []
    assert applying.predictions_of(["bar_oasis"])[1] == "results/apply/bar_oasis/fold-1/seed-0/predictions.tsv"


@pytest.mark.parametrize(
    ("task", "folders"),
    [
        ("bar_oasis", {"pretrain/bar_recon", "finetune/bar_recon", "apply/bar_oasis"}),
        ("scratch_aibl", {"finetune/scratch", "apply/scratch_aibl"}),
    ],
)
def test_the_audit_of_an_applied_task_hears_of_every_job_behind_it(applying, task, folders):
    test_an_audit_hears_of_every_job_behind_a_task(applying, task, folders)


def test_an_external_cohort_has_the_label_of_the_study_where_it_names_none(applying):
    words = ("study", "label", "negative", "positive")
    told = [tuple(cohort[word] for word in words) for cohort in json.loads(applying.told_cohorts(APPLIED[:3]))]
    assert told[0] == (applying.config["study"], "diagnosis", "CN", "AD")
    assert told[1:] == [("OASIS-3", "diagnosis", "CN", "AD"), ("AIBL", "dx", 0, 1)]
    assert json.loads(applying.told_external("aibl"))["ignored"] == [2]
    # Its name and the place of its sheet do not matter to what is tested.
    assert set(json.loads(applying.told_external("oasis"))) == {"label", "negative", "positive", "ignored"}
