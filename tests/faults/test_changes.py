"""Files that change while a run goes on."""

import gzip
import shutil
import time

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

LATER = ("split", "pretrain", "finetune", "regress", "evaluate", "report", "draw")


def test_a_scan_that_is_replaced_between_two_steps_is_refused_and_done_again_as_a_whole(unbroken, tmp_path):
    study = unbroken.copy(tmp_path / "run", without=(*LATER, "preprocess/s2"))
    # One scan is this test's own.
    raw, kept = tmp_path / "s2.nii.gz", study.folder / "results" / "preprocess" / "s2"
    scans = pd.read_csv(study.folder / "scans.tsv", sep="\t", index_col="scan")
    shutil.copy(scans.loc["s2", "path"], raw)
    scans.loc["s2", "path"] = str(raw)
    scans.to_csv(study.folder / "scans.tsv", sep="\t")
    started = study.start()
    while not (kept / "registration.json").exists() and started.poll() is None:
        time.sleep(0.02)
    registered = (kept / "registration.json").read_bytes()
    # The same image in other bytes, so that the table can be compared, moved into place while the run is at work.
    other = raw.with_suffix(".new")
    other.write_bytes(gzip.compress(gzip.decompress(raw.read_bytes()), compresslevel=1))
    other.replace(raw)
    assert started.wait() != 0
    said = started.said_in.read_text()
    assert f"{raw}: the file changed since it was registered; give the command again" in said
    assert "Traceback" not in said
    assert not (kept / "check.json").exists()
    study.finish()
    assert study.tables() == unbroken.tables()
    # Its registration alone knows of which bytes it was made.
    assert (kept / "registration.json").read_bytes() != registered
    name = "results/preprocess/s2/volume.nii.gz"
    assert (study.folder / name).read_bytes() == (unbroken.folder / name).read_bytes()
