# Turn scores into the tables of a paper.
#
# READS   results/evaluate/, results/split/{split}/folds.tsv, results/preprocess/cohort.tsv
# WRITES  results/report/{table}.csv, .differences.csv, .md, .tex


rule write_table:
    """Lay our figures, with their spread and intervals, beside the paper's, and say how the rows differ."""
    input:
        audits=of_table(STUDY.audits_of),
        folds=of_table(STUDY.folds_of),
        packed="results/preprocess/cohort.tsv",
        summaries=of_table(STUDY.summaries_of),
        differences="results/evaluate/{table}.differences.tsv",
    output:
        multiext("results/report/{table}", ".csv", ".differences.csv", ".md", ".tex"),
    log:
        "results/logs/write_table/{table}.log",
    benchmark:
        "results/benchmarks/write_table/{table}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        table=lambda wildcards: json.dumps(STUDY.tables[wildcards.table]),
        study=config["study"],
        cohort=json.dumps(config["cohort"]),
        scores=lambda wildcards: STUDY.tables[wildcards.table].get("scores", config["report"]["scores"]),
        threshold=config["evaluate"]["threshold"],
        simulated="--simulated" if SIMULATED else "",
        paper="--paper" if config["report"]["paper_figures"] else "",
        code=code_digest("neurobar.report.write_table"),
    shell:
        r"""
        python -m neurobar.report.write_table \
            --table {params.table:q} --study {params.study:q} {params.simulated} {params.paper} --cohort {params.cohort:q} \
            --scores {params.scores:q} --threshold {params.threshold:q} \
            --folds {input.folds:q} --packed {input.packed:q} \
            --summaries {input.summaries:q} --differences {input.differences:q} \
            --output results/report/{wildcards.table:q} >{log:q} 2>&1
        """
