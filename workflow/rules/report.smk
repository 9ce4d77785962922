# Turn scores into the tables of a paper.
#
# READS   results/evaluate/; results/split/{split}/folds.tsv, results/preprocess/cohort.tsv; of external cohorts both of
#         results/apply/{cohort}/
# WRITES  results/report/{table}.csv, .differences.csv, .md, .tex, .html


rule write_table:
    """Lay our figures, with their spread and intervals, beside the paper's, and say how the rows differ."""
    input:
        audits=of_table(STUDY.audits_of),
        folds=of_table(STUDY.folds_of),
        packed=of_table(STUDY.packed_of),
        summaries=of_table(STUDY.summaries_of),
        differences="results/evaluate/{table}.differences.tsv",
    output:
        multiext("results/report/{table}", ".csv", ".differences.csv", ".md", ".tex"),
        page=report(
            "results/report/{table}.html",
            category="5 Results",
            labels={"table": "{table}", "figure": "Table"},
        ),
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
        table=lambda wildcards: write_json(STUDY.tables[wildcards.table]),
        cohorts=of_table(STUDY.told_cohorts),
        scores=lambda wildcards: STUDY.tables[wildcards.table].get("scores", config["report"]["scores"]),
        threshold=config["evaluate"]["threshold"],
        simulated="--simulated" if SIMULATED else "",
        paper="--paper" if config["report"]["paper_figures"] else "",
        code=code_digest("neurobar.report.write_table"),
    shell:
        r"""
        python -m neurobar.report.write_table \
            --table {params.table:q} --cohorts {params.cohorts:q} {params.simulated} {params.paper} \
            --scores {params.scores:q} --threshold {params.threshold:q} \
            --folds {input.folds:q} --packed {input.packed:q} \
            --summaries {input.summaries:q} --differences {input.differences:q} \
            --output results/report/{wildcards.table:q} >{log:q} 2>&1
        """
