# Make of a trained task a folder that `neurobar predict` loads anywhere. It is made when it is asked for.
#
# READS   results/finetune/{task}/, results/evaluate/{task}/, results/split/; results/preprocess/cohort.npy, percentiles.npy,
#         cohort.tsv; results/fetch/
# WRITES  results/export/{task}/ : README.md (model card), config.json, scores.tsv, SHA256SUMS; fold-{fold}_seed-{seed}/ weights;
#         fold-{fold}/ landmarks and mean healthy scan; fetch/ template and atlas

# Of the study's settings, those that tell how a new scan is treated, and what the model is; no name or path of a scan.
TOLD_MODEL = STUDY.of_training | {
    "study": config["study"],
    "simulated": SIMULATED,
    "classes": {key: config["cohort"][key] for key in ("label", "negative", "positive")},
    # The path of a head is here only to be refused.
    "template": {"head": config["template"]["head"]},
    "preprocess": {
        key: value for key, value in config["preprocess"].items() if key not in ("keep", "exclude", "hd_bet_device")
    },
    "percentiles": config["landmarks"]["percentiles"],
    "threshold": config["evaluate"]["threshold"],
}


rule export_model:
    """Copy the models of a task with all that a new scan needs, the mean of healthy scans, and a card; nobody's scan."""
    input:
        audit=ancient("results/evaluate/{task}/audit.json"),
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        landmarks=lambda wildcards: [of_split(f"fold-{fold}/landmarks.json")(wildcards) for fold in FOLDS],
        classifiers=lambda wildcards: STUDY.of_jobs([f"finetune/{wildcards.task}"], "classifier.safetensors"),
        predictions=lambda wildcards: STUDY.predictions_of([wildcards.task]),
        summary="results/evaluate/{task}/summary.tsv",
        scores="results/evaluate/{task}/scores.tsv",
        fetched=multiext("results/fetch/template", ".nii.gz", "_mask.nii.gz", "_head.nii.gz", "_depth.nii.gz"),
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
    output:
        folder=directory("results/export/{task}"),
    log:
        "results/logs/export_model/{task}.log",
    benchmark:
        "results/benchmarks/export_model/{task}.tsv"
    wildcard_constraints:
        # Baselines are fitted for the tables alone.
        task="|".join(config["tasks"]),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        settings=lambda wildcards: json.dumps(
            TOLD_MODEL
            | {
                "task": wildcards.task,
                "method": STUDY.name_of(wildcards.task),
                "run": STUDY.task(wildcards.task)["run"],
            }
            | {"finetune": STUDY.task(wildcards.task), "split": STUDY.split(STUDY.task(wildcards.task)["split"])}
        ),
        bootstrap=json.dumps(config["evaluate"]["bootstrap"]),
        code=code_digest("neurobar.export.export_model"),
    shell:
        r"""
        python -m neurobar.export.export_model \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} \
            --classifiers {input.classifiers:q} --predictions {input.predictions:q} \
            --summary {input.summary:q} --scores {input.scores:q} --fetched results/fetch \
            --settings {params.settings:q} --bootstrap {params.bootstrap:q} \
            --output {output.folder:q} >{log:q} 2>&1
        """
