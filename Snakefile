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
include: "workflow/rules/functions.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/apply.smk"
include: "workflow/rules/regress.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/draw.smk"


report: "workflow/report/workflow.rst"


onerror:
    say_failed_scans()


localrules:
    all,
    simulate,
    preprocess,
    split,
    pretrain,
    finetune,
    apply,
    regress,
    explain,
    evaluate,
    report,
    draw,


rule all:
    default_target: True
    input:
        AUDITED,
        REPORTED,
        EXPLAINED,
        DRAWN,


rule simulate:
    input:
        SHEET if SIMULATED else [],
        SCANS["path"].tolist() if SIMULATED else [],


rule preprocess:
    input:
        "results/preprocess/cohort.npy",
        expand("results/apply/{cohort}/cohort.npy", cohort=EXTERNAL),


rule split:
    input:
        AUDITED_SPLITS,


rule pretrain:
    input:
        STUDY.of_jobs([f"pretrain/{run}" for run in STUDY.runs_of(TASKS)], "encoder.safetensors"),


rule finetune:
    input:
        STUDY.predictions_of(map(STUDY.source_of, TASKS)),


rule apply:
    input:
        STUDY.predictions_of([task for task in TASKS if task in config["applied"]]),


rule evaluate:
    input:
        AUDITED,
        STUDY.summaries_of(TASKS),
        [f"results/evaluate/{table}.differences.tsv" for table in config["tables"]],


rule regress:
    input:
        STUDY.predictions_of([task for task in TASKS if task in config["baselines"]]),


rule explain:
    input:
        EXPLAINED,


rule report:
    input:
        AUDITED,
        REPORTED,


rule draw:
    input:
        DRAWN,


# Beside the tables lie report.html and provenance.html.
for name in STUDY.tables:
    if workflow.is_rule(name) or name == "provenance":
        raise WorkflowError(f"Config: the table {name} has the name of a rule or of another page; give it another.")


# Controls are made when they are asked for by name.
for control in config["controls"]:

    rule:
        name:
            control
        input:
            STUDY.audits_of(STUDY.tasks_of([control])),
            f"results/report/{control}.md",
        localrule: True
