# Turn scores into the tables of a paper.
#
# READS   results/evaluate/, results/split/folds.tsv, results/preprocess/cohort.tsv
# WRITES  results/report/{table}.csv, .md, .tex


rule write_table:
    """Lay our figures, mean and standard deviation over folds, beside the paper's."""
    input:
        audit="results/evaluate/audit.json",
        folds="results/split/folds.tsv",
        packed="results/preprocess/cohort.tsv",
        scores=scores_of_table,
    output:
        multiext("results/report/{table}", ".csv", ".md", ".tex"),
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
        table=lambda wildcards: json.dumps(config["tables"][wildcards.table]),
        study=config["study"],
        cohort=json.dumps(config["cohort"]),
        simulated="--simulated" if SIMULATED else "",
        paper="--paper" if config["report"]["paper_figures"] else "",
        code=code_digest("neurobar.report.write_table"),
    shell:
        r"""
        python -m neurobar.report.write_table \
            --table {params.table:q} --study {params.study:q} {params.simulated} {params.paper} --cohort {params.cohort:q} \
            --folds {input.folds:q} --packed {input.packed:q} --scores results/evaluate \
            --output results/report/{wildcards.table:q} >{log:q} 2>&1
        """
