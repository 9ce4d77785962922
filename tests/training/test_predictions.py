import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.training.command import cohort_parser, open_fold
from neurobar.training.predictions import predict_part


class Mean(torch.nn.Module):
    """Take the mean intensity of a scan for its logit."""

    def forward(self, volumes):
        return volumes.mean((1, 2, 3, 4))


@pytest.mark.parametrize("batch", [1, 3, 50])
@pytest.mark.parametrize("part", ["select", "test"])
def test_each_scan_of_a_part_gets_its_own_probability_whatever_the_batch(tiny_cohort, part, batch):
    args = cohort_parser(None).parse_args([*tiny_cohort.arguments, "--settings", tiny_cohort.settings_with()])
    fold = open_fold(args)
    table = predict_part(fold, Mean(), part, batch)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype={"part": str})
    rows = folds.index[folds["part"] == {"select": "0"}.get(part, part)]
    assert table.columns.tolist() == ["scan", "subject", "part", "label", "probability"]
    assert table["scan"].tolist() == folds.loc[rows, "scan"].tolist()
    assert table["label"].tolist() == folds.loc[rows, "label"].tolist()
    assert (table["part"] == part).all()
    means = fold.scans(part).take(np.arange(len(rows))).float().mean((1, 2, 3, 4))
    assert table["probability"].tolist() == pytest.approx(torch.sigmoid(means).tolist(), abs=1e-6)
    assert table["probability"].nunique() == len(rows)
    assert fold.seen == {part: table["scan"].tolist()}
