"""What jobs cost, from those that were run: in this study where there are any, else in the default study."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.data.studies import Study
from neurobar.data.volumes import GRID_SHAPE, GRID_SPACING_MM

#: Jobs whose time follows the size of the network and of the cohort.
TRAINING = {"pretrain_encoder": "pretrain", "finetune_classifier": "finetune", "predict_scans": None}
TRAINING |= {"explain_regions": None, "apply_classifier": None, "draw_tokens": None, "draw_views": None}
#: Kept of one scan on average in the cohorts that were measured [bytes]: mask, volume, picture, checks.
SCAN_BYTES = 1.0e6
#: Of logs, benchmarks, tables and figures [bytes].
REST_BYTES = 3e7


def read_measured(folder: Path) -> dict[str, float]:
    """Read how long the jobs of a study took.

    Parameters
    ----------
    folder : pathlib.Path
        `results/benchmarks`: {rule}.tsv or {rule}/ with any tree of files.

    Returns
    -------
    dict of str to float
        Median wall time of each rule [s].
    """
    times: dict[str, list[float]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        times.setdefault(rule, []).append(float(pd.read_csv(path, sep="\t", usecols=["s"])["s"].iloc[-1]))
    return {rule: float(pd.Series(values).median()) for rule, values in times.items()}


def read_shipped() -> pd.DataFrame:
    """Read how long the jobs of the default study took where they were measured.

    Returns
    -------
    pandas.DataFrame
        Index rule; seconds.
    """
    with (files("neurobar.commands") / "costs.tsv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, sep="\t", comment="#", index_col="rule")


def size_of_network(config: dict[str, Any]) -> dict[str, Any]:
    """Return what decides how long one step of training takes."""
    return {"encoder": config["encoder"], "voxel_mm": config["training"]["voxel_mm"]}


def scale_of(rule: str, config: dict[str, Any], default: dict[str, Any], *, scans: int, default_scans: int) -> float:
    """Say how much longer a training job takes than in the default study.

    Parameters
    ----------
    rule : str
        One of `TRAINING`.
    config, default : dict
        Settings of the study and of the default one.
    scans, default_scans : int

    Returns
    -------
    float
        Not a number where the network has another size, which was not measured.
    """
    if size_of_network(config) != size_of_network(default):
        return math.nan
    section = TRAINING[rule]
    epochs = config[section]["epochs"] / default[section]["epochs"] if section else 1.0
    return scans / default_scans * epochs


def estimate(
    jobs: dict[str, int],
    config: dict[str, Any],
    default: dict[str, Any],
    *,
    scans: int,
    default_scans: int,
    measured: dict[str, float],
) -> pd.DataFrame:
    """Estimate what jobs cost.

    Parameters
    ----------
    jobs : dict of str to int
        Jobs of each rule.
    config, default : dict
        Settings of the study and of the default one.
    scans, default_scans : int
    measured : dict of str to float
        From `read_measured`, in the study's own folder.

    Returns
    -------
    pandas.DataFrame
        rule, jobs, seconds (of one), hours (of all; both missing where nothing is known), source.
    """
    shipped, rows = read_shipped(), []
    for rule, count in jobs.items():
        seconds, source = measured.get(rule, math.nan), "this study"
        if math.isnan(seconds) and rule in shipped.index:
            seconds, source = shipped.at[rule, "seconds"], "default study"
            if rule in TRAINING:
                seconds *= scale_of(rule, config, default, scans=scans, default_scans=default_scans)
        source = "-" if math.isnan(seconds) else source
        rows.append({"rule": rule, "jobs": count, "seconds": seconds, "source": source})
    table = pd.DataFrame(rows)
    return table.assign(hours=table["seconds"] * table["jobs"] / 3600)


def weights_of(config: dict[str, Any]) -> dict[str, int]:
    """Count the bytes of a job's weights, on networks without memory.

    Parameters
    ----------
    config : dict

    Returns
    -------
    dict of str to int
        For a job of pretrain (encoder and decoder) and of finetune.
    """
    import torch

    from neurobar.models.autoencoder import EncoderWithDecoder

    edge = round(GRID_SHAPE[0] * GRID_SPACING_MM / config["training"]["voxel_mm"])
    with torch.device("meta"):
        network = EncoderWithDecoder((edge,) * 3, config["encoder"])
    encoder, decoder = (4 * sum(p.numel() for p in part.parameters()) for part in (network.encoder, network.decoder))
    return {"pretrain": encoder + decoder, "finetune": encoder}


def kept_bytes(config: dict[str, Any], *, scans: int) -> float:
    """Estimate what a study keeps on disk.

    Parameters
    ----------
    config : dict
    scans : int
        Of all its sheets.

    Returns
    -------
    float
        Bytes: images and pictures of each scan, the packed cohort (float16), and the weights of every job.
    """
    study = Study(config)
    tasks = [task for task in study.tasks_of(config["tables"]) if task in config["tasks"]]
    jobs = {"pretrain": len(study.runs_of(tasks)), "finetune": len(tasks)}
    each, repeats = weights_of(config), config["split"]["folds"] * len(config["seeds"])
    weights = sum(count * repeats * each[stage] for stage, count in jobs.items())
    return scans * (SCAN_BYTES + 2 * math.prod(GRID_SHAPE)) + weights + REST_BYTES
