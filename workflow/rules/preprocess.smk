# Bring each raw head onto the grid: register, strip, correct, resample once, check. Then judge and pack all of them.
#
# READS   the scans of the sheet, and their masks where they are supplied; results/fetch/ template, mask, head and depth
# WRITES  results/preprocess/{scan}/ : volume.nii.gz, native_brain_mask.nii.gz, registration.json, bias.json, check.json, check.png
#         results/preprocess/ : checks.tsv, cohort.tsv, cohort.npy, percentiles.npy


rule register_scan:
    """Find the head in the scan, and its affine transform and deformation to the template."""
    input:
        scan=readable_scan,
        head="results/fetch/template_head.nii.gz",
        depth="results/fetch/template_depth.nii.gz",
    output:
        registration="results/preprocess/{scan}/registration.json",
        deformation=temp("results/preprocess/{scan}/deformation.nii.gz"),
    log:
        "results/logs/register_scan/{scan}.log",
    benchmark:
        "results/benchmarks/register_scan/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        scan=scan_path,
        prepared=prepared,
        settings=json.dumps(config["preprocess"]["registration"]),
        code=code_digest("neurobar.preprocess.register_scan"),
    shell:
        r"""
        python -m neurobar.preprocess.register_scan \
            --scan {params.scan:q} --head {input.head:q} --depth {input.depth:q} \
            --prepared {params.prepared:q} --settings {params.settings:q} \
            --registration {output.registration:q} --deformation {output.deformation:q} >{log:q} 2>&1
        """


rule strip_skull:
    """Mark the brain, by the mask of the template carried back to the scan or as the config says; blank the rest."""
    input:
        scan=scan_path,
        supplied=supplied_mask,
        depth="results/fetch/template_depth.nii.gz",
        registration="results/preprocess/{scan}/registration.json",
        deformation="results/preprocess/{scan}/deformation.nii.gz",
    output:
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
        volume=temp("results/preprocess/{scan}/t1w_stripped.nii.gz"),
    log:
        "results/logs/strip_skull/{scan}.log",
    benchmark:
        "results/benchmarks/strip_skull/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    # HD-BET takes all cores that it finds, whatever it is told.
    threads: 8 if HD_BET else 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt * (8000 if HD_BET else 2000),
        runtime=lambda wildcards, attempt: attempt * (60 if HD_BET else 2),
        gpu=1 if HD_BET and config["preprocess"]["hd_bet_device"] == "cuda" else 0,
    params:
        prepared=prepared,
        method=config["preprocess"]["skull_strip"],
        device=config["preprocess"]["hd_bet_device"] if HD_BET else "cpu",
        growth_mm=config["preprocess"]["mask_growth_mm"] if config["preprocess"]["skull_strip"] == "atlas" else 0,
        code=code_digest("neurobar.preprocess.strip_skull"),
    shell:
        r"""
        python -m neurobar.preprocess.strip_skull \
            --scan {input.scan:q} --prepared {params.prepared:q} --method {params.method:q} \
            --supplied {input.supplied:q} --device {params.device:q} --growth-mm={params.growth_mm:q} \
            --depth {input.depth:q} --registration {input.registration:q} --deformation {input.deformation:q} \
            --mask {output.mask:q} --volume {output.volume:q} >{log:q} 2>&1
        """


rule correct_bias:
    """Remove the slow intensity drift of the receive coil, inside the brain."""
    input:
        volume="results/preprocess/{scan}/t1w_stripped.nii.gz",
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
    output:
        volume=temp("results/preprocess/{scan}/t1w_n4.nii.gz"),
        bias="results/preprocess/{scan}/bias.json",
    log:
        "results/logs/correct_bias/{scan}.log",
    benchmark:
        "results/benchmarks/correct_bias/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        prepared=prepared,
        spline_mm=config["preprocess"]["n4_spline_mm"],
        code=code_digest("neurobar.preprocess.correct_bias"),
    shell:
        r"""
        python -m neurobar.preprocess.correct_bias \
            --volume {input.volume:q} --mask {input.mask:q} \
            --prepared {params.prepared:q} --spline-mm {params.spline_mm:q} \
            --output {output.volume:q} --bias {output.bias:q} >{log:q} 2>&1
        """


rule resample_scan:
    """Bring the corrected brain onto the grid, in one interpolation."""
    input:
        volume="results/preprocess/{scan}/t1w_n4.nii.gz",
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
        registration="results/preprocess/{scan}/registration.json",
        deformation="results/preprocess/{scan}/deformation.nii.gz",
    output:
        volume="results/preprocess/{scan}/volume.nii.gz",
    log:
        "results/logs/resample_scan/{scan}.log",
    benchmark:
        "results/benchmarks/resample_scan/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        normalisation=config["preprocess"]["normalisation"],
        code=code_digest("neurobar.preprocess.resample_scan"),
    shell:
        r"""
        python -m neurobar.preprocess.resample_scan \
            --volume {input.volume:q} --mask {input.mask:q} \
            --registration {input.registration:q} --deformation {input.deformation:q} \
            --normalisation {params.normalisation:q} --output {output.volume:q} >{log:q} 2>&1
        """


rule check_scan:
    """Measure how well the scan came through, and draw it for a person to see."""
    input:
        # Nothing temporary: another measure or picture registers nothing again.
        scan=scan_path,
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
        bias="results/preprocess/{scan}/bias.json",
        volume="results/preprocess/{scan}/volume.nii.gz",
        registration="results/preprocess/{scan}/registration.json",
        template="results/fetch/template.nii.gz",
        template_mask="results/fetch/template_mask.nii.gz",
    output:
        check="results/preprocess/{scan}/check.json",
        picture="results/preprocess/{scan}/check.png",
    log:
        "results/logs/check_scan/{scan}.log",
    benchmark:
        "results/benchmarks/check_scan/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        prepared=prepared,
        method=config["preprocess"]["skull_strip"],
        code=code_digest("neurobar.preprocess.check_scan"),
    shell:
        r"""
        python -m neurobar.preprocess.check_scan \
            --scan {input.scan:q} --mask {input.mask:q} --bias {input.bias:q} \
            --volume {input.volume:q} --registration {input.registration:q} \
            --template {input.template:q} --template-mask {input.template_mask:q} \
            --name {wildcards.scan:q} --prepared {params.prepared:q} --method {params.method:q} \
            --check {output.check:q} --picture {output.picture:q} >{log:q} 2>&1
        """


rule judge_scans:
    """Leave out the scans whose checks are outside the limits, and list all scans with the unusual ones first."""
    input:
        # Names are read from the sheet, since tens of thousands fit no command line; of the sheet they alone matter.
        # That of a simulated cohort is made by a job, and Snakemake passes over what an ancient output of a job would set off.
        sheet=sheet_of_study if SIMULATED else ancient(sheet_of_study),
        checks=of_scans("check.json"),
    output:
        checks="results/preprocess/checks.tsv",
        table="results/preprocess/cohort.tsv",
    log:
        "results/logs/judge_scans.log",
    benchmark:
        "results/benchmarks/judge_scans.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        scans=digest_names(SCANS["scan"]),
        # A function, since Snakemake would take `{input}` in a string for a wildcard.
        ignored=lambda wildcards: rosters.tell_ignored(config["cohort"] if not SIMULATED else {"ignored": []}),
        limits=json.dumps(config["preprocess"]["limits"]),
        keep=rosters.among(SCANS, config["preprocess"]["keep"]),
        exclude=rosters.among(SCANS, config["preprocess"]["exclude"]),
        code=code_digest("neurobar.preprocess.judge_scans"),
    shell:
        r"""
        python -m neurobar.preprocess.judge_scans \
            --folder results/preprocess --sheet={input.sheet:q} --scans {params.scans:q} --ignored {params.ignored:q} \
            --limits {params.limits:q} --keep {params.keep:q} --exclude {params.exclude:q} \
            --checks {output.checks:q} --table {output.table:q} >{log:q} 2>&1
        """


rule pack_volumes:
    """Put the volumes of all scans that take part into one array; later stages open no image."""
    input:
        table="results/preprocess/cohort.tsv",
        volumes=of_scans("volume.nii.gz"),
    output:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
    log:
        "results/logs/pack_volumes.log",
    benchmark:
        "results/benchmarks/pack_volumes.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="2h",
    params:
        percentiles=json.dumps(config["landmarks"]["percentiles"]),
        code=code_digest("neurobar.preprocess.pack_volumes"),
    shell:
        r"""
        python -m neurobar.preprocess.pack_volumes \
            --folder results/preprocess --table {input.table:q} --at {params.percentiles:q} \
            --volumes {output.volumes:q} --percentiles {output.percentiles:q} >{log:q} 2>&1
        """
