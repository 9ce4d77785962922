# Score what was predicted, and make sure that no training job saw a scan it must not see.
#
# READS   results/finetune/, results/pretrain/, results/regress/, results/explain/, results/apply/;
#         results/split/{split}/folds.tsv, results/apply/{cohort}/folds.tsv
# WRITES  results/evaluate/{task}/audit.json, scores.tsv, summary.tsv; {table}.differences.tsv

# Tables wait for audits but read nothing of them, so a study names them itself: one that failed is looked at again.
AUDITED_SPLITS = expand("results/split/{split}/audit.json", split=sorted({*STUDY.splits_of(TASKS)}))
AUDITED = AUDITED_SPLITS + STUDY.audits_of(TASKS)


rule audit_training:
    """Stop the run if an anchor, a donor or a selecting scan came from outside its part of the fold."""
    input:
        folds=of_split("folds.tsv"),
        external=lambda wildcards: STUDY.external_of([wildcards.task]),
        seen=lambda wildcards: STUDY.seen_of(wildcards.task),
    output:
        audit="results/evaluate/{task}/audit.json",
    log:
        "results/logs/audit_training/{task}.log",
    benchmark:
        "results/benchmarks/audit_training/{task}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        by=lambda wildcards: STUDY.split(STUDY.task(wildcards.task)["split"])["by"],
        code=code_digest("neurobar.evaluate.audit_training"),
    shell:
        r"""
        python -m neurobar.evaluate.audit_training \
            --folds {input.folds:q} --external {input.external:q} --by {params.by:q} --seen {input.seen:q} \
            --audit {output.audit:q} >{log:q} 2>&1
        """


rule score_predictions:
    """Score the predictions of one task on the test set, for each fold and seed, and estimate intervals."""
    input:
        predictions=lambda wildcards: STUDY.predictions_of([wildcards.task]),
    output:
        scores="results/evaluate/{task}/scores.tsv",
        summary="results/evaluate/{task}/summary.tsv",
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
        bootstrap=json.dumps(config["evaluate"]["bootstrap"]),
        code=code_digest("neurobar.evaluate.score_predictions"),
    shell:
        r"""
        python -m neurobar.evaluate.score_predictions \
            --predictions {input.predictions:q} \
            --threshold {params.threshold:q} --bootstrap {params.bootstrap:q} \
            --scores {output.scores:q} --summary {output.summary:q} >{log:q} 2>&1
        """


rule compare_tasks:
    """Compare the tasks of one table, two by two, on the test scans that they share."""
    input:
        predictions=of_table(STUDY.predictions_of),
        folds=of_table(STUDY.folds_of),
        trained=of_table(STUDY.trained_of),
    output:
        differences="results/evaluate/{table}.differences.tsv",
    log:
        "results/logs/compare_tasks/{table}.log",
    benchmark:
        "results/benchmarks/compare_tasks/{table}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        reference=lambda wildcards: STUDY.tables[wildcards.table].get("reference", []),
        scores=config["evaluate"]["compare"],
        threshold=config["evaluate"]["threshold"],
        bootstrap=json.dumps(config["evaluate"]["bootstrap"]),
        code=code_digest("neurobar.evaluate.compare_tasks"),
    shell:
        r"""
        python -m neurobar.evaluate.compare_tasks \
            --predictions {input.predictions:q} --folds {input.folds:q} --trained {input.trained:q} \
            --reference {params.reference:q} --scores {params.scores:q} \
            --threshold {params.threshold:q} --bootstrap {params.bootstrap:q} \
            --differences {output.differences:q} >{log:q} 2>&1
        """
