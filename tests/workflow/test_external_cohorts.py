"""What a study with an external cohort plans, and that the study itself does nothing anew for it."""

import re

import pandas as pd
import pytest

OUTPUT = re.compile(r"^    output: (.+)$", re.MULTILINE)
FOLDS = 3
STUDY = {"cohort": {"scans": "own.tsv"}, "split": {"folds": FOLDS}}
STUDY["tables"] = {"plain": {"caption": "Plain", "rows": [{"framework": "A", "method": "ViT", "task": "scratch"}]}}
ROWS = [{"framework": "A", "method": "ViT on clinic", "task": "scratch_clinic"}]
WITH_EXTERNAL = STUDY | {
    "external": {"clinic": {"scans": "clinic.tsv", "study": "a clinic"}},
    "applied": {"scratch_clinic": {"task": "scratch", "cohort": "clinic"}},
    "tables": STUDY["tables"] | {"external": {"caption": "Both", "rows": STUDY["tables"]["plain"]["rows"] + ROWS}},
}
TABLES = [f"results/report/{table}.md" for table in ("plain", "external")]
EACH_SCAN = ["register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan"]
OF_EXTERNAL = {"judge_external": 1, "pack_external": 1, "list_external": 1}
OF_ROW = {"audit_training": 1, "score_predictions": 1, "compare_tasks": 1, "write_table": 1}
APPLIED = OF_EXTERNAL | {"apply_classifier": FOLDS} | OF_ROW


def write_sheet(folder, name, scans, **columns):
    """Write a sheet of some scans of as many subjects, with empty images."""
    table = pd.DataFrame({"scan": scans, "subject": scans, "path": [f"{scan}.nii.gz" for scan in scans]})
    table = table.assign(diagnosis=["CN" if place % 2 else "AD" for place in range(len(scans))], age=70)
    for path in table["path"]:
        if not (folder / path).exists():
            (folder / path).touch()
    table.assign(**columns).to_csv(folder / name, sep="\t", index=False)


def pretend(calls, *targets, settings):
    """Let a workflow believe that it has made its targets; every file that is missing holds its own name."""
    said = calls.run("--dry-run", *targets, settings=settings)
    assert said.returncode == 0, said.stdout + said.stderr
    for name in (name for line in OUTPUT.findall(said.stdout) for name in line.split(", ")):
        (calls.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (calls.folder / name).write_text(name)
    done = calls.run(*targets, "--touch", "--forceall", settings=settings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def planned(workflow):
    """Return a workflow with the sheets of six own and of three external scans."""
    write_sheet(workflow.folder, "own.tsv", list("abcdef"))
    write_sheet(workflow.folder, "clinic.tsv", list("xyz"))
    return workflow


@pytest.fixture(scope="module")
def finished(root, workflow_class, tmp_path_factory):
    """Return a workflow that believes it has written the plain table; every file holds its own name."""
    calls = workflow_class(root, tmp_path_factory.mktemp("finished"))
    write_sheet(calls.folder, "own.tsv", list("abcdef"))
    write_sheet(calls.folder, "clinic.tsv", list("xyz"))
    pretend(calls, TABLES[0], settings=STUDY)
    return calls


def test_scans_of_both_sheets_are_preprocessed_alike_and_the_external_ones_train_nothing(planned):
    jobs = planned.plan(*TABLES, settings=WITH_EXTERNAL)
    assert [jobs[rule] for rule in EACH_SCAN] == [9] * len(EACH_SCAN)
    assert jobs["judge_scans"] == jobs["pack_volumes"] == 1
    assert jobs["finetune_classifier"] == jobs["predict_scans"] == jobs["apply_classifier"] == FOLDS
    assert {rule: jobs[rule] for rule in OF_EXTERNAL} == OF_EXTERNAL
    assert jobs["audit_training"] == jobs["score_predictions"] == jobs["write_table"] == 2
    assert "pretrain_encoder" not in jobs


def test_the_stage_is_a_target_and_scores_nothing(planned):
    jobs = planned.plan("apply", settings=WITH_EXTERNAL)
    assert jobs["apply_classifier"] == FOLDS
    assert "score_predictions" not in jobs
    assert "apply_classifier" not in planned.plan("finetune", settings=WITH_EXTERNAL)
    assert planned.plan("preprocess", settings=WITH_EXTERNAL)["pack_external"] == 1


def test_a_classifier_is_applied_with_the_landmarks_of_its_own_fold(planned):
    target = "results/apply/scratch_clinic/fold-2/seed-0/predictions.tsv"
    said = planned.run("--dry-run", "--printshellcmds", target, settings=WITH_EXTERNAL).stdout
    command = said[said.index("neurobar.apply.apply_classifier") :].split(">results")[0]
    for words in (
        "--volumes results/apply/clinic/cohort.npy --percentiles results/apply/clinic/percentiles.npy",
        "--folds results/apply/clinic/folds.tsv --landmarks results/split/subjects/fold-2/landmarks.json",
        "--classifier results/finetune/scratch/fold-2/seed-0/classifier.safetensors",
        "--fold 2 --seed 0",
    ):
        assert words in " ".join(command.replace("\\\n", " ").split())


def test_the_audit_reads_both_splits_and_what_every_job_saw(planned):
    target = "results/evaluate/scratch_clinic/audit.json"
    said = planned.run("--dry-run", "--printshellcmds", target, settings=WITH_EXTERNAL).stdout
    command = said[said.index("neurobar.evaluate.audit_training") :].split("--audit")[0]
    assert "--folds results/split/subjects/folds.tsv --external results/apply/clinic/folds.tsv" in command
    assert command.count("results/finetune/scratch/") == command.count("results/apply/scratch_clinic/") == FOLDS


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"subject": ["x", "c", "z"]}, "Config: external.clinic: the subject 'c' is in own.tsv too, and nobody may be"),
        ({"scan": ["x", "c", "z"]}, "Config: external.clinic: the scan 'c' is in own.tsv too; each scan of a study"),
        ({"diagnosis": "FTD"}, "clinic.tsv, row 2: diagnosis 'FTD' is neither CN nor AD"),
    ],
)
def test_a_leak_into_an_external_cohort_stops_the_workflow_when_it_loads(planned, columns, sentence):
    write_sheet(planned.folder, "clinic.tsv", list("xyz"), **columns)
    done = planned.run("--dry-run", settings=WITH_EXTERNAL)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_simulated_study_can_be_put_to_the_test_on_a_sheet(planned):
    write_sheet(planned.folder, "clinic.tsv", list("xyz"), dx=["AD", "CN", "CN"])
    sheet = (planned.folder / "clinic.tsv").read_text().replace("diagnosis", "group")
    (planned.folder / "clinic.tsv").write_text(sheet)
    study = {key: value for key, value in WITH_EXTERNAL.items() if key != "cohort"}
    jobs = planned.plan(
        *TABLES, settings=study | {"external": {"clinic": study["external"]["clinic"] | {"label": "dx"}}}
    )
    assert jobs["register_scan"] == jobs["simulate_scan"] + 3


def test_an_external_cohort_does_nothing_of_the_study_anew(finished):
    assert finished.plan(TABLES[0], settings=STUDY) == {}
    assert finished.plan(TABLES[0], settings=WITH_EXTERNAL) == {}
    assert finished.plan(*TABLES, settings=WITH_EXTERNAL) == dict.fromkeys(EACH_SCAN, 3) | APPLIED
