# Draw the figures of the report: who takes part, how scans came through, what the method does, and what came out.
#
# READS   the sheet of scans; results/preprocess/, split/, fetch/, pretrain/, finetune/, regress/, evaluate/, explain/
# WRITES  results/draw/{subject}/ : each figure as .png and .pdf, or a page as .html; {subject}.tsv with their captions

# Not where the sheet lies: the report shows the params of what it draws. Rules take it as a function, since Snakemake
# would take `{task}` in a string for a wildcard.
TOLD = {key: value for key, value in config["cohort"].items() if key != "scans"}
TOLD_COHORT = write_json(TOLD | {"study": config["study"], "simulated": SIMULATED})
FOLDS_OF_STUDY = f"results/split/{config['finetune']['split']}/folds.tsv"
LANDMARKS_OF_STUDY = FOLDS_OF_STUDY.replace("folds.tsv", "fold-0/landmarks.json")
RUNS = {run: STUDY.run(run) for run in STUDY.runs_of(TASKS)}
RESTORING = [f"results/pretrain/{run}/fold-0/seed-{SEEDS[0]}" for run in RUNS if RUNS[run]["reconstruction_weight"] > 0]
MIXINGS = sorted({RUNS[run]["mixing"] for run in RUNS} - {"none"})
DRAWN = expand("results/draw/{subject}", subject=["cohort", "checks", "views", "training"])
DRAWN += expand("results/draw/scores/{table}", table=config["tables"])
DRAWN += expand("results/draw/{subject}/{task}", subject=["tokens", "explanation"], task=config["explain"]["tasks"])
# Rows whose label is ignored are drawn too.
LISTED_DIGEST = (
    SITES_DIGEST if SIMULATED else rosters.digest_sheet(SHEET, ["scan", "subject", config["cohort"]["label"], "site"])
)
# What all drawings tell the report: a file is a figure of that name, and its words are in the captions.
SHOWN = {"patterns": ["{figure}.png", "{figure}.html"], "caption": "../report/caption.rst", "labels": labels_of_figure}


rule draw_cohort:
    """Draw how scans became a test set and folds, and tabulate who is in each."""
    input:
        # What matters of the sheet is in the params: an edit of another column draws nothing anew.
        sheet=ancient(sheet_of_study),
        table="results/preprocess/cohort.tsv",
        folds=FOLDS_OF_STUDY,
    output:
        figures=report(directory("results/draw/cohort"), category="1 Cohort", **SHOWN),
        captions="results/draw/cohort.tsv",
    log:
        "results/logs/draw_cohort.log",
    benchmark:
        "results/benchmarks/draw_cohort.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        subjects=LISTED_DIGEST,
        code=code_digest("neurobar.draw.draw_cohort"),
    shell:
        r"""
        python -m neurobar.draw.draw_cohort \
            --sheet={input.sheet:q} --table {input.table:q} --folds {input.folds:q} --cohort {params.cohort:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_checks:
    """Draw how each scan came through preprocessing, unusual ones first, and what standardisation does."""
    input:
        checks="results/preprocess/checks.tsv",
        pictures=of_scans("check.png"),
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=FOLDS_OF_STUDY,
        landmarks=LANDMARKS_OF_STUDY,
    output:
        figures=report(directory("results/draw/checks"), category="2 Preprocessing", **SHOWN),
        captions="results/draw/checks.tsv",
    log:
        "results/logs/draw_checks.log",
    benchmark:
        "results/benchmarks/draw_checks.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        limits=write_json(config["preprocess"]["limits"]),
        most=config["report"]["pictures"],
        names="row" if config["report"]["anonymise"] else "scan",
        code=code_digest("neurobar.draw.draw_checks"),
    shell:
        r"""
        python -m neurobar.draw.draw_checks \
            --checks {input.checks:q} --folder results/preprocess --limits {params.limits:q} --most {params.most:q} \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --names {params.names:q} --cohort {params.cohort:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_views:
    """Draw a scan with regions of another in it for each mixing, its second views, and what decoders restore."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=FOLDS_OF_STUDY,
        landmarks=LANDMARKS_OF_STUDY,
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
        encoders=expand("{folder}/encoder.safetensors", folder=RESTORING),
        decoders=expand("{folder}/decoder.safetensors", folder=RESTORING),
    output:
        figures=report(directory("results/draw/views"), category="3 Method", **SHOWN),
        captions="results/draw/views.tsv",
    log:
        "results/logs/draw_views.log",
    benchmark:
        "results/benchmarks/draw_views.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        runs=lambda wildcards: STUDY.told_views(RUNS),
        training=write_json(STUDY.of_training),
        code=code_digest("neurobar.draw.draw_views", *[f"neurobar.transforms.mixings.{name}" for name in MIXINGS]),
    shell:
        r"""
        python -m neurobar.draw.draw_views \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --cohort {params.cohort:q} \
            --atlas {input.atlas:q} --regions {input.regions:q} --runs {params.runs:q} --training {params.training:q} \
            --encoders {input.encoders:q} --decoders {input.decoders:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_training:
    """Draw the losses of every run and task, epoch by epoch and fold by fold."""
    input:
        folds=FOLDS_OF_STUDY,
        pretrained=STUDY.of_jobs([f"pretrain/{run}" for run in RUNS], "history.tsv"),
        finetuned=STUDY.of_jobs([f"finetune/{task}" for task in TASKS if task in config["tasks"]], "history.tsv"),
    output:
        figures=report(directory("results/draw/training"), category="4 Training", **SHOWN),
        captions="results/draw/training.tsv",
    log:
        "results/logs/draw_training.log",
    benchmark:
        "results/benchmarks/draw_training.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        runs=lambda wildcards: write_json(RUNS),
        tasks=write_json({task: STUDY.task(task) for task in TASKS if task in config["tasks"]}),
        code=code_digest("neurobar.draw.draw_training"),
    shell:
        r"""
        python -m neurobar.draw.draw_training \
            --pretrained {input.pretrained:q} --finetuned {input.finetuned:q} --folds {input.folds:q} \
            --cohort {params.cohort:q} --runs {params.runs:q} --tasks {params.tasks:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_scores:
    """Draw the curves, confusion and calibration of each row of a table, and the differences between rows."""
    input:
        predictions=of_table(STUDY.predictions_of),
        folds=of_table(STUDY.folds_of),
        differences="results/evaluate/{table}.differences.tsv",
    output:
        figures=report(directory("results/draw/scores/{table}"), category="5 Results", **SHOWN),
        captions="results/draw/scores/{table}.tsv",
    log:
        "results/logs/draw_scores/{table}.log",
    benchmark:
        "results/benchmarks/draw_scores/{table}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        cohorts=of_table(STUDY.told_cohorts),
        simulated="--simulated" if SIMULATED else "",
        table=lambda wildcards: STUDY.told_figures(wildcards.table),
        threshold=config["evaluate"]["threshold"],
        code=code_digest("neurobar.draw.draw_scores"),
    shell:
        r"""
        python -m neurobar.draw.draw_scores \
            --predictions {input.predictions:q} --folds {input.folds:q} --differences {input.differences:q} \
            --table {params.table:q} --threshold {params.threshold:q} --cohorts {params.cohorts:q} {params.simulated} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_tokens:
    """Draw the class tokens of all scans in two dimensions, by label, age and site."""
    input:
        sheet=ancient(sheet_of_study),
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        landmarks=of_split("fold-0/landmarks.json"),
        classifier=f"results/finetune/{{task}}/fold-0/seed-{SEEDS[0]}/classifier.safetensors",
    output:
        figures=report(directory("results/draw/tokens/{task}"), category="5 Results", **SHOWN),
        captions="results/draw/tokens/{task}.tsv",
    log:
        "results/logs/draw_tokens/{task}.log",
    benchmark:
        "results/benchmarks/draw_tokens/{task}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        subjects=SITES_DIGEST,
        settings=lambda wildcards: STUDY.told_task(wildcards.task),
        seed=SEEDS[0],
        code=code_digest("neurobar.draw.draw_tokens"),
    shell:
        r"""
        python -m neurobar.draw.draw_tokens \
            --sheet={input.sheet:q} --volumes {input.volumes:q} --percentiles {input.percentiles:q} \
            --table {input.table:q} --folds {input.folds:q} --landmarks {input.landmarks:q} \
            --classifier {input.classifier:q} --settings {params.settings:q} --seed {params.seed:q} \
            --cohort {params.cohort:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """


rule draw_explanation:
    """Draw the regions that predictions owe most to, ranked and on the template."""
    input:
        regions="results/explain/{task}/regions.tsv",
        names="results/fetch/regions.tsv",
        atlas="results/fetch/atlas.nii.gz",
        template="results/fetch/template.nii.gz",
    output:
        figures=report(directory("results/draw/explanation/{task}"), category="6 Explanation", **SHOWN),
        captions="results/draw/explanation/{task}.tsv",
    log:
        "results/logs/draw_explanation/{task}.log",
    benchmark:
        "results/benchmarks/draw_explanation/{task}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        cohort=lambda wildcards: TOLD_COHORT,
        row=lambda wildcards: write_json(STUDY.name_of(wildcards.task)),
        code=code_digest("neurobar.draw.draw_explanation"),
    shell:
        r"""
        python -m neurobar.draw.draw_explanation \
            --regions {input.regions:q} --names {input.names:q} --atlas {input.atlas:q} --template {input.template:q} \
            --task {params.row:q} --cohort {params.cohort:q} \
            --figures {output.figures:q} --captions {output.captions:q} >{log:q} 2>&1
        """
