import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from neurobar.data.cohorts import PackedVolumes, part_of_fold, read_cohort
from neurobar.data.leaks import scans_outside, subjects_in_two_parts

FOLDS = pd.DataFrame(
    {"scan": list("abcdef"), "subject": ["s1", "s1", "s2", "s3", "s4", "s5"], "part": ["0", "0", "1", "2", "test", "1"]}
)


def test_rows_follow_the_names_of_scans_whatever_their_order(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(2 * 2 * 3 * 4, dtype=np.float16).reshape(2, 2, 3, 4))
    np.save(tmp_path / "p.npy", np.array([[1, 2], [3, 4]], np.float32))
    table = pd.DataFrame({"scan": ["a", "b", "c"], "used": [True, False, True], "reason": ""})
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    cohort = read_cohort(tmp_path / "v.npy", tmp_path / "p.npy", tmp_path / "t.tsv")
    assert cohort.scans == ["a", "c"]
    assert cohort.rows_of(pd.Series(["c", "a"])).tolist() == [1, 0]


def test_parts_of_a_fold_are_disjoint_and_complete():
    parts = [set(part_of_fold(FOLDS, 1, part)["scan"]) for part in ("train", "select", "test")]
    assert parts == [{"a", "b", "d"}, {"c", "f"}, {"e"}]


def test_an_empty_part_is_refused():
    with pytest.raises(ValueError, match="Fold 7 has no scan to select"):
        part_of_fold(FOLDS, 7, "select")


def test_a_subject_in_two_parts_is_found():
    assert subjects_in_two_parts(FOLDS) == []
    assert subjects_in_two_parts(FOLDS.assign(part=["0", "test", "1", "2", "test", "1"])) == ["s1"]


def test_scans_outside_their_part_are_found():
    assert scans_outside(["a", "b", "d"], FOLDS, 1, "train") == []
    assert scans_outside(["a", "c", "e"], FOLDS, 1, "train") == ["c", "e"]
    assert scans_outside(["unknown"], FOLDS, 1, "train") == ["unknown"]


def test_a_scan_whose_subject_is_also_elsewhere_is_outside():
    leaking = FOLDS.assign(part=["0", "test", "1", "2", "test", "1"])
    assert scans_outside(["a"], leaking, 1, "train") == ["a"]


@pytest.fixture
def packed(tmp_path):
    """Return an array of five volumes on unequal axes, and what reads it from its file."""
    volumes = np.arange(5 * 2 * 3 * 4, dtype=np.float16).reshape(5, 2, 3, 4)
    np.save(tmp_path / "v.npy", volumes)
    return volumes, PackedVolumes(tmp_path / "v.npy")


@pytest.mark.parametrize(
    "rows", [2, -1, np.int64(4), slice(1, 4), slice(None, None, -2), np.array([3, 0, 3]), np.array([], np.int64)]
)
def test_volumes_are_read_as_an_array_is_asked(packed, rows):
    volumes, read = packed
    assert np.array_equal(read[rows], volumes[rows])
    assert read[rows].shape == volumes[rows].shape
    assert read[rows].dtype == np.float16
    read[rows][...] = 0  # what is read is the caller's own
    assert np.array_equal(read[rows], volumes[rows])


def test_a_loop_over_volumes_ends(packed):
    volumes, read = packed
    assert len(read) == len(volumes)
    assert read.shape == volumes.shape
    assert np.array_equal(list(read), volumes)
    with pytest.raises(IndexError):
        read[np.array([5])]


def test_a_file_that_became_shorter_is_refused(packed):
    _, read = packed
    read.path.write_bytes(read.path.read_bytes()[:-1])
    assert read[3].size == 24
    with pytest.raises(OSError, match=r"v\.npy became shorter"):
        read[4]


def test_a_file_that_takes_the_place_of_what_is_read_changes_nothing(packed, tmp_path):
    volumes, read = packed
    np.save(tmp_path / "new.npy", -volumes)
    (tmp_path / "new.npy").replace(read.path)
    assert np.array_equal(read[:], volumes)


def test_what_was_read_is_not_held(tmp_path):
    # 800 MB of zeros that take no disk; the largest memory of a process of its own is what Slurm would watch.
    shape = (450, 96, 96, 96)
    with (tmp_path / "v.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f2", "fortran_order": False, "shape": shape})
        stream.truncate(stream.tell() + 2 * int(np.prod(shape)))
    script = (
        "import resource, sys; from neurobar.data.cohorts import PackedVolumes\n"
        "def used(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "volumes = PackedVolumes(sys.argv[1]); before = used()\n"
        "assert not any(volume.any() for volume in volumes); print(used() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "v.npy")], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 50
