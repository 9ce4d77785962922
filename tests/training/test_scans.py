import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from neurobar.data.cohorts import Cohort
from neurobar.training.scans import CHUNK, Ahead, Scans, is_held, read_landmarks
from neurobar.transforms.landmarks import standardise


@pytest.fixture
def cohort():
    random = np.random.default_rng(0)
    volumes = random.uniform(0.5, 1.5, (CHUNK + 5, 2, 4, 6)).astype(np.float16)
    volumes[:, 0] = 0
    percentiles = np.stack([np.percentile(v[v > 0].astype(np.float32), [1, 50, 99]) for v in volumes])
    return Cohort(volumes, percentiles.astype(np.float32), [f"s{number}" for number in range(len(volumes))])


def scans_of(cohort, names, coarsen=1, how="held"):
    landmarks = torch.tensor([0.0, 0.4, 1.0])
    rows = cohort.rows_of(pd.Series(names))
    return Scans(cohort, rows, landmarks, coarsen=coarsen, place=torch.device("cpu"), how=how)


def load(cohort, names, **choices):
    return scans_of(cohort, names, **choices).take(np.arange(len(names)))


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


@pytest.mark.parametrize("coarsen", [1, 2])
def test_streamed_scans_equal_held_ones(cohort, coarsen):
    names = ["s3", "s0", "s7"]
    held, streamed = (load(cohort, names, coarsen=coarsen, how=how) for how in ("held", "streamed"))
    assert torch.equal(held, streamed)


@pytest.mark.parametrize("how", ["held", "streamed"])
def test_batches_come_with_their_scans_in_order(cohort, how):
    scans = scans_of(cohort, ["s5", "s2", "s9", "s4"], how=how)
    batches = [np.array([3, 0]), np.array([1]), np.array([2, 2])]
    ahead = Ahead(batches, lambda batch: (scans.take(batch),), scans)
    assert len(ahead) == 3
    for (batch, (volumes,)), expected in zip(ahead, batches, strict=True):
        assert batch is expected
        assert torch.equal(volumes, scans.take(expected))


def test_a_fault_while_reading_ahead_reaches_the_training(cohort):
    scans = scans_of(cohort, ["s5"], how="streamed")
    with pytest.raises(IndexError):
        list(Ahead([np.array([0]), np.array([1])], lambda batch: (scans.take(batch),), scans))


def test_scans_are_held_where_they_leave_room():
    place = torch.device("cpu")
    assert is_held("auto", size=1000, place=place)
    assert not is_held("auto", size=10**15, place=place)
    assert is_held("held", size=10**15, place=place)
    assert not is_held("streamed", size=0, place=place)


STREAMING = """
import os, resource, sys
import numpy as np, torch
from neurobar.data.cohorts import Cohort, PackedVolumes
from neurobar.training.scans import Ahead, Scans

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

said = os.sysconf
os.sysconf = lambda name: 16e9 / said("SC_PAGE_SIZE") if name == "SC_AVPHYS_PAGES" else said(name)
volumes = PackedVolumes(sys.argv[1])
number = len(volumes)
percentiles = np.tile(np.float32([0.2, 0.5, 1.0, 1.2, 1.5]), (number, 1))
rows, landmarks = np.arange(number), torch.linspace(0, 1, 5)
before = used()
cohort = Cohort(volumes, percentiles, [f"s{row}" for row in rows])
scans = Scans(cohort, rows, landmarks, coarsen=1, place=torch.device("cpu"), how="auto")
batches = np.random.default_rng(0).choice(number, (40, 12))
taken = [chosen.shape for _, (chosen,) in Ahead(batches, lambda batch: (scans.take(batch),), scans)]
assert taken == [(12, 1, 96, 96, 96)] * 40
print(scans.held is None, used() - before)
"""


@pytest.mark.slow
def test_the_scans_of_a_large_cohort_are_streamed_and_not_held(tmp_path):
    # 58.5 GB of zeros that take no disk; the free memory is said to be 16 GB.
    shape = (33060, 96, 96, 96)
    with (tmp_path / "v.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f2", "fortran_order": False, "shape": shape})
        stream.truncate(stream.tell() + 2 * int(np.prod(shape)))
    command = [sys.executable, "-c", STREAMING, str(tmp_path / "v.npy")]
    is_streamed, grown_mb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert is_streamed == "True"
    # Two batches in single precision, and what standardises them.
    assert float(grown_mb) < 700
