# Bring each raw head onto the grid: register, strip, correct, resample once, check.
#
# READS   the raw scans of the sheet; results/fetch/ template, mask, head and depth
# WRITES  results/preprocess/{scan}/ : volume.nii.gz, native_brain_mask.nii.gz, registration.json, check.json, check.png


rule register_scan:
    """Find the head in the scan, and its affine transform and deformation to the template."""
    input:
        scan=scan_path,
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
        mem_mb=2000,
        runtime="10m",
    params:
        settings=json.dumps(config["preprocess"]["registration"]),
        code=code_digest("neurobar.preprocess.register_scan"),
    shell:
        r"""
        python -m neurobar.preprocess.register_scan \
            --scan {input.scan:q} --head {input.head:q} --depth {input.depth:q} \
            --settings {params.settings:q} --registration {output.registration:q} \
            --deformation {output.deformation:q} >{log:q} 2>&1
        """


rule strip_skull:
    """Carry the brain mask of the template back to the scan, and blank what is outside."""
    input:
        scan=scan_path,
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
    threads: 1
    resources:
        mem_mb=2000,
        runtime="10m",
    params:
        growth_mm=config["preprocess"]["mask_growth_mm"],
        code=code_digest("neurobar.preprocess.strip_skull"),
    shell:
        r"""
        python -m neurobar.preprocess.strip_skull \
            --scan {input.scan:q} --depth {input.depth:q} --registration {input.registration:q} \
            --deformation {input.deformation:q} --growth-mm {params.growth_mm:q} \
            --mask {output.mask:q} --volume {output.volume:q} >{log:q} 2>&1
        """


rule correct_bias:
    """Remove the slow intensity drift of the receive coil, inside the brain."""
    input:
        volume="results/preprocess/{scan}/t1w_stripped.nii.gz",
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
    output:
        volume=temp("results/preprocess/{scan}/t1w_n4.nii.gz"),
    log:
        "results/logs/correct_bias/{scan}.log",
    benchmark:
        "results/benchmarks/correct_bias/{scan}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="10m",
    params:
        spline_mm=config["preprocess"]["n4_spline_mm"],
        code=code_digest("neurobar.preprocess.correct_bias"),
    shell:
        r"""
        python -m neurobar.preprocess.correct_bias \
            --volume {input.volume:q} --mask {input.mask:q} \
            --spline-mm {params.spline_mm:q} \
            --output {output.volume:q} >{log:q} 2>&1
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
        mem_mb=2000,
        runtime="10m",
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
    """Measure how well the scan came through, decide whether it passes, and draw it."""
    input:
        scan=scan_path,
        mask="results/preprocess/{scan}/native_brain_mask.nii.gz",
        corrected="results/preprocess/{scan}/t1w_n4.nii.gz",
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
        mem_mb=2000,
        runtime="10m",
    params:
        limits=json.dumps(config["preprocess"]["limits"]),
        code=code_digest("neurobar.preprocess.check_scan"),
    shell:
        r"""
        python -m neurobar.preprocess.check_scan \
            --scan {input.scan:q} --mask {input.mask:q} --corrected {input.corrected:q} \
            --volume {input.volume:q} --registration {input.registration:q} \
            --template {input.template:q} --template-mask {input.template_mask:q} \
            --name {wildcards.scan:q} --limits {params.limits:q} \
            --check {output.check:q} --picture {output.picture:q} >{log:q} 2>&1
        """


rule pack_volumes:
    """Put the volumes of all scans that passed their checks into one array; later stages open no image."""
    input:
        volumes=expand("results/preprocess/{scan}/volume.nii.gz", scan=PREPROCESSED),
        checks=expand("results/preprocess/{scan}/check.json", scan=PREPROCESSED),
    output:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
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
        # Names alone: the paths of tens of thousands of scans would not fit a command line.
        scans=SCANS["scan"].tolist(),
        percentiles=json.dumps(config["landmarks"]["percentiles"]),
        keep=json.dumps(config["preprocess"]["keep"]),
        exclude=json.dumps(config["preprocess"]["exclude"]),
        code=code_digest("neurobar.preprocess.pack_volumes"),
    shell:
        r"""
        python -m neurobar.preprocess.pack_volumes \
            --folder results/preprocess --scans {params.scans:q} --at {params.percentiles:q} \
            --keep {params.keep:q} --exclude {params.exclude:q} \
            --volumes {output.volumes:q} --percentiles {output.percentiles:q} --table {output.table:q} >{log:q} 2>&1
        """
