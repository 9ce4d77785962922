"""Tables and sentences of a model card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from neurobar.export.mean_scores import MEAN, SINGLE
from neurobar.figures.words import name_of

STRIPPING = {
    "atlas": "the template's brain mask, grown by {mask_growth_mm:g} mm, was carried back to the scan",
    "hd_bet": "the brain was marked by HD-BET (Isensee et al. 2019)",
    "supplied": "the brain was marked by a mask that came with each scan",
}
#: What stands where age or sex is known of too few.
NOT_TOLD = "not told"


def counted(number: int, noun: str) -> str:
    """Write a number before a noun, which takes an s where there are several."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe_range(numbers: list[int]) -> str:
    """Write the smallest and the largest of some numbers, once where they are the same."""
    return " to ".join(map(str, sorted({min(numbers), max(numbers)})))


def describe_kept(number: int) -> str:
    """Write how many scans took part although a check failed; nothing where none did."""
    return f", but for {number} that {'was' if number == 1 else 'were'} kept by name" if number else ""


def markdown_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write a table in Markdown.

    Parameters
    ----------
    columns : iterable of str
    rows : iterable of iterables

    Returns
    -------
    str
    """
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)


def tabulate_cohort(cohort: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Write who trained and tested the models.

    Parameters
    ----------
    cohort : dict
        From `count_cohort`.

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        (
            part.capitalize(),
            name,
            counts["subjects"],
            counts["scans"],
            describe_age(counts),
            ", ".join(f"{number} {sex}" for sex, number in counts["sex"].items()) or NOT_TOLD,
        )
        for part, classes in cohort.items()
        for name, counts in classes.items()
    ]
    return markdown_table(["Part", "Class", "Subjects", "Scans", "Age [years]", "Sex"], rows)


def describe_age(counts: dict[str, Any]) -> str:
    """Write mean ± standard deviation of age, where they may be told."""
    if counts["age_mean"] is None:
        return NOT_TOLD
    # Models that were exported before may tell the age of one.
    spread = "" if counts["age_sd"] is None else f" ± {counts['age_sd']:.1f}"
    return f"{counts['age_mean']:.1f}{spread}"


def write_probability(probability: float | None) -> str:
    """Write a probability or a threshold of one, with as many decimals everywhere, or a dash for none."""
    return "–" if pd.isna(probability) else f"{probability:.3f}"


def tabulate_limits(limits: dict[str, list[float | None]]) -> str:
    """Write the limits within which a scan is accepted.

    Parameters
    ----------
    limits : dict
        For each measure its smallest and largest value; None where there is none.

    Returns
    -------
    str
        Markdown.
    """
    rows = [(name, *("–" if limit is None else f"{limit:g}" for limit in pair)) for name, pair in limits.items()]
    return markdown_table(["Measure", "Smallest", "Largest"], rows)


def readable_scores(scores: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Write the scores of single models beside those of their mean.

    Parameters
    ----------
    scores : pandas.DataFrame
        From `join_scores`.

    Returns
    -------
    list of (str, str, str)
        For each score its name for readers, that of single models and that of their mean.
    """
    single, mean = (scores[scores["of"] == of].set_index("score").to_dict("index") for of in (SINGLE, MEAN))
    return [
        (name_of(name), write_score(figures), write_score(mean[name]) if name in mean else "–")
        for name, figures in single.items()
    ]


def write_score(figures: dict[str, float]) -> str:
    """Write a score with its spread over models, where it has one, and its interval."""
    if pd.isna(figures["mean"]):
        return "undefined"
    spread = "" if pd.isna(figures["sd"]) else f" ± {figures['sd']:.3f}"
    known = not pd.isna(figures["low"])
    return f"{figures['mean']:.3f}{spread}" + (f" [{figures['low']:.3f}, {figures['high']:.3f}]" if known else "")


def describe_preprocessing(config: dict[str, Any]) -> str:
    """Tell in words what is done to a scan before a model sees it.

    Parameters
    ----------
    config : dict
        Of the exported model.

    Returns
    -------
    str
    """
    settings, at = config["preprocess"], ", ".join(f"{percentile:g}" for percentile in config["percentiles"])
    joined = "and the deformation" if settings["normalisation"] == "deformable" else "alone"
    coarse = "" if config["voxel_mm"] == 2 else f" Last, it was averaged to voxels of {config['voxel_mm']:g} mm."
    return (
        "The raw head was registered to ICBM152 2009a: its pose, twelve affine parameters, and a deformation. "
        f"For its mask, {STRIPPING[settings['skull_strip']].format(**settings)}. Inside it the slow drift of intensity "
        f"was removed by N4 (knots {settings['n4_spline_mm']:g} mm apart). The brain was brought onto 96 x 96 x 96 "
        f"voxels of 2 mm in one cubic interpolation, by the affine transform {joined}, and divided by its median. "
        f"Its histogram was standardised by the landmarks of Nyúl and Udupa at the percentiles {at}, fitted on the "
        f"training scans of each fold.{coarse}"
    )
