"""A small study through a real Slurm: the table of a local run, from bundled jobs that ask for what they need."""

import shutil

import pandas as pd
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

SUBJECTS, FOLDS = 8, 2
#: Nobody shares this cluster, so there is nothing to be spared by asking it seldom.
OF_THIS_CLUSTER = ["--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1"]
OF_THIS_CLUSTER += ["--max-jobs-per-timespan", "100/1s", "--latency-wait", "20", "--retries", "0"]
TABLE = "baselines"


def shrink(config):
    """Make of the default study a small one with one table, whose rows need every stage."""
    config["simulate"] |= {"subjects": SUBJECTS, "two_session_share": 0}
    config["split"] |= {"folds": FOLDS, "candidates": 10}
    config["training"] |= {"voxel_mm": 6}
    config["encoder"] |= {"patch": 8, "width": 16, "layers": 1, "heads": 2}
    config["pretrain"] |= {"epochs": 1, "inner_cuts": {"count": 2, "size": 2}, "outer_cuts": {"count": 2, "size": 5}}
    config["finetune"] |= {"epochs": 1}
    config["tables"] = {TABLE: config["tables"][TABLE]}


@pytest.fixture(scope="module")
def code(root, tmp_path_factory):
    """Copy the code, with the small study as its default one: a table cannot be taken away by a further config file."""
    copy = tmp_path_factory.mktemp("neurobar")
    for name in ("src", "workflow", "envs", "profiles"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(root / "Snakefile", copy)
    config = yaml.safe_load((root / "config.yaml").read_text())
    shrink(config)
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    return copy


def run(calls, *words):
    """Run the study, and return the folder of its results."""
    done = calls.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return calls.folder / "results"


@pytest.fixture(scope="module")
def local(code, workflow_class, tmp_path_factory):
    """Return the results of a run on this machine alone."""
    return run(workflow_class(code, tmp_path_factory.mktemp("local")))


@pytest.fixture(scope="module")
def submitted(code, cluster, workflow_class, tmp_path_factory):
    """Return the results of a run through Slurm with the profile, where all jobs are done."""
    calls = workflow_class(code, tmp_path_factory.mktemp("submitted"), cluster.environment)
    return run(calls, "--profile", str(code / "profiles" / "slurm"), *OF_THIS_CLUSTER)


@pytest.fixture(scope="module")
def jobs(cluster, submitted):
    """Return the history of the cluster, one job on a row."""
    return pd.DataFrame(cluster.list_jobs())


def test_the_table_is_that_of_a_local_run_byte_for_byte(local, submitted):
    names = sorted(path.name for path in (local / "report").glob(f"{TABLE}.*"))
    assert len(names) == 5
    for name in names:
        assert (submitted / "report" / name).read_bytes() == (local / "report" / name).read_bytes(), name


def test_every_job_of_the_cluster_came_to_its_end(jobs):
    assert set(jobs["state"]) == {"COMPLETED"}


def test_short_jobs_are_bundled(jobs, submitted):
    scans = jobs["comment"].str.startswith("rule_scan_")
    assert scans.sum() == 1
    assert len([*(submitted / "preprocess").glob("*/check.json")]) == SUBJECTS
    done = len([*(submitted / "benchmarks").rglob("*.tsv")])
    assert done > 5 * len(jobs)


def test_every_training_job_asks_for_its_gpu_and_no_other_job_does(jobs):
    of_gpu = jobs["comment"].str.contains("pretrain_encoder|finetune_classifier|explain_regions")
    assert of_gpu.sum() == 4 * FOLDS
    assert jobs["gpus"][of_gpu].eq("gres:gpu:1").all()
    assert not jobs["gpus"][~of_gpu].str.contains("gpu").any()


def test_a_group_asks_for_the_cores_and_the_memory_of_its_largest_job(jobs):
    of_scans = jobs[jobs["comment"].str.startswith("rule_scan_")].iloc[0]
    assert (of_scans["cpus"], of_scans["memory"]) == ("1", "2000M")


def test_nothing_is_left_to_do_on_this_machine_after_the_cluster(code, workflow_class, submitted):
    assert workflow_class(code, submitted.parent).plan() == {}
