"""Predictions of a trained classifier for the scans of one part."""

from __future__ import annotations

import pandas as pd

from neurobar.models.classifier import Classifier
from neurobar.training.classifiers import predict_logits, probabilities
from neurobar.training.command import FoldOfCohort


def predict_part(fold: FoldOfCohort, model: Classifier, part: str, batch: int) -> pd.DataFrame:
    """Predict all scans of one part of a fold.

    Parameters
    ----------
    fold : FoldOfCohort
    model : Classifier
        On the device.
    part : {"select", "test"}
    batch : int
        Scans at once.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, part, label, probability (of the positive class).
    """
    rows = fold.rows(part)[["scan", "subject", "label"]]
    logits = predict_logits(model, fold.scans(part), batch=batch, device=fold.device)
    return rows.assign(part=part, probability=probabilities(logits))[
        ["scan", "subject", "part", "label", "probability"]
    ]
