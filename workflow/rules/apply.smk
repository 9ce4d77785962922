# Put trained classifiers to the test on external cohorts, from which nothing is learned.
#
# READS   the sheets of external cohorts; results/preprocess/{scan}/; results/split/; results/finetune/
# WRITES  results/apply/{cohort}/ : checks.tsv, cohort.tsv, cohort.npy, percentiles.npy, folds.tsv
#         results/apply/{task}/fold-{fold}/seed-{seed}/predictions.tsv, seen.tsv

LISTED = ["scan", "subject", "label", "age", "sex"]
COMING_THROUGH = {
    cohort: [scan for scan in scans["scan"] if scan not in config["preprocess"]["exclude"]]
    for cohort, scans in EXTERNAL.items()
}


# The rule of the study's own scans, for those of an external cohort.
use rule judge_scans as judge_external with:
    input:
        sheet=ancient(lambda wildcards: STUDY.external[wildcards.cohort]["scans"]),
        checks=lambda wildcards: expand("results/preprocess/{scan}/check.json", scan=COMING_THROUGH[wildcards.cohort]),
    output:
        checks="results/apply/{cohort}/checks.tsv",
        table="results/apply/{cohort}/cohort.tsv",
    log:
        "results/logs/judge_external/{cohort}.log",
    benchmark:
        "results/benchmarks/judge_external/{cohort}.tsv"
    params:
        scans=lambda wildcards: digest_names(EXTERNAL[wildcards.cohort]["scan"]),
        ignored=lambda wildcards: rosters.tell_ignored(STUDY.external[wildcards.cohort]),
        keep=lambda wildcards: rosters.among(EXTERNAL[wildcards.cohort], config["preprocess"]["keep"]),
        exclude=lambda wildcards: rosters.among(EXTERNAL[wildcards.cohort], config["preprocess"]["exclude"]),


use rule pack_volumes as pack_external with:
    input:
        table="results/apply/{cohort}/cohort.tsv",
        volumes=lambda wildcards: expand(
            "results/preprocess/{scan}/volume.nii.gz", scan=COMING_THROUGH[wildcards.cohort]
        ),
    output:
        volumes="results/apply/{cohort}/cohort.npy",
        percentiles="results/apply/{cohort}/percentiles.npy",
    log:
        "results/logs/pack_external/{cohort}.log",
    benchmark:
        "results/benchmarks/pack_external/{cohort}.tsv"


rule list_external:
    """List the scans of an external cohort that take part, with their labels, as one test set."""
    input:
        # What matters of the sheet is in the params: an edit of another column predicts nothing anew.
        sheet=ancient(lambda wildcards: STUDY.external[wildcards.cohort]["scans"]),
        table="results/apply/{cohort}/cohort.tsv",
    output:
        folds="results/apply/{cohort}/folds.tsv",
    log:
        "results/logs/list_external/{cohort}.log",
    benchmark:
        "results/benchmarks/list_external/{cohort}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        cohort=lambda wildcards: STUDY.told_external(wildcards.cohort),
        subjects=lambda wildcards: rosters.digest_scans(EXTERNAL[wildcards.cohort], LISTED),
        code=code_digest("neurobar.apply.list_external"),
    shell:
        r"""
        python -m neurobar.apply.list_external \
            --sheet={input.sheet:q} --table {input.table:q} --cohort {params.cohort:q} \
            --folds {output.folds:q} >{log:q} 2>&1
        """


rule apply_classifier:
    """Predict an external cohort with the landmarks and the classifier of one fold, as they are."""
    input:
        volumes=of_external("cohort.npy"),
        percentiles=of_external("percentiles.npy"),
        table=of_external("cohort.tsv"),
        folds=of_external("folds.tsv"),
        landmarks=of_split("fold-{fold}/landmarks.json"),
        classifier=of_source("classifier.safetensors"),
        # The scans of its own selection fold may choose the threshold.
        selecting=of_source("predictions.tsv"),
    output:
        predictions="results/apply/{task}/fold-{fold}/seed-{seed}/predictions.tsv",
        seen="results/apply/{task}/fold-{fold}/seed-{seed}/seen.tsv",
    log:
        "results/logs/apply_classifier/{task}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/apply_classifier/{task}/fold-{fold}/seed-{seed}.tsv"
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
        code=code_digest("neurobar.apply.apply_classifier"),
    shell:
        r"""
        python -m neurobar.apply.apply_classifier \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} \
            --classifier {input.classifier:q} --selecting {input.selecting:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --machine {resources.machine:q} --threads {threads} \
            --predictions {output.predictions:q} --seen {output.seen:q} >{log:q} 2>&1
        """
