"""Bad scans among good ones: each is named by one sentence, and all others come through."""

import gzip
import os

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

from neurobar.simulate.list_simulated_scans import planned_scans
from neurobar.simulate.simulate_scan import simulate_scan

pytestmark = pytest.mark.slow

#: What a shell, a format string or a table could each take amiss.
ODD = """a 'head' of "Zoë" $(touch x) `touch x` 頭 %s {} & co; *"""
SHAPE = (40, 36, 34)
#: Where the lengths of the axes and the spacing stand in a header.
LENGTHS, SPACING = 42, 80

#: For each bad scan, words of the sentence that names it.
WORDS = {
    "truncated": "not a whole NIfTI file",
    "text": "not a whole NIfTI file",
    "empty": "not a whole NIfTI file (it is empty)",
    "four_axes": "a head has three axes",
    "two_axes": "a head has three axes",
    "all_zero": "the image is empty or constant",
    "undefined": "% of the voxels are NaN or infinite",
    "negative_spacing": "voxel spacing has to be positive",
    "zero_spacing": "voxel spacing has to be positive",
    "no_orientation": "left and right are unknown",
    "thick": "slices of 10.0 mm are too thick",
    "tiny": "at least 32 voxels along each axis are needed",
    "ct": "far below 0, as in CT",
    "terabytes": "the header claims (30000, 30000, 30000) voxels",
    "forbidden": "the file may not be read (no permission)",
}
GOOD = ["good", "odd"]


def zipped(array, spacing_mm=2.0, code=1, patch=None):
    """Return the bytes of a compressed image; `patch` is an offset in its header and what is written there."""
    image = nib.Nifti1Image(array, np.diag([2, 2, spacing_mm, 1]))
    image.set_sform(image.affine, code=code)
    image.set_qform(image.affine, code=code)
    content = bytearray(image.to_bytes())
    if patch is not None:
        offset, values = patch
        content[offset : offset + values.nbytes] = values.tobytes()
    return gzip.compress(content, compresslevel=1)


def make_bad(good):
    """Return the content of each bad file; `good` is that of a whole one."""
    noise = np.random.default_rng(0).uniform(1, 100, SHAPE).astype(np.float32)
    return {
        "truncated": good[: len(good) // 2],
        "text": b"This is no image.\nIt has two lines.\n",
        "empty": b"",
        "four_axes": zipped(np.stack([noise, noise], axis=-1)),
        "two_axes": zipped(noise[0]),
        "all_zero": zipped(np.zeros(SHAPE, np.float32)),
        "undefined": zipped(np.select([noise < 3, noise > 98], [np.nan, np.inf], noise)),
        "negative_spacing": zipped(noise, patch=(SPACING, np.array([-2], "<f4"))),
        "zero_spacing": zipped(noise, patch=(SPACING, np.array([0], "<f4"))),
        "no_orientation": zipped(noise, code=0),
        "thick": zipped(noise, spacing_mm=10.0),
        "tiny": zipped(noise[:20, :20, :20]),
        "ct": zipped(np.where(noise < 60, -1000, 30 * noise).astype(np.int16)),
        "terabytes": zipped(noise, patch=(LENGTHS, np.full(3, 30000, "<i2"))),
        "forbidden": good,
    }


def raw_path(name):
    """Return the path of a scan, from the folder of the sheet."""
    return f"{ODD}/{ODD}.nii.gz" if name == "odd" else f"raw/{name}_T1w.nii.gz"


@pytest.fixture(scope="module")
def calls(root, workflow_class, tmp_path_factory):
    """Return a workflow in a folder of an odd name, with good and bad scans and their sheet."""
    folder = tmp_path_factory.mktemp("scans") / ODD
    settings = yaml.safe_load((root / "config.yaml").read_text())["simulate"]
    image, _, _ = simulate_scan(planned_scans(settings).to_dict("records")[0])
    good = gzip.compress(image.to_bytes(), compresslevel=1)
    contents = make_bad(good) | dict.fromkeys(GOOD, good)
    paths = {name: folder / raw_path(name) for name in contents}
    for name, content in contents.items():
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_bytes(content)
    paths["forbidden"].chmod(0)
    listed = [name for name in contents if name != "forbidden" or not os.access(paths[name], os.R_OK)]
    table = pd.DataFrame({"scan": listed, "subject": listed, "path": [raw_path(name) for name in listed]})
    table["diagnosis"] = np.where(np.arange(len(table)) % 2, "AD", "CN")
    table.to_csv(folder / "scans.tsv", sep="\t", index=False)
    return workflow_class(root, folder)


@pytest.fixture(scope="module")
def listed_bad(calls):
    """Return the names of the bad scans in the sheet."""
    return sorted({*pd.read_csv(calls.folder / "scans.tsv", sep="\t")["scan"]} - {*GOOD})


@pytest.fixture(scope="module")
def first(calls):
    """Preprocess all scans."""
    return calls.run("preprocess", "--keep-going", settings={"cohort": {"scans": "scans.tsv"}})


@pytest.fixture(scope="module")
def excluding(listed_bad):
    """Return the settings that leave out what is bad."""
    return {"cohort": {"scans": "scans.tsv"}, "preprocess": {"exclude": listed_bad}}


@pytest.mark.parametrize("name", WORDS)
def test_one_sentence_says_which_file_is_bad_and_why(calls, first, listed_bad, name):
    if name not in listed_bad:
        pytest.skip("this user may read every file")
    said = (calls.folder / "results" / "logs" / "register_scan" / f"{name}.log").read_text()
    assert said.startswith(f"{calls.folder / raw_path(name)}: ")
    assert WORDS[name] in said
    assert said.endswith(".\n")
    assert said.count("\n") == 1
    assert said in first.stderr
    assert not (calls.folder / "results" / "preprocess" / name / "registration.json").exists()


@pytest.mark.parametrize("name", GOOD)
def test_a_good_scan_comes_through_beside_bad_ones(calls, first, name):
    for output in ("check.json", "check.png", "volume.nii.gz", "native_brain_mask.nii.gz", "registration.json"):
        assert (calls.folder / "results" / "preprocess" / name / output).is_file(), first.stderr


def test_the_name_of_a_file_changes_nothing(calls, first):
    one, other = (calls.folder / "results" / "preprocess" / name / "volume.nii.gz" for name in GOOD)
    assert one.read_bytes() == other.read_bytes()


def test_the_run_says_at_its_end_which_scans_failed_and_what_to_do(calls, first, listed_bad):
    assert first.returncode != 0
    end = first.stderr[first.stderr.rindex("Exiting because") :]
    assert all(f"{name}: {calls.folder / raw_path(name)}: " in end for name in listed_bad)
    assert "name them in preprocess.exclude" in end
    assert "Traceback" not in first.stderr
    assert not (calls.folder / "results" / "preprocess" / "cohort.tsv").exists()


def test_nothing_half_written_is_left_and_no_name_was_executed(calls, first, root):
    assert not list(calls.folder.rglob(".partial-*"))
    assert not list(calls.folder.parent.rglob("x"))
    assert not (root / "x").exists()


def test_excluding_the_bad_scans_does_no_scan_again(calls, first, excluding):
    assert calls.plan("preprocess", settings=excluding) == {"judge_scans": 1, "pack_volumes": 1, "preprocess": 1}


def test_without_the_bad_scans_the_run_ends_well(calls, first, excluding, listed_bad):
    done = calls.run("preprocess", settings=excluding)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(calls.folder / "results" / "preprocess" / "cohort.tsv", sep="\t", index_col="scan")
    assert table.index[table["used"]].tolist() == GOOD
    assert table["reason"][~table["used"]].to_dict() == dict.fromkeys(listed_bad, "Excluded in the config.")
    assert len(np.load(calls.folder / "results" / "preprocess" / "cohort.npy", mmap_mode="r")) == len(GOOD)
