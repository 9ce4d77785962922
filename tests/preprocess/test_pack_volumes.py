import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from neurobar.preprocess.pack_volumes import main, pack


def test_scans_that_take_part_are_packed_in_the_order_of_the_table(tmp_path):
    random = np.random.default_rng(0)
    for scan in "ac":
        (tmp_path / scan).mkdir()
        volume = np.zeros((4, 5, 6), np.float32)
        volume[1:3, 1:4, 1:5] = random.uniform(0.5, 1.5, (2, 3, 4))
        nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / scan / "volume.nii.gz")
    table = pd.DataFrame({"scan": list("abc"), "used": [True, False, True], "reason": ["", "Too large.", ""]})
    table.to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    outputs = [word for name in ("volumes", "percentiles") for word in (f"--{name}", str(tmp_path / f"{name}.npy"))]
    main(["--folder", str(tmp_path), "--table", str(tmp_path / "table.tsv"), "--at", "[10, 50, 90]", *outputs])
    volumes, percentiles = np.load(tmp_path / "volumes.npy"), np.load(tmp_path / "percentiles.npy")
    assert volumes.dtype == np.float16
    assert len(volumes) == 2
    for row, scan in enumerate("ac"):
        volume = nib.load(tmp_path / scan / "volume.nii.gz").get_fdata()
        assert np.allclose(volumes[row], volume, rtol=1e-3)
        assert ((volumes[row] > 0) == (volume > 0)).all()
        assert np.allclose(percentiles[row], np.percentile(volume[volume > 0], [10, 50, 90]), rtol=1e-5)


def test_the_file_is_what_numpy_would_write(tmp_path):
    volumes = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4, 5, 6)).astype(np.float32)
    paths = [tmp_path / f"{number}.nii.gz" for number in range(len(volumes))]
    for path, volume in zip(paths, volumes, strict=True):
        nib.save(nib.Nifti1Image(volume, np.eye(4)), path)
    pack(paths, tmp_path / "packed.npy", [50])
    np.save(tmp_path / "saved.npy", volumes.astype(np.float16))
    assert (tmp_path / "packed.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()


def test_a_volume_on_another_grid_is_named(tmp_path):
    for name, shape in (("a", (4, 5, 6)), ("b", (6, 5, 4))):
        nib.save(nib.Nifti1Image(np.ones(shape, np.float32), np.eye(4)), tmp_path / f"{name}.nii.gz")
    with pytest.raises(ValueError, match=r"b\.nii\.gz: its grid is \(6, 5, 4\), that of .*a\.nii\.gz is \(4, 5, 6\)"):
        pack([tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"], tmp_path / "packed.npy", [50])


def test_a_scan_without_a_brain_that_is_kept_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.eye(4)), tmp_path / "a" / "volume.nii.gz")
    pd.DataFrame({"scan": ["a"], "used": [True], "reason": ["Kept."]}).to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    outputs = [word for name in ("volumes", "percentiles") for word in (f"--{name}", str(tmp_path / f"{name}.npy"))]
    with pytest.raises(SystemExit, match=r"a/volume\.nii\.gz: no brain was found"):
        main(["--folder", str(tmp_path), "--table", str(tmp_path / "t.tsv"), "--at", "[10, 50, 90]", *outputs])
    assert not (tmp_path / "volumes.npy").exists()
