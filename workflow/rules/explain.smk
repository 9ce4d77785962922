# Explain predictions by region, and score the explanation where the truth is known.
#
# READS   results/finetune/{task}/.../classifier.safetensors, results/preprocess/cohort.npy, percentiles.npy, cohort.tsv;
#         results/split/; results/fetch/atlas.nii.gz, regions.tsv; results/simulate/derivatives/truth/losses.tsv
# WRITES  results/explain/{task}/fold-{fold}/seed-{seed}/explanation.tsv, seen.tsv; {task}/regions.tsv, scores.tsv


rule explain_regions:
    """Replace each region of a test scan by that of healthy training scans, and see how the probability changes."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        landmarks=of_split("fold-{fold}/landmarks.json"),
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
        classifier="results/finetune/{task}/fold-{fold}/seed-{seed}/classifier.safetensors",
    output:
        explanation="results/explain/{task}/fold-{fold}/seed-{seed}/explanation.tsv",
        seen="results/explain/{task}/fold-{fold}/seed-{seed}/seen.tsv",
    log:
        "results/logs/explain_regions/{task}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/explain_regions/{task}/fold-{fold}/seed-{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=min(GPUS, 1),
        machine=MACHINE,
        mem_mb=lambda wildcards, attempt: attempt * config["training"]["mem_mb"],
        runtime=lambda wildcards, attempt: f"{min(6 * attempt, 24)}h",
    params:
        # One region may change the probability by less than bfloat16 can tell.
        settings=json.dumps(STUDY.of_training | {"precision": "float32"}),
        donors=config["explain"]["donors"],
        steps=config["explain"]["steps"],
        code=code_digest("neurobar.explain.explain_regions"),
    shell:
        r"""
        python -m neurobar.explain.explain_regions \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --classifier {input.classifier:q} \
            --atlas {input.atlas:q} --regions {input.regions:q} --donors {params.donors:q} --steps {params.steps:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --machine {resources.machine:q} --threads {threads} \
            --explanation {output.explanation:q} --seen {output.seen:q} >{log:q} 2>&1
        """


rule summarise_regions:
    """Average the explanations of one task over its test scans, and rank the regions."""
    input:
        explanations=lambda wildcards: STUDY.of_jobs([f"explain/{wildcards.task}"], "explanation.tsv"),
    output:
        regions="results/explain/{task}/regions.tsv",
    log:
        "results/logs/summarise_regions/{task}.log",
    benchmark:
        "results/benchmarks/summarise_regions/{task}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        bootstrap=json.dumps(config["evaluate"]["bootstrap"]),
        code=code_digest("neurobar.explain.summarise_regions"),
    shell:
        r"""
        python -m neurobar.explain.summarise_regions \
            --explanations {input.explanations:q} --bootstrap {params.bootstrap:q} \
            --regions {output.regions:q} >{log:q} 2>&1
        """


rule score_explanation:
    """Score how well an explanation of simulated scans finds the regions that the disease took from."""
    input:
        explanations=lambda wildcards: STUDY.of_jobs([f"explain/{wildcards.task}"], "explanation.tsv"),
        losses="results/simulate/derivatives/truth/losses.tsv",
    output:
        scores="results/explain/{task}/scores.tsv",
    log:
        "results/logs/score_explanation/{task}.log",
    benchmark:
        "results/benchmarks/score_explanation/{task}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        bootstrap=json.dumps(config["evaluate"]["bootstrap"]),
        code=code_digest("neurobar.explain.score_explanation"),
    shell:
        r"""
        python -m neurobar.explain.score_explanation \
            --explanations {input.explanations:q} --losses {input.losses:q} --bootstrap {params.bootstrap:q} \
            --scores {output.scores:q} >{log:q} 2>&1
        """
