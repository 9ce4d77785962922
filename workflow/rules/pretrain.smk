# Pre-train an encoder for each run (a named setting of mixing and losses), fold and seed.
#
# READS   results/preprocess/cohort.npy, percentiles.npy, cohort.tsv; results/split/; results/fetch/atlas.nii.gz
# WRITES  results/pretrain/{run}/fold-{fold}/seed-{seed}/encoder.safetensors, decoder.safetensors, history.tsv,
#         seen.tsv


rule pretrain_encoder:
    """Teach an encoder to tell how mixed two views of a scan are, and to restore what was hidden from it."""
    input:
        volumes="results/preprocess/cohort.npy",
        percentiles="results/preprocess/percentiles.npy",
        table="results/preprocess/cohort.tsv",
        folds=of_split("folds.tsv"),
        audit=ancient(of_split("audit.json")),
        landmarks=of_split("fold-{fold}/landmarks.json"),
        atlas="results/fetch/atlas.nii.gz",
    output:
        encoder="results/pretrain/{run}/fold-{fold}/seed-{seed}/encoder.safetensors",
        decoder="results/pretrain/{run}/fold-{fold}/seed-{seed}/decoder.safetensors",
        history="results/pretrain/{run}/fold-{fold}/seed-{seed}/history.tsv",
        seen="results/pretrain/{run}/fold-{fold}/seed-{seed}/seen.tsv",
    log:
        "results/logs/pretrain_encoder/{run}/fold-{fold}/seed-{seed}.log",
    benchmark:
        "results/benchmarks/pretrain_encoder/{run}/fold-{fold}/seed-{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: config["training"]["threads"]
    resources:
        gpu=GPUS,
        machine=MACHINE,
        mem_mb=lambda wildcards, attempt: attempt * config["training"]["mem_mb"],
        runtime=lambda wildcards, attempt: f"{min(12 * attempt, 24)}h",
    params:
        settings=lambda wildcards: STUDY.told_run(wildcards.run),
        code=code_of_run,
    shell:
        r"""
        python -m neurobar.pretrain.pretrain_encoder \
            --volumes {input.volumes:q} --percentiles {input.percentiles:q} --table {input.table:q} \
            --folds {input.folds:q} --landmarks {input.landmarks:q} --atlas {input.atlas:q} \
            --fold {wildcards.fold:q} --seed {wildcards.seed:q} --settings {params.settings:q} \
            --machine {resources.machine:q} --threads {threads} --code {params.code:q} \
            --encoder {output.encoder:q} --decoder {output.decoder:q} \
            --history {output.history:q} --seen {output.seen:q} >{log:q} 2>&1
        """
