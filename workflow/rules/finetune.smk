# Fine-tune a classifier for each task (a named setting that starts from one run, or afresh), fold and seed.
#
# READS   results/preprocess/cohort.npy, percentiles.npy, cohort.tsv; results/split/; results/pretrain/
# WRITES  results/finetune/{task}/fold-{fold}/seed-{seed}/classifier.safetensors, history.tsv, seen.tsv, predictions.tsv


rule finetune_classifier:
    """Teach a classifier on the training scans of a fold; the fold itself chooses the best epoch."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        audit=ancient(of_split("audit.json")),
        landmarks=of_split("fold-{fold}/landmarks.json"),
        encoder=encoder_of_task,
    output:
        classifier="results/finetune/{task}/fold-{fold}/seed-{seed}/classifier.safetensors",
        history="results/finetune/{task}/fold-{fold}/seed-{seed}/history.tsv",
        seen="results/finetune/{task}/fold-{fold}/seed-{seed}/seen.tsv",
    log:
        "results/logs/finetune_classifier/{task}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/finetune_classifier/{task}/fold-{fold}/seed-{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=GPUS,
        machine=MACHINE,
        mem_mb=lambda wildcards, attempt: attempt * config["training"]["mem_mb"],
        runtime=lambda wildcards, attempt: f"{min(6 * attempt, 24)}h",
    params:
        settings=lambda wildcards: STUDY.told_task(wildcards.task),
        code=code_digest("neurobar.finetune.finetune_classifier"),
    shell:
        r"""
        python -m neurobar.finetune.finetune_classifier \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --encoder {input.encoder:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --machine {resources.machine:q} --threads {threads} --code {params.code:q} \
            --classifier {output.classifier:q} --history {output.history:q} --seen {output.seen:q} >{log:q} 2>&1
        """


rule predict_scans:
    """Predict the probability of the positive class for the selection fold and the test set."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        landmarks=of_split("fold-{fold}/landmarks.json"),
        classifier="results/finetune/{task}/fold-{fold}/seed-{seed}/classifier.safetensors",
    output:
        predictions="results/finetune/{task}/fold-{fold}/seed-{seed}/predictions.tsv",
    log:
        "results/logs/predict_scans/{task}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/predict_scans/{task}/fold-{fold}/seed-{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=min(GPUS, 1),
        machine=MACHINE,
        mem_mb=lambda wildcards, attempt: attempt * config["training"]["mem_mb"],
        runtime=lambda wildcards, attempt: f"{attempt}h",
    params:
        settings=lambda wildcards: STUDY.told_task(wildcards.task),
        code=code_digest("neurobar.finetune.predict_scans"),
    shell:
        r"""
        python -m neurobar.finetune.predict_scans \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --classifier {input.classifier:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --machine {resources.machine:q} --threads {threads} \
            --predictions {output.predictions:q} >{log:q} 2>&1
        """
