# Settings and scans of the study, checked when the workflow loads.

import gc
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError

from neurobar.data import rosters
from neurobar.data.scan_names import digest_names
from neurobar.data.settings import check_settings
from neurobar.data.studies import Study, write_json
from neurobar.provenance import code_digest
from neurobar.simulate.list_simulated_scans import planned_scans

# A plan makes millions of objects, hardly any of them garbage; by its own measure Python would look through them for
# a fourth of the time.
gc.set_threshold(50_000, 20, 100)


def load_study():
    """Check the config and list all scans; what is wrong ends the workflow with one sentence before any job."""
    # Each job of a cluster loads this anew: thousands of them shall not ask a file system for thousands of images.
    has_looked = not workflow.is_main_process
    try:
        check_settings(config, f"{workflow.basedir}/workflow/schemas/config.schema.yaml")
        planned = planned_scans(config["simulate"]) if SIMULATED else None
        scans = rosters.read_own(config["cohort"], planned, has_looked=has_looked)
        external = rosters.read_external(STUDY.external, SHEET, scans, has_looked=has_looked)
        rosters.check_preprocessing(config["preprocess"], SHEET, scans, external)
    except (OSError, ValueError) as error:
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
TABLES = expand("results/report/{table}.{suffix}", table=config["tables"], suffix=["csv", "md", "tex", "html"])
REPORTED = [*TABLES, "results/report/provenance.json", "results/report/provenance.html"]
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
    # Beside the tables lies the provenance of the study.
    table=r"(?!provenance\b)[a-z][a-z0-9_]*",
    fold=r"\d+",
    seed=r"\d+",
