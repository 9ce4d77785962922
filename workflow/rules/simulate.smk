"""Simulate a cohort with known truth, so that the whole study runs without a download.

READS   the section `simulate` of the config, and the template and atlas of installed packages
WRITES  results/simulate/ : a BIDS data set, its scans.tsv, and the truth under derivatives/truth/
"""

PLANS = planned_scans(config["simulate"]).set_index("scan", drop=False)


rule list_simulated_scans:
    """List the simulated scans, and describe the subjects as BIDS asks."""
    output:
        scans="results/simulate/scans.tsv",
        participants="results/simulate/participants.tsv",
        description="results/simulate/dataset_description.json",
        truth="results/simulate/derivatives/truth/dataset_description.json",
    log:
        "results/logs/list_simulated_scans.log",
    benchmark:
        "results/benchmarks/list_simulated_scans.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime="5m",
    params:
        settings=json.dumps(config["simulate"]),
        code=code_digest("neurobar.simulate.list_simulated_scans"),
    shell:
        r"""
        python -m neurobar.simulate.list_simulated_scans \
            --settings {params.settings:q} --output $(dirname {output.scans:q}) >{log:q} 2>&1
        """


rule simulate_scan:
    """Simulate the T1w scan of one session, and keep its true brain mask, volumes and severity."""
    output:
        scan="results/simulate/{subject}/{session}/anat/{subject}_{session}_T1w.nii.gz",
        mask="results/simulate/derivatives/truth/{subject}/{session}/anat/{subject}_{session}_desc-brain_mask.nii.gz",
        truth="results/simulate/derivatives/truth/{subject}/{session}/anat/{subject}_{session}_truth.json",
    log:
        "results/logs/simulate_scan/{subject}_{session}.log",
    benchmark:
        "results/benchmarks/simulate_scan/{subject}_{session}.tsv"
    wildcard_constraints:
        subject="sub-[0-9]+",
        session="ses-[0-9]+",
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime="5m",
    params:
        # The plan of this scan alone: a larger cohort leaves the scans of a smaller one as they are.
        plan=lambda wildcards: PLANS.loc[f"{wildcards.subject}_{wildcards.session}"].to_json(),
        code=code_digest("neurobar.simulate.simulate_scan"),
    shell:
        r"""
        python -m neurobar.simulate.simulate_scan \
            --plan {params.plan:q} --output {output.scan:q} \
            --mask {output.mask:q} --truth {output.truth:q} >{log:q} 2>&1
        """


rule measure_losses:
    """Measure what the disease took from each region over all scans, beside what it was planned to take."""
    input:
        sheet="results/simulate/scans.tsv",
        truths=lambda wildcards: [
            f"results/simulate/derivatives/truth/{plan.subject}/{plan.session}/anat/{plan.scan}_truth.json"
            for plan in PLANS.itertuples()
        ],
    output:
        losses="results/simulate/derivatives/truth/losses.tsv",
    log:
        "results/logs/measure_losses.log",
    benchmark:
        "results/benchmarks/measure_losses.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime="10m",
    params:
        code=code_digest("neurobar.simulate.measure_losses"),
    shell:
        r"""
        python -m neurobar.simulate.measure_losses \
            --sheet {input.sheet:q} --folder results/simulate/derivatives/truth \
            --losses {output.losses:q} >{log:q} 2>&1
        """
