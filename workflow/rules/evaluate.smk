# Score what was predicted, and make sure that no training job saw a scan it must not see.
#
# READS   results/finetune/, results/pretrain/, results/split/folds.tsv
# WRITES  results/evaluate/audit.json, {task}/scores.tsv


rule audit_training:
    """Stop the run if an anchor, a donor or a selecting scan came from outside its part of the fold."""
    input:
        folds="results/split/folds.tsv",
        pretraining=expand("results/pretrain/{run}/fold-{fold}/seed-{seed}/seen.tsv", run=RUNS, fold=FOLDS, seed=SEEDS),
        finetuning=expand(
            "results/finetune/{task}/fold-{fold}/seed-{seed}/seen.tsv", task=TASKS, fold=FOLDS, seed=SEEDS
        ),
    output:
        audit="results/evaluate/audit.json",
    log:
        "results/logs/audit_training.log",
    benchmark:
        "results/benchmarks/audit_training.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code_digest("neurobar.evaluate.audit_training"),
    shell:
        r"""
        python -m neurobar.evaluate.audit_training \
            --folds {input.folds:q} --seen {input.pretraining:q} {input.finetuning:q} \
            --audit {output.audit:q} >{log:q} 2>&1
        """


rule score_predictions:
    """Score the predictions of one task on the test set, for each fold and seed."""
    input:
        predictions=expand("results/finetune/{{task}}/fold-{fold}/seed-{seed}/predictions.tsv", fold=FOLDS, seed=SEEDS),
    output:
        scores="results/evaluate/{task}/scores.tsv",
    log:
        "results/logs/score_predictions/{task}.log",
    benchmark:
        "results/benchmarks/score_predictions/{task}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        threshold=config["evaluate"]["threshold"],
        code=code_digest("neurobar.evaluate.score_predictions"),
    shell:
        r"""
        python -m neurobar.evaluate.score_predictions \
            --predictions {input.predictions:q} --threshold {params.threshold:q} \
            --scores {output.scores:q} >{log:q} 2>&1
        """
