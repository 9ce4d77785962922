import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.data.cohorts import Cohort
from neurobar.training.scans import CHUNK, load_scans, read_landmarks
from neurobar.transforms.landmarks import standardise


@pytest.fixture
def cohort():
    random = np.random.default_rng(0)
    volumes = random.uniform(0.5, 1.5, (CHUNK + 5, 2, 4, 6)).astype(np.float16)
    volumes[:, 0] = 0
    percentiles = np.stack([np.percentile(v[v > 0].astype(np.float32), [1, 50, 99]) for v in volumes])
    return Cohort(volumes, percentiles.astype(np.float32), [f"s{number}" for number in range(len(volumes))])


def load(cohort, scans, coarsen=1):
    landmarks = torch.tensor([0.0, 0.4, 1.0])
    return load_scans(cohort, pd.Series(scans), landmarks, coarsen=coarsen, device=torch.device("cpu"))


def test_scans_come_standardised_in_the_order_asked_for(cohort):
    chosen = [f"s{number}" for number in reversed(range(CHUNK + 5))]
    loaded = load(cohort, chosen)
    assert loaded.dtype == torch.float16
    assert loaded.shape == (CHUNK + 5, 1, 2, 4, 6)
    for place, name in enumerate(chosen):
        row = int(name[1:])
        expected = standardise(
            torch.from_numpy(cohort.volumes[row : row + 1]).unsqueeze(1),
            torch.from_numpy(cohort.percentiles[row : row + 1]),
            torch.tensor([0.0, 0.4, 1.0]),
        )
        assert torch.equal(loaded[place], expected[0].half())


def test_background_stays_zero(cohort):
    assert not load(cohort, ["s3"])[:, :, 0].any()


def test_coarse_voxels_are_averages_of_standardised_ones(cohort):
    fine, coarse = load(cohort, ["s1"]).float(), load(cohort, ["s1"], coarsen=2).float()
    assert coarse.shape == (1, 1, 1, 2, 3)
    assert float(coarse[0, 0, 0, 1, 2]) == pytest.approx(float(fine[0, 0, :, 2:4, 4:6].mean()), abs=1e-3)


def test_landmarks_are_read_from_their_file(tmp_path):
    (tmp_path / "landmarks.json").write_text('{"landmarks": [0, 0.25, 1], "scans": ["a"]}')
    assert read_landmarks(tmp_path / "landmarks.json").tolist() == [0, 0.25, 1]
