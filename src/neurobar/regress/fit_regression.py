"""Fit a logistic regression on the training scans of one fold, and predict the selection fold and the test set.

What stands for a missing age, how features are scaled, how strongly coefficients are held back and the coefficients
themselves all come from the training scans. The selection fold selects nothing here and is only predicted.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from neurobar.data.cohorts import part_of_fold, read_folds
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole

FEATURES = ("age", "sex", "regions")
CONSTANT = "constant"
#: Inverses of the strength of the L2 penalty; of equally good ones the strongest penalty is taken.
INVERSE_STRENGTHS = np.logspace(-3, 2, 11).tolist()
USUAL_INVERSE_STRENGTH = 1.0
MOST_INNER_FOLDS = 5


def join_features(folds: pd.DataFrame, measures: pd.DataFrame, features: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Put the features beside the scans.

    Parameters
    ----------
    folds : pandas.DataFrame
        From `read_folds`.
    measures : pandas.DataFrame
        From `measure_regions`: the column scan, and volumes [ml].
    features : list of str
        Some of `age`, `sex` and `regions`, which stands for all volumes. Without any, the baseline goes by a constant
        and predicts how frequent the positive class is.

    Returns
    -------
    scans : pandas.DataFrame
        `folds` with the volumes, and a constant, beside them.
    columns : list of str
        Names of the columns that are features.

    Raises
    ------
    ValueError
        If a feature is unknown, or a column or a scan is missing.
    """
    unknown = [feature for feature in features if feature not in FEATURES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no feature of a baseline; there are age, sex and regions.")
    for table, needed in ((folds, ["scan", "subject", "label", "age", "sex", "part"]), (measures, ["scan"])):
        missing = [column for column in needed if column not in table]
        if missing:
            raise ValueError(f"The column {missing[0]!r} is missing from the split or the volumes.")
    unmeasured = sorted({*folds["scan"]} - {*measures["scan"]})
    if unmeasured:
        raise ValueError(f"The scan {unmeasured[0]} has no volumes.")
    volumes = [column for column in measures if column != "scan"]
    columns = [column for feature in features for column in (volumes if feature == "regions" else [feature])]
    scans = folds.merge(measures, on="scan", how="left", validate="one_to_one").assign(**{CONSTANT: 0.0})
    return scans, columns or [CONSTANT]


def check_training(train: pd.DataFrame, columns: list[str]) -> None:
    """Refuse training scans from which nothing can be learned.

    Parameters
    ----------
    train : pandas.DataFrame
        The training scans with their features.
    columns : list of str
        Names of the features.

    Raises
    ------
    ValueError
        If a feature is unknown in all scans, none differs between scans, or all scans have one label.
    """
    empty = [column for column in columns if train[column].isna().all()]
    if empty:
        raise ValueError(f"The baseline cannot use {empty[0]!r}: no training scan has it.")
    if columns != [CONSTANT] and (train[columns].nunique() < 2).all():
        raise ValueError(f"The baseline has nothing to go by: {', '.join(columns)} is the same in all training scans.")
    if train["label"].nunique() < 2:
        raise ValueError("All training scans have the same label.")


def draw_inner_folds(train: pd.DataFrame, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Divide the training scans again, to choose the penalty without the selection fold.

    Parameters
    ----------
    train : pandas.DataFrame
        Columns subject and label.
    seed : int

    Returns
    -------
    list of (fitted, judged) pairs of int (n,)
        Rows of `train`. All scans of a subject are on one side and each side that is fitted has both labels. There are
        as many pairs as the smaller class has subjects, five at most; none where that is fewer than two.
    """
    count = min(MOST_INNER_FOLDS, train.groupby("label")["subject"].nunique().min())
    if count < 2:
        return []
    kfold = StratifiedGroupKFold(int(count), shuffle=True, random_state=seed)
    pairs = kfold.split(train, train["label"], groups=train["subject"])
    kept = [(fitted, judged) for fitted, judged in pairs if train["label"].iloc[fitted].nunique() == 2]
    return kept if len(kept) > 1 else []


def build_model(train: pd.DataFrame, columns: list[str]) -> Pipeline:
    """Build the regression, unfitted.

    Parameters
    ----------
    train : pandas.DataFrame
        The training scans, which say what sexes there are.
    columns : list of str
        Names of the features.

    Returns
    -------
    sklearn.pipeline.Pipeline
        A missing age becomes the mean; each sex is a feature of its own, and a sex that is unknown, or that no
        training scan has, is neither of them.
    """
    sexes = sorted(train["sex"].dropna().unique())
    numbers = [column for column in columns if column != "sex"]
    features = ColumnTransformer(
        [
            ("numbers", SimpleImputer(keep_empty_features=True), numbers),
            ("sex", OneHotEncoder(categories=[sexes], handle_unknown="ignore"), ["sex"] if "sex" in columns else []),
        ],
        sparse_threshold=0,
        verbose_feature_names_out=False,
    )
    return make_pipeline(features, StandardScaler(), LogisticRegression(C=USUAL_INVERSE_STRENGTH, max_iter=5000))


def fit_model(train: pd.DataFrame, columns: list[str], seed: int) -> Pipeline:
    """Fit the regression on the training scans of a fold.

    Parameters
    ----------
    train : pandas.DataFrame
        The training scans with their features.
    columns : list of str
        Names of the features.
    seed : int
        Of the inner folds.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the penalty of the best log loss over the inner folds, in each of which all is fitted anew; with C = 1
        where a class has fewer than two subjects, so that there are no inner folds.
    """
    check_training(train, columns)
    model, inner = build_model(train, columns), draw_inner_folds(train, seed)
    if not inner:
        return model.fit(train[columns], train["label"])
    # The labels are named, since a side that is judged may have one alone.
    scoring = make_scorer(log_loss, greater_is_better=False, response_method="predict_proba", labels=[0, 1])
    search = GridSearchCV(model, {"logisticregression__C": INVERSE_STRENGTHS}, scoring=scoring, cv=inner)
    return search.fit(train[columns], train["label"]).best_estimator_


def predict_part(model: Pipeline, rows: pd.DataFrame, columns: list[str], part: str) -> pd.DataFrame:
    """Predict all scans of one part of a fold.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        From `fit_model`.
    rows : pandas.DataFrame
        The scans with their features.
    columns : list of str
        Names of the features.
    part : {"select", "test"}

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, part, label, probability (of the positive class).
    """
    table = rows[["scan", "subject", "label"]].assign(part=part, probability=model.predict_proba(rows[columns])[:, 1])
    return table[["scan", "subject", "part", "label", "probability"]]


def list_coefficients(model: Pipeline) -> pd.DataFrame:
    """List the coefficients: log odds of the positive class for one standard deviation, by feature."""
    features, _, regression = model
    return pd.DataFrame({"feature": features.get_feature_names_out(), "coefficient": regression.coef_[0]})


def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", nargs="?", help="volumes of each scan [ml], TSV; only regions need them")
    parser.add_argument("--folds", required=True, help="part of each scan, TSV")
    parser.add_argument("--fold", type=int, required=True, help="the fold that selects the model")
    parser.add_argument("--seed", type=int, required=True, help="of the inner folds")
    parser.add_argument("--settings", type=json.loads, required=True, help="features of the baseline, JSON")
    parser.add_argument("--predictions", required=True, help="probability of each scan, TSV (output)")
    parser.add_argument("--coefficients", required=True, help="log odds per standard deviation, TSV (output)")
    parser.add_argument("--seen", required=True, help="scans by role, TSV (output)")
    args = parser.parse_args(argv)
    try:
        folds = read_folds(args.folds)
        measures = pd.read_csv(args.measures, sep="\t", dtype={"scan": str}) if args.measures else folds[["scan"]]
        scans, columns = join_features(folds, measures, args.settings["features"])
        train = part_of_fold(scans, args.fold, "train")
        model = fit_model(train, columns, args.seed)
        parts = {part: part_of_fold(scans, args.fold, part) for part in ("select", "test")}
    except ValueError as error:
        sys.exit(str(error))
    predictions = pd.concat([predict_part(model, rows, columns, part) for part, rows in parts.items()])
    seen = pd.DataFrame({"role": "train", "scan": sorted(train["scan"])})
    tables = {args.predictions: predictions, args.coefficients: list_coefficients(model), args.seen: seen}
    for path, table in tables.items():
        with written_whole(path) as partial:
            table.to_csv(partial, sep="\t", index=False, float_format="%.6f")
    print(f"Fitted on {len(train)} scans of {train['subject'].nunique()} subjects, C = {model[-1].C:g}.")


if __name__ == "__main__":
    call_command(main)
