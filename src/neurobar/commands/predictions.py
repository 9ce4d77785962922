"""What an exported model says of one scan, or why it says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar import __version__
from neurobar.data.files import written_whole

#: Columns of the table of all scans.
COLUMNS = ("scan", "path", "probability", "sd", "lowest", "highest", "decision", "reason")


@dataclass(frozen=True)
class Prediction:
    """The answer about one scan.

    Attributes
    ----------
    scan, path : str
        Name and file.
    folder : pathlib.Path
        Where what is known of it lies.
    config : dict
        Of the exported model.
    reason : str
        Why there is no answer; empty where there is one.
    models : pandas.DataFrame or None
        The answer of each model: fold, seed and probability; None where there is a reason against one.
    regions : pandas.DataFrame or None
        From `rank_regions`.
    """

    scan: str
    path: str
    folder: Path
    config: dict[str, Any]
    reason: str = ""
    models: pd.DataFrame | None = None
    regions: pd.DataFrame | None = None

    @property
    def check(self) -> dict[str, Any] | None:
        """What was measured of the scan; None where preprocessing failed before."""
        path = self.folder / "check.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def figures(self) -> dict[str, Any]:
        """Return mean, standard deviation and range of the probability over models, and the class that they amount to.

        Returns
        -------
        dict
            probability, sd (None with one model), lowest, highest and decision; empty where there is no answer.
        """
        if self.models is None:
            return {}
        values, classes = self.models["probability"], self.config["classes"]
        spread = {"lowest": float(values.min()), "highest": float(values.max())}
        sd = None if len(values) < 2 else float(values.std())
        is_positive = values.mean() >= self.config["threshold"]
        decision = str(classes["positive" if is_positive else "negative"])
        return {"probability": float(values.mean()), "sd": sd, **spread, "decision": decision}

    def write(self) -> None:
        """Write `prediction.json` and, where there is an answer, `regions.tsv`."""
        config = self.config
        about = {name: config[name] for name in ("task", "study", "simulated", "classes", "threshold")}
        said = {"scan": self.scan, "path": self.path, "not_for_clinical_use": True}
        said |= {"reason": self.reason} if self.models is None else self.figures()
        if self.models is not None:
            said["models"] = self.models.to_dict("records")
            with written_whole(self.folder / "regions.tsv") as partial:
                self.regions.to_csv(partial, sep="\t", index=False, float_format="%.6g", na_rep="n/a")
        said |= {"check": self.check, "model": about | {"made_with": config["neurobar"], "code": config["code"]}}
        with written_whole(self.folder / "prediction.json") as partial:
            text = json.dumps(said | {"neurobar": __version__}, indent=1, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")


def tabulate(predictions: Iterable[Prediction]) -> pd.DataFrame:
    """List predictions, one scan on a row.

    Parameters
    ----------
    predictions : iterable of Prediction

    Returns
    -------
    pandas.DataFrame
        Columns of `COLUMNS`; missing values where there is no answer, or no reason against one.
    """
    rows = [{"scan": one.scan, "path": one.path, **one.figures(), "reason": one.reason} for one in predictions]
    return pd.DataFrame(rows, columns=COLUMNS)
