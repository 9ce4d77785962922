"""Explanations of a task, as files."""

import pandas as pd
import pytest


def write_explanations(folder, rows, *, fold=0):
    """Write rows of (subject, scan, label, {region: value}); the integrated gradient is ten times the change."""
    path = folder / "explain" / "bar" / f"fold-{fold}" / "seed-0" / "explanation.tsv"
    path.parent.mkdir(parents=True)
    table = [
        (scan, subject, label, region, value, 0.0, 10 * value)
        for subject, scan, label, values in rows
        for region, value in values.items()
    ]
    columns = ["scan", "subject", "label", "region", "change", "change_sd", "integrated_gradient"]
    pd.DataFrame(table, columns=columns).to_csv(path, sep="\t", index=False)
    return str(path)


@pytest.fixture
def write():
    """Return the function that writes an explanation."""
    return write_explanations
