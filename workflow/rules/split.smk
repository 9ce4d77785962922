# Split the subjects into a test set and folds, and learn from each fold's training scans how intensities are spread.
#
# READS   the sheet of scans; results/preprocess/cohort.tsv, percentiles.npy
# WRITES  results/split/{split}/folds.tsv, audit.json, fold-{fold}/landmarks.json


rule make_folds:
    """Put each subject, with all its scans, into the test set or one fold."""
    input:
        # What matters of the sheet is in the params: an edit of another column splits nothing anew.
        sheet=ancient(sheet_of_study),
        table="results/preprocess/cohort.tsv",
    output:
        folds="results/split/{split}/folds.tsv",
    log:
        "results/logs/make_folds/{split}.log",
    benchmark:
        "results/benchmarks/make_folds/{split}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        # A function, since Snakemake would take `{task}` in a string for a wildcard.
        cohort=lambda wildcards: json.dumps(config["cohort"]),
        subjects=SUBJECTS_DIGEST,
        settings=lambda wildcards: json.dumps(STUDY.split(wildcards.split)),
        code=code_digest("neurobar.split.make_folds"),
    shell:
        r"""
        python -m neurobar.split.make_folds \
            --sheet={input.sheet:q} --table {input.table:q} \
            --cohort {params.cohort:q} --settings {params.settings:q} \
            --folds {output.folds:q} >{log:q} 2>&1
        """


rule fit_landmarks:
    """Average the intensity landmarks of the training scans of one fold."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds="results/split/{split}/folds.tsv",
    output:
        landmarks="results/split/{split}/fold-{fold}/landmarks.json",
    log:
        "results/logs/fit_landmarks/{split}/fold-{fold}.log",
    benchmark:
        "results/benchmarks/fit_landmarks/{split}/fold-{fold}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code_digest("neurobar.split.fit_landmarks"),
    shell:
        r"""
        python -m neurobar.split.fit_landmarks \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --fold {wildcards.fold:q} \
            --landmarks {output.landmarks:q} >{log:q} 2>&1
        """


rule audit_folds:
    """Stop the run if a subject is in two parts, or a landmark was fitted on a scan outside its fold."""
    input:
        folds="results/split/{split}/folds.tsv",
        landmarks=expand("results/split/{{split}}/fold-{fold}/landmarks.json", fold=FOLDS),
    output:
        audit="results/split/{split}/audit.json",
    log:
        "results/logs/audit_folds/{split}.log",
    benchmark:
        "results/benchmarks/audit_folds/{split}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        by=lambda wildcards: STUDY.split(wildcards.split)["by"],
        code=code_digest("neurobar.split.audit_folds"),
    shell:
        r"""
        python -m neurobar.split.audit_folds \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --by {params.by:q} \
            --audit {output.audit:q} >{log:q} 2>&1
        """
