# Settings and scans of the study, checked when the workflow loads, and the functions that rules ask.

import hashlib
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from neurobar.data.settings import check_settings
from neurobar.data.sheets import check_masks, read_scans
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
RUNS = sorted({task["run"] for task in config["tasks"].values()} - {None})
TASKS = list(config["tasks"])
FOLDS = range(config["split"]["folds"])
SEEDS = config["seeds"]
GPUS = 0 if config["training"]["device"] == "cpu" else 1
PRETRAINED = "results/pretrain/{run}/fold-{fold}/seed-{seed}/encoder.safetensors"
PREDICTED = "results/finetune/{task}/fold-{fold}/seed-{seed}/predictions.tsv"
REPORTED = expand("results/report/{table}.{suffix}", table=config["tables"], suffix=["csv", "md", "tex"])


# Jobs run the code that was hashed, with the interpreter of Snakemake unless their environment has its own.
os.environ.update(
    PYTHONPATH=f"{workflow.basedir}/src",
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
)


wildcard_constraints:
    scan=r"[A-Za-z0-9][A-Za-z0-9_.+-]*",
    run="[a-z][a-z0-9_]*",
    task="[a-z][a-z0-9_]*",
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


def settings_of_training():
    """Return what every training job is told; device and threads are no part of it, so they rerun nothing."""
    return {
        "encoder": config["encoder"],
        "precision": config["training"]["precision"],
        "voxel_mm": config["training"]["voxel_mm"],
    }


def settings_of_run(wildcards):
    """Return what a pre-training job is told, as JSON: editing one run's block reruns that run alone."""
    run = config["pretrain"] | config["runs"][wildcards.run]
    return json.dumps(settings_of_training() | {"pretrain": run})


def settings_of_task(wildcards):
    """Return what a fine-tuning job is told, as JSON; which run it starts from is the business of its input."""
    task = config["finetune"] | config["tasks"][wildcards.task]
    del task["run"]
    return json.dumps(settings_of_training() | {"finetune": task})


def code_of_run(wildcards):
    """Hash the code of a pre-training job, with the one mixing that its run names."""
    mixing = (config["pretrain"] | config["runs"][wildcards.run])["mixing"]
    mixings = [] if mixing == "none" else [f"neurobar.transforms.mixings.{mixing}"]
    return code_digest("neurobar.pretrain.pretrain_encoder", *mixings)


def encoder_of_task(wildcards):
    """Return the pre-trained encoder that a task starts from, or nothing where it starts afresh."""
    run = config["tasks"][wildcards.task]["run"]
    return [] if run is None else PRETRAINED.replace("{run}", run)


def scores_of_table(wildcards):
    """Return the scores of the tasks in a table."""
    return [f"results/evaluate/{row['task']}/scores.tsv" for row in config["tables"][wildcards.table]["rows"]]
