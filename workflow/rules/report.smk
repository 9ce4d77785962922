# Turn scores into the tables of a paper, and say what made them.
#
# READS   results/evaluate/; results/split/{split}/folds.tsv, results/preprocess/cohort.tsv; of external cohorts both of
#         results/apply/{cohort}/; of all stages results/benchmarks/, results/logs/; results/fetch/, the sheets of scans
# WRITES  results/report/{table}.csv, .differences.csv, .md, .tex, .html; provenance.json, .html

from neurobar.data.disclosures import tell_settings

TOLD_SETTINGS = tell_settings(config, anonymise=config["report"]["anonymise"])
# The others say where training computes, which reruns nothing.
TOLD_SETTINGS["training"] = {key: value for key, value in TOLD_SETTINGS["training"].items() if key in STUDY.of_training}


rule write_table:
    """Lay our figures, with their spread and intervals, beside the paper's, and say how the rows differ."""
    input:
        # It waits for audits, and reads nothing of them.
        audits=ancient(of_table(STUDY.audits_of)),
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


rule write_provenance:
    """Say which code, settings, versions, inputs and machine made the tables and figures, and what each rule took."""
    input:
        # After everything that is reported, so that what it took is known.
        tables=TABLES,
        explained=EXPLAINED,
        drawn=lambda wildcards: DRAWN,
        sheets=sheets_of_study,
        record="results/fetch/template.json",
        template="results/fetch/template.nii.gz",
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
        percentiles="results/preprocess/percentiles.npy",
        packed="results/preprocess/cohort.tsv",
        folds=f"results/split/{config['finetune']['split']}/folds.tsv",
    output:
        provenance="results/report/provenance.json",
        page=report("results/report/provenance.html", category="7 Provenance", labels={"figure": "Provenance"}),
    log:
        "results/logs/write_provenance.log",
    benchmark:
        "results/benchmarks/write_provenance.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
        machine=MACHINE,
    params:
        settings=lambda wildcards: write_json(TOLD_SETTINGS),
        codes=codes_of_rules,
        anonymise=json.dumps(config["report"]["anonymise"]),
        code=code_digest("neurobar.report.write_provenance"),
    shell:
        r"""
        python -m neurobar.report.write_provenance \
            --settings {params.settings:q} --machine {resources.machine:q} --codes {params.codes:q} \
            --anonymise {params.anonymise:q} \
            --record {input.record:q} --template {input.template:q} --atlas {input.atlas:q} --regions {input.regions:q} \
            --percentiles {input.percentiles:q} --packed {input.packed:q} --folds {input.folds:q} \
            --benchmarks results/benchmarks --logs results/logs \
            --provenance {output.provenance:q} --page {output.page:q} \
            -- {input.sheets:q} >{log:q} 2>&1
        """
