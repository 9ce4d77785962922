import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from neurobar.preprocess.pack_volumes import main

CHECKS = {"a": (True, []), "b": (False, ["Too large.", "Sheared."]), "c": (True, [])}


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for scan, (passed, reasons) in CHECKS.items():
        (tmp_path / scan).mkdir()
        volume = np.zeros((4, 5, 6), np.float32)
        volume[1:3, 1:4, 1:5] = random.uniform(0.5, 1.5, (2, 3, 4))
        nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / scan / "volume.nii.gz")
        (tmp_path / scan / "check.json").write_text(json.dumps({"passed": passed, "reasons": reasons}))
    return tmp_path


def pack(folder, *words):
    outputs = {name: folder / name for name in ("volumes.npy", "percentiles.npy", "table.tsv")}
    named = [word for name, path in outputs.items() for word in (f"--{name.split('.')[0]}", str(path))]
    main(["--folder", str(folder), "--scans", "c", "a", "b", "--at", "[10, 50, 90]", *named, *words])
    table = pd.read_csv(outputs["table.tsv"], sep="\t", keep_default_na=False).set_index("scan")
    return np.load(outputs["volumes.npy"]), np.load(outputs["percentiles.npy"]), table


def test_scans_that_passed_are_packed_in_the_order_of_the_table(folder):
    volumes, percentiles, table = pack(folder)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["used"].tolist() == [True, False, True]
    assert table.at["b", "reason"] == "Too large. Sheared."
    assert volumes.dtype == np.float16
    for row, scan in enumerate(["a", "c"]):
        volume = nib.load(folder / scan / "volume.nii.gz").get_fdata()
        assert np.allclose(volumes[row], volume, rtol=1e-3)
        assert ((volumes[row] > 0) == (volume > 0)).all()
        assert np.allclose(percentiles[row], np.percentile(volume[volume > 0], [10, 50, 90]), rtol=1e-5)


def test_a_person_overrules_the_checks_and_the_table_says_so(folder):
    (folder / "a" / "check.json").unlink()  # what is excluded may be broken
    volumes, _, table = pack(folder, "--keep", '["b"]', "--exclude", '["a"]')
    assert table["used"].tolist() == [False, True, True]
    assert table["reason"].tolist() == ["Excluded in the config.", "Kept in the config: Too large. Sheared.", ""]
    assert len(volumes) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--keep", '["x"]'), "'x' is no scan of the cohort"),
        (("--keep", '["a"]', "--exclude", '["a"]'), "'a' is no scan of the cohort, or in both"),
        (("--exclude", '["a", "b", "c"]'), "No scan passed its checks"),
    ],
)
def test_faults_end_in_one_sentence(folder, words, message):
    with pytest.raises(SystemExit, match=message):
        pack(folder, *words)
