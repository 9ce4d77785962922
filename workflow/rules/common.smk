# Settings and scans of the study, checked when the workflow loads, and the functions that rules ask.

import gc
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from neurobar.data import rosters
from neurobar.data.scan_names import digest_names
from neurobar.data.settings import check_settings
from neurobar.data.studies import Study
from neurobar.provenance import code_digest
from neurobar.simulate.list_simulated_scans import planned_scans

# A plan makes millions of objects, hardly any of them garbage; by its own measure Python would look through them for
# a fourth of the time.
gc.set_threshold(50_000, 20, 100)


def load_study():
    """Check the config and list all scans; what is wrong ends the workflow with one sentence before any job."""
    try:
        check_settings(config, f"{workflow.basedir}/workflow/schemas/config.schema.yaml")
        scans = rosters.read_own(config["cohort"], planned_scans(config["simulate"]) if SIMULATED else None)
        external = rosters.read_external(STUDY.external, SHEET, scans)
        rosters.check_preprocessing(config["preprocess"], SHEET, scans, external)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    return scans, external


STUDY = Study(config)
SIMULATED = config["cohort"]["scans"] is None
SHEET = "results/simulate/scans.tsv" if SIMULATED else config["cohort"]["scans"]
# Those of the study, which it learns from, and apart from them those of each external cohort.
SCANS, EXTERNAL = load_study()
EVERY = rosters.join_scans(SCANS, EXTERNAL)
PREPROCESSED = [scan for scan in SCANS["scan"] if scan not in config["preprocess"]["exclude"]]
HD_BET = config["preprocess"]["skull_strip"] == "hd_bet"
SPLIT_BY = ["scan", "subject", "diagnosis" if SIMULATED else "label", "age", "sex"]
SITED = [*SPLIT_BY, *({"site"} & {*SCANS.columns})]
SITES_DIGEST = rosters.digest_scans(SCANS, SITED)
SUBJECTS_DIGEST = rosters.digest_scans(SCANS, SPLIT_BY)
TASKS = STUDY.tasks_of(config["tables"])
FOLDS = range(config["split"]["folds"])
SEEDS = config["seeds"]
# Where and how a training job computes: no part of its settings, so it reruns nothing.
MACHINE = json.dumps({key: value for key, value in config["training"].items() if key not in STUDY.of_training})
GPUS = 0 if config["training"]["device"] == "cpu" else config["training"]["devices"]
REPORTED = expand("results/report/{table}.{suffix}", table=config["tables"], suffix=["csv", "md", "tex", "html"])
EXPLAINED = expand("results/explain/{task}/regions.tsv", task=config["explain"]["tasks"])
TRUTH_IS_KNOWN = SIMULATED and config["atlas"]["image"] == "aal2"
EXPLAINED += expand("results/explain/{task}/scores.tsv", task=config["explain"]["tasks"] if TRUTH_IS_KNOWN else [])


# Jobs run the code that was hashed, with the interpreter of Snakemake unless their environment has its own.
os.environ.update(
    PYTHONPATH=f"{workflow.basedir}/src",
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
)


wildcard_constraints:
    scan=r"[A-Za-z0-9][A-Za-z0-9_.+-]*",
    run="[a-z][a-z0-9_]*",
    task="[a-z][a-z0-9_]*",
    split="[a-z][a-z0-9_]*",
    cohort="[a-z][a-z0-9_]*",
    table="[a-z][a-z0-9_]*",
    fold=r"\d+",
    seed=r"\d+",


def scan_path(wildcards):
    """Return the raw T1 of a scan."""
    return EVERY[wildcards.scan]["path"]


def readable_scan(wildcards):
    """Return the raw T1 of a scan, or nothing where it may not be read: Snakemake would stop all, the job itself alone."""
    path = scan_path(wildcards)
    return path if os.access(path, os.R_OK) or not os.path.exists(path) else []


def say_failed_scans():
    """Print the sentence of each scan that failed, and how to go on without them."""
    scans = [scan for scan in EVERY if scan not in config["preprocess"]["exclude"]]
    if failed := rosters.describe_failures(scans, Path("results")):
        failed.append("Mend these scans, or name them in preprocess.exclude to go on without them.")
        print(*failed, sep="\n", file=sys.stderr)


def supplied_mask(wildcards):
    """Return the brain mask that the sheet gives for a scan, or nothing where another way of skull stripping is set."""
    if config["preprocess"]["skull_strip"] != "supplied" or "stripped" in prepared(wildcards):
        return []
    return EVERY[wildcards.scan]["mask"]


def prepared(wildcards):
    """Return what was done to a scan before it came here."""
    return EVERY[wildcards.scan]["prepared"]


def code_of_run(wildcards):
    """Hash the code of a pre-training job, with the one mixing that its run names."""
    mixing = STUDY.run(wildcards.run)["mixing"]
    mixings = [] if mixing == "none" else [f"neurobar.transforms.mixings.{mixing}"]
    return code_digest("neurobar.pretrain.pretrain_encoder", *mixings)


def of_split(name):
    """Return the function that finds a file of the split that a run, or a task or baseline, learns from."""

    def find(wildcards):
        settings = STUDY.run(wildcards.run) if "run" in wildcards.keys() else STUDY.task(wildcards.task)
        return f"results/split/{settings['split']}/{name}".format(**wildcards)

    return find


def of_external(name):
    """Return the function that finds a file of the external cohort that a task is applied to."""
    return lambda wildcards: f"results/apply/{config['applied'][wildcards.task]['cohort']}/{name}"


def of_source(name):
    """Return the function that finds a file of the job whose classifier is applied."""
    return lambda wildcards: f"results/finetune/{STUDY.source_of(wildcards.task)}/fold-{{fold}}/seed-{{seed}}/{name}"


def of_table(ask):
    """Return the function that asks a method of the study about the tasks of a table."""
    return lambda wildcards: ask(STUDY.tasks_of([wildcards.table]))


def features_of_baseline(wildcards):
    """Return what a baseline goes by, as JSON: never the label itself, and nothing that no scan of the sheet has."""
    features = [name for name in STUDY.task(wildcards.task)["features"] if name != config["cohort"]["label"]]
    return json.dumps({"features": [name for name in features if name == "regions" or SCANS[name].notna().any()]})


def encoder_of_task(wildcards):
    """Return the pre-trained encoder that a task starts from, or nothing where it starts afresh."""
    run = STUDY.task(wildcards.task)["run"]
    return [] if run is None else f"results/pretrain/{run}/fold-{{fold}}/seed-{{seed}}/encoder.safetensors"


def labels_of_figure(wildcards):
    """Return what the report says of a figure beside its picture."""
    labels = {name: wildcards[name] for name in ("table", "task") if name in wildcards.keys()}
    return labels | {"figure": wildcards.figure.replace("_", " ").capitalize()}
