# Plain baselines that a deep model must beat: logistic regression on age, sex and the volumes of regions.
#
# READS   results/preprocess/cohort.npy, cohort.tsv; results/fetch/atlas.nii.gz, regions.tsv; results/split/
# WRITES  results/regress/volumes.tsv; {task}/fold-{fold}/seed-{seed}/predictions.tsv, coefficients.tsv, seen.tsv


rule measure_regions:
    """Measure in each scan by itself how much tissue is left in each region, and how much fluid there is."""
    input:
        volumes="results/preprocess/cohort.npy",
        table="results/preprocess/cohort.tsv",
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
    output:
        measures="results/regress/volumes.tsv",
    log:
        "results/logs/measure_regions.log",
    benchmark:
        "results/benchmarks/measure_regions.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="2h",
    params:
        code=code_digest("neurobar.regress.measure_regions"),
    shell:
        r"""
        python -m neurobar.regress.measure_regions \
            --volumes {input.volumes:q} --table {input.table:q} \
            --atlas {input.atlas:q} --regions {input.regions:q} \
            --measures {output.measures:q} >{log:q} 2>&1
        """


rule fit_regression:
    """Fit a logistic regression on the training scans of a fold, and predict its selection fold and the test set."""
    input:
        # What goes by age and sex alone has nothing to do with volumes.
        measures=lambda wildcards: ["results/regress/volumes.tsv"]
        * ("regions" in STUDY.task(wildcards.task)["features"]),
        folds=of_split("folds.tsv"),
        audit=ancient(of_split("audit.json")),
    output:
        predictions="results/regress/{task}/fold-{fold}/seed-{seed}/predictions.tsv",
        coefficients="results/regress/{task}/fold-{fold}/seed-{seed}/coefficients.tsv",
        seen="results/regress/{task}/fold-{fold}/seed-{seed}/seen.tsv",
    log:
        "results/logs/fit_regression/{task}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/fit_regression/{task}/fold-{fold}/seed-{seed}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        settings=features_of_baseline,
        code=code_digest("neurobar.regress.fit_regression"),
    shell:
        r"""
        python -m neurobar.regress.fit_regression \
            --measures {input.measures:q} --folds {input.folds:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --predictions {output.predictions:q} --coefficients {output.coefficients:q} \
            --seen {output.seen:q} >{log:q} 2>&1
        """
