"""The card of an exported model: what it is, what it must not be used for, whom it learned from, how good it was."""

from __future__ import annotations

from typing import Any

import pandas as pd

from neurobar.export.card_parts import (
    counted,
    describe_kept,
    describe_preprocessing,
    describe_range,
    markdown_table,
    readable_scores,
    tabulate_cohort,
    tabulate_limits,
    write_probability,
)
from neurobar.export.cohort_counts import FEWEST

SIMULATED = (
    "**The subjects are simulated and do not exist.** The scores say that the pipeline works, not how well anything "
    "detects a disease, and a probability for a person's scan has no meaning."
)
SELECTED = ", the mean over folds of the threshold of best balanced accuracy on the fold that selects the model"
SCORES = ("Score", "Single models: mean ± sd [95 %]", "Mean of the models [95 %]")
CARD = """---
license: apache-2.0
library_name: neurobar
pipeline_tag: image-classification
tags: [medical-imaging, neuroimaging, brain-mri, t1-weighted, 3d, vision-transformer, neurobar]
---

# {method}: {positive} against {negative}

> **Not for clinical use.** Research software: no medical device, not validated for any patient.

## What it is

An ensemble of {models} three-dimensional Vision Transformers that tells {positive} (class 1) from {negative} (class 0),
the values of `{label}`, in a T1-weighted MRI of the head: task `{task}`, {origin}.
Its answer is the mean of their probabilities. They come from {folds} and {seeds} of the study *{study}*,
made with neurobar {neurobar}. Every setting is in `config.json`.

## Intended use

For research: to repeat the study's results, to test the method on other cohorts, to compare methods.
**Not** for diagnosis, prognosis, screening, the choice of a treatment, or any other decision about a person.

## How to use it

With neurobar installed, and this folder downloaded as a whole:

    neurobar predict scan_T1w.nii.gz --model path/to/this/folder --output prediction

It preprocesses the raw scan as the training scans were, refuses it if that fails, and writes the probability with its
spread over the models, the regions that it owes to, and a page that shows both.
`sha256sum --check SHA256SUMS` tells whether the folder is whole.

## Training cohort

Study: *{study}*. {simulated}Labels are those of the study's column `{label}`.
Subjects, not scans, were split. {left_out} left out by their checks or by name.

{cohort}

Age and sex are told of {fewest} subjects or more. Development scans trained and selected the models, fold by fold.
No image of a single person is in this folder: `healthy.safetensors` of a fold is the mean of {healthy} training
subjects of {negative}, with equal weights, each the mean of their scans.

## Preprocessing

{preprocessing}

Scans outside these limits took no part{kept}, and are refused by `neurobar predict`:

{limits}

## Scores on the test set

By scan; positive from a probability of {decisive}{selected}.
The interval is from draws of the test subjects with replacement; it does not cover the chance of training.

{scores}

## Limits of use

- {limit}
- Scans of other scanners, sequences, ages or populations than those above may be judged worse; the checks do not see
  that.
- The classes are the study's two. Whoever is in neither gets a probability all the same, and it means nothing.
- A probability depends on how many of the training scans were {positive}; where {positive} is rarer it is too high.
- A region that changes the probability is one that the models go by, not one that is shown to be diseased.

## Citation

Seyfioglu et al., *Brain-Aware Replacements for Supervised Contrastive Learning in Detection of Alzheimer's Disease*,
MICCAI 2022, for the method; neurobar {neurobar} for the software; and whoever gathered the cohort, as they ask. The
licence above is that of the software, and of these weights as far as the terms of the cohort allow.
"""


def write_card(config: dict[str, Any], scores: pd.DataFrame) -> str:
    """Write the card.

    Parameters
    ----------
    config : dict
        The exported model's `config.json`.
    scores : pandas.DataFrame
        From `join_scores`.

    Returns
    -------
    str
        Markdown, with the front matter that model hubs read.
    """
    simulated, folds, seeds = config["simulated"], len(config["folds"]), len(config["seeds"])
    words = config | config["classes"]
    words |= {
        "models": folds * seeds,
        "folds": counted(folds, "fold"),
        "seeds": counted(seeds, "seed"),
        "origin": f"pre-trained as `{config['run']}` and fine-tuned" if config["run"] else "trained from scratch",
        "simulated": f"{SIMULATED} " if simulated else "",
        "limit": "It learned from simulated heads alone." if simulated else "It learned from one cohort alone.",
        "left_out": f"{counted(config['left_out'], 'scan')} {'was' if config['left_out'] == 1 else 'were'}",
        "kept": describe_kept(config["kept"]),
        "cohort": tabulate_cohort(config["cohort"]),
        "fewest": FEWEST,
        "decisive": write_probability(config["threshold"]),
        "healthy": describe_range([counts["subjects"] for counts in config["healthy"].values()]),
        "preprocessing": describe_preprocessing(config),
        "limits": tabulate_limits(config["preprocess"]["limits"]),
        "selected": SELECTED if config["threshold_rule"] == "selected" else "",
        "scores": markdown_table(SCORES, readable_scores(scores)),
    }
    return CARD.format(**words)
