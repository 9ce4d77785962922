# Settings and scans of the study, checked when the workflow loads, and the functions that rules ask.

import hashlib
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from neurobar.data.settings import check_settings
from neurobar.data.sheets import check_masks, read_scans
from neurobar.data.studies import Study
from neurobar.provenance import code_digest
from neurobar.simulate.list_simulated_scans import planned_scans


def load_study():
    """Check the config and list the scans; what is wrong ends the workflow with one sentence before any job."""
    try:
        check_settings(config, f"{workflow.basedir}/workflow/schemas/config.schema.yaml")
        if SIMULATED:
            scans = planned_scans(config["simulate"])
            scans = scans.assign(path=[f"results/simulate/{path}" for path in scans["path"]], prepared="", mask=None)
        else:
            scans = read_scans(config["cohort"]["scans"], config["cohort"])
        if config["preprocess"]["skull_strip"] == "supplied":
            check_masks(SHEET, scans[~scans["scan"].isin(config["preprocess"]["exclude"])])
        strangers = sorted({*config["preprocess"]["keep"], *config["preprocess"]["exclude"]} - {*scans["scan"]})
        if strangers:
            raise ValueError(f"Config: preprocess.keep and exclude: {strangers[0]!r} is no scan of the cohort.")
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    return scans.set_index("scan", drop=False)


SIMULATED = config["cohort"]["scans"] is None
SHEET = "results/simulate/scans.tsv" if SIMULATED else config["cohort"]["scans"]
SCANS = load_study()
PREPROCESSED = [scan for scan in SCANS["scan"] if scan not in config["preprocess"]["exclude"]]
HD_BET = config["preprocess"]["skull_strip"] == "hd_bet"
SPLIT_BY = ["scan", "subject", "diagnosis" if SIMULATED else "label", "age", "sex"]
SUBJECTS_DIGEST = hashlib.sha256(SCANS[SPLIT_BY].to_csv(index=False).encode()).hexdigest()[:12]
STUDY = Study(config)
TASKS = STUDY.tasks_of(config["tables"])
FOLDS = range(config["split"]["folds"])
SEEDS = config["seeds"]
# Where and how a training job computes: no part of its settings, so it reruns nothing.
MACHINE = json.dumps({key: value for key, value in config["training"].items() if key not in STUDY.of_training})
GPUS = 0 if config["training"]["device"] == "cpu" else config["training"]["devices"]
REPORTED = expand("results/report/{table}.{suffix}", table=config["tables"], suffix=["csv", "md", "tex"])
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
    table="[a-z][a-z0-9_]*",
    fold=r"\d+",
    seed=r"\d+",


def scan_path(wildcards):
    """Return the raw T1 of a scan."""
    return SCANS.at[wildcards.scan, "path"]


def readable_scan(wildcards):
    """Return the raw T1 of a scan, or nothing where it may not be read: Snakemake would stop all, the job itself alone."""
    path = scan_path(wildcards)
    return path if os.access(path, os.R_OK) or not os.path.exists(path) else []


def say_failed_scans():
    """Print the sentence of each scan that failed, and how to go on without them."""
    kept = {"register_scan": "registration.json", "strip_skull": "native_brain_mask.nii.gz"}
    logs = {Path(f"results/logs/{rule}/{scan}.log"): rule for rule in kept for scan in PREPROCESSED}
    failed = {log: rule for log, rule in logs.items() if log.is_file() and log.stat().st_size}
    failed = [log for log, rule in failed.items() if not Path("results/preprocess", log.stem, kept[rule]).exists()]
    for log in failed:
        print(f"{log.stem}: {log.read_text(errors='replace').splitlines()[-1]}", file=sys.stderr)
    if failed:
        print("Mend these scans, or name them in preprocess.exclude to go on without them.", file=sys.stderr)


def supplied_mask(wildcards):
    """Return the brain mask that the sheet gives for a scan, or nothing where another way of skull stripping is set."""
    if config["preprocess"]["skull_strip"] != "supplied" or "stripped" in SCANS.at[wildcards.scan, "prepared"]:
        return []
    return SCANS.at[wildcards.scan, "mask"]


def prepared(wildcards):
    """Return what was done to a scan before it came here."""
    return SCANS.at[wildcards.scan, "prepared"]


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
