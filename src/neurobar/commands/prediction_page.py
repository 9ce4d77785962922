"""The page of one scan, which says first what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure

from neurobar import __version__
from neurobar.commands import prediction_figures as figures
from neurobar.commands.exported import Exported
from neurobar.commands.predictions import Prediction
from neurobar.data.atlases import read_regions
from neurobar.data.volumes import read_volume
from neurobar.export.card_parts import describe_age, describe_range, readable_scores, write_probability
from neurobar.figures.pages import paragraph, picture, table_of, write_page
from neurobar.figures.style import RESOLUTION

CLINICAL = (
    '<p class="warning"><strong>NOT FOR CLINICAL USE.</strong> Research software: no medical device, not validated for '
    "any patient. Nothing here may be used to diagnose, to treat, or to decide anything about a person.</p>"
)
SIMULATED = (
    "The models learned from simulated subjects, who do not exist. For the scan of a person this probability has no "
    "meaning."
)
OTHER_CODE = (
    "The code that prepared this scan is not that which prepared the scans of the study, so that the models may see it "
    "otherwise than they should. Install the version of neurobar that the model was made with."
)
#: What a measure of the check is.
MEANINGS = {
    "similarity": "local correlation of the deformed head with the template's",
    "overlap": "Dice coefficient of the brain with the template's",
    "correlation": "of the intensities of brain and template",
    "brain_ml": "volume inside the skull [ml]",
    "bias_range": "range of the drift of intensity that was removed",
    "clipped": "part of the brain at the largest value of the image",
    "missing": "part of the brain without signal",
    "outside": "part of the brain beyond the field of view",
}


def write_prediction_page(prediction: Prediction, exported: Exported) -> None:
    """Write `index.html` beside the other files of a scan.

    Parameters
    ----------
    prediction : Prediction
    exported : Exported
    """
    check = show_check(prediction)
    if prediction.models is None:
        write_refusal(prediction, exported, check)
        return
    title = f"{prediction.scan}: probability of {exported.config['classes']['positive']}"
    parts = [*warn(exported), *show_answer(prediction), *show_scores(exported), *check]
    parts += [*show_regions(prediction, exported), *show_model(exported)]
    write_page(prediction.folder / "index.html", title, "".join(parts))


def write_refusal(prediction: Prediction, exported: Exported, check: Iterable[str] = ()) -> None:
    """Write `index.html` of a scan without a probability; without its check it needs no other file of the scan.

    Parameters
    ----------
    prediction : Prediction
    exported : Exported
    check : iterable of str
        From `show_check`.
    """
    said = ["<h2>No probability</h2>", paragraph(f"This scan was refused. {prediction.reason}", "warning")]
    parts = [*warn(exported), *said, *check, *show_model(exported)]
    write_page(prediction.folder / "index.html", f"{prediction.scan}: no probability", "".join(parts))


def warn(exported: Exported) -> list[str]:
    """Say what comes before everything else."""
    said = [SIMULATED] if exported.config["simulated"] else []
    said += [] if exported.is_of_this_code else [OTHER_CODE]
    return [CLINICAL, *(paragraph(sentence, "warning") for sentence in said)]


def embed(figure: Figure, alternative: str) -> str:
    """Turn a figure into HTML."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "figure.png")
        figure.savefig(path, dpi=RESOLUTION, metadata={"Software": None})
        return picture(path, alternative)


def show_answer(prediction: Prediction) -> list[str]:
    """Show the probability, and how far the models agree."""
    config, said = prediction.config, prediction.figures()
    positive, number = config["classes"]["positive"], len(prediction.models)
    spread = "" if said["sd"] is None else f" (standard deviation {write_probability(said['sd'])})"
    sentence = (
        f"{write_probability(said['probability'])}: mean of {number} models{spread}, from "
        f"{write_probability(said['lowest'])} to {write_probability(said['highest'])}. At the study's threshold of "
        f"{write_probability(config['threshold'])} this counts as {said['decision']}."
    )
    caption = (
        "Each point is a model that was trained without the scans of its fold; the line is their mean. Their spread "
        "shows how much the answer hangs on the scans they learned from. It is no confidence interval."
    )
    drawn = embed(figures.draw_spread(prediction.models, config), f"Scale from 0 to 1: {sentence}")
    heading = f"<h2>Probability of {escape(str(positive))}</h2><p><strong>{escape(sentence)}</strong></p>"
    return [heading, drawn, paragraph(caption)]


def show_scores(exported: Exported) -> list[str]:
    """Show how good the models were on the study's test set."""
    rows = readable_scores(exported.scores())
    counts = exported.config["cohort"]["test"]
    tested = " and ".join(f"{count['subjects']} subjects ({name})" for name, count in counts.items())
    caption = (
        f"Scores on the test set of the study ({exported.config['study']}): {tested}, by scan, with 95\u00a0% "
        "intervals over its subjects. Single models: mean ± standard deviation over folds and seeds. The mean of the "
        "models is what this page gives."
    )
    table = pd.DataFrame(rows, columns=["Score", "Single models", "Mean of the models"])
    return ["<h2>How good the models were</h2>", table_of(table), paragraph(caption)]


def show_check(prediction: Prediction) -> list[str]:
    """Show how the scan came through preprocessing, beside the limits of the study."""
    check = prediction.check
    if check is None:
        return []
    rows = []
    for name, limits in prediction.config["preprocess"]["limits"].items():
        value = "–" if check[name] is None else f"{check[name]:.4g}"
        meaning = f"{name}: {MEANINGS[name]}" if name in MEANINGS else name
        rows.append((meaning, value, *("–" if limit is None else f"{limit:g}" for limit in limits)))
    caption = "Above the raw head, below the brain that the models see; red is its mask, cyan that of the template."
    table = pd.DataFrame(rows, columns=["Measure", "This scan", "Smallest", "Largest"])
    drawn = picture(prediction.folder / "check.png", "Three planes of the head and of the brain on the grid")
    return ["<h2>Check of the preprocessing</h2>", drawn, paragraph(caption), table_of(table)]


def show_regions(prediction: Prediction, exported: Exported) -> list[str]:
    """Show the regions that the answer owes to."""
    config, regions = exported.config, prediction.regions
    volume, _ = read_volume(prediction.folder / "volume.nii.gz")
    atlas = read_regions(exported.fetched / "atlas.nii.gz")
    subjects = [counts["subjects"] for counts in config["healthy"].values()]
    caption = (
        f"How the probability changes with a region: the probability of the scan less that with the region replaced by "
        f"the mean of {describe_range(subjects)} training subjects of "
        f"{config['classes']['negative']}; mean over models, whiskers their standard deviation; the first "
        f"{min(figures.FIRST, len(regions))} of {len(regions)} regions. It shows what the models go by, not what is "
        "diseased."
    )
    on_brain = "The same on this scan's brain, in the planes that show most of it; the weaker a change, the paler."
    return [
        "<h2>Regions that the answer owes to</h2>",
        embed(figures.draw_bars(regions, config), "Bars: change of the probability by region"),
        paragraph(caption),
        embed(figures.draw_brain(volume, atlas, regions, config), "Three planes of the brain with coloured regions"),
        paragraph(on_brain),
        "<details><summary>All regions</summary>",
        table_of(_readable(regions), sortable=True),
        "</details>",
    ]


def _readable(regions: pd.DataFrame) -> pd.DataFrame:
    table = regions[["rank", "name"]].set_axis(["Rank", "Region"], axis=1)
    for measure, title in {"change": "Change", "integrated_gradient": "Integrated gradient (logit)"}.items():
        table[title] = write_numbers(regions[measure], 4)
        table[f"{title}: sd"] = write_numbers(regions[f"{measure}_sd"], 4)
    return table


def write_numbers(values: pd.Series, decimals: int) -> list[str]:
    """Write numbers with some decimals, and a dash for one that is missing."""
    return ["–" if pd.isna(value) else f"{value:.{decimals}f}" for value in values]


def show_model(exported: Exported) -> list[str]:
    """Say which model this was and whom it learned from."""
    config = exported.config
    rows = [
        (part.capitalize(), name, count["subjects"], count["scans"], describe_age(count))
        for part, classes in config["cohort"].items()
        for name, count in classes.items()
    ]
    table = pd.DataFrame(rows, columns=["Part", "Class", "Subjects", "Scans", "Age [years]"])
    kind = "simulated" if config["simulated"] else "not simulated"
    said = (
        f"{config['method']} (task {config['task']}), {len(exported.members)} models of the study {config['study']} "
        f"({kind}), made with neurobar {config['neurobar']} and applied by neurobar {__version__}; code of "
        f"preprocessing and classifier {config['code']}. Its README.md says more."
    )
    return ["<h2>The model</h2>", paragraph(said), table_of(table)]
