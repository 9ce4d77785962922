import numpy as np
import pytest
import torch

from neurobar.data.cohorts import Cohort
from neurobar.draw.histograms import draw_histograms, measure_histograms


@pytest.fixture
def cohort():
    """Return four scans that hold the same brain at other gains, on unequal axes with background."""
    random = np.random.default_rng(0)
    brain = np.zeros((6, 7, 8), np.float32)
    brain[1:5, 1:6, 1:7] = random.uniform(0.5, 1.5, (4, 5, 6))
    volumes = np.stack([gain * brain for gain in (0.5, 1, 1.5, 2)]).astype(np.float16)
    percentiles = np.stack([np.percentile(volume[volume > 0], [1, 50, 99]) for volume in volumes.astype(np.float32)])
    return Cohort(volumes, percentiles.astype(np.float32), list("abcd"))


LANDMARKS = torch.tensor([0, 0.5, 1.0])


def test_densities_hold_all_voxels_of_the_brain_and_none_of_the_background(cohort):
    measured = measure_histograms(cohort, np.arange(4), LANDMARKS)
    for edges, densities in measured.values():
        assert densities.shape == (4, len(edges) - 1)
        # Background, which is 0, would have two thirds of all voxels.
        assert (densities * np.diff(edges)).sum(1) == pytest.approx(1, abs=0.02)


def test_standardisation_brings_gains_together(cohort):
    measured = measure_histograms(cohort, np.arange(4), LANDMARKS)
    means = {}
    for name, (edges, densities) in measured.items():
        middles = (edges[1:] + edges[:-1]) / 2
        means[name] = (densities * np.diff(edges) * middles).sum(1)
    assert means["before"] == pytest.approx([0.5, 1, 1.5, 2], rel=0.1)
    assert means["after"] == pytest.approx(means["after"][0], abs=0.02)


def test_only_the_chosen_rows_are_measured_each_by_its_own_landmarks(cohort):
    every = measure_histograms(cohort, np.arange(4), LANDMARKS)["after"][1]
    chosen = measure_histograms(cohort, np.array([3, 1]), LANDMARKS)["after"][1]
    assert np.array_equal(chosen, every[[3, 1]])


def test_each_scan_has_a_line_of_its_class_and_each_class_a_mean(cohort):
    measured = measure_histograms(cohort, np.arange(4), LANDMARKS)
    figure = draw_histograms(measured, np.array([0, 1, 1, 1]), ("CN", "AD"))
    for panel, (_, densities) in zip(figure.axes, measured.values(), strict=True):
        drawn = [line for line in panel.lines if len(line.get_xdata())]
        assert [line.get_linestyle() for line in drawn] == ["-", "--", "--", "--", "-", "--"]
        assert np.allclose(drawn[-1].get_ydata(), densities[1:].mean(0))
    assert [text.get_text() for text in figure.legends[0].texts] == ["CN, 1 scan", "AD, 3 scans"]


def test_a_class_without_scans_has_no_mean(cohort):
    measured = measure_histograms(cohort, np.arange(2), LANDMARKS)
    figure = draw_histograms(measured, np.array([0, 0]), ("CN", "AD"))
    assert sum(len(line.get_xdata()) > 0 for line in figure.axes[1].lines) == 3
