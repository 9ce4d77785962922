# neurobar: from raw T1-weighted heads to the tables of a paper, one stage after the other.
#
#     snakemake --cores all            the default study
#     snakemake --cores all split      up to one stage; the stages are the targets below
#
# Settings are in config.yaml, the rules of each stage in workflow/rules/{stage}.smk.

from snakemake.utils import min_version

min_version("9.0")


# Beside this file, wherever the working folder is, so that `--directory` keeps two studies apart.
configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


onerror:
    say_failed_scans()


localrules:
    all,
    simulate,
    preprocess,
    split,
    pretrain,
    finetune,
    evaluate,
    report,


rule all:
    default_target: True
    input:
        REPORTED,


rule simulate:
    input:
        SHEET if SIMULATED else [],
        SCANS["path"].tolist() if SIMULATED else [],


rule preprocess:
    input:
        "results/preprocess/cohort.npy",


rule split:
    input:
        "results/split/audit.json",


rule pretrain:
    input:
        expand(PRETRAINED, run=RUNS, fold=FOLDS, seed=SEEDS),


rule finetune:
    input:
        expand(PREDICTED, task=TASKS, fold=FOLDS, seed=SEEDS),


rule evaluate:
    input:
        "results/evaluate/audit.json",
        expand("results/evaluate/{task}/scores.tsv", task=TASKS),


rule report:
    input:
        REPORTED,
