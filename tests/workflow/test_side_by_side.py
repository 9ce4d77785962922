"""A full-resolution head and three with thick slices pass, with the same bytes however many jobs run at a time."""

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.real]

HEADS = {"sub-adi": "M", "sub-ms01": "F", "sub-ms04": "M", "sub-ms12": "F"}
OF_A_SCAN = ["volume.nii.gz", "native_brain_mask.nii.gz", "registration.json", "bias.json", "check.json", "check.png"]
OF_THE_COHORT = ["cohort.npy", "cohort.tsv", "checks.tsv", "percentiles.npy"]
KEPT = [*(f"{scan}/{name}" for scan in HEADS for name in OF_A_SCAN), *OF_THE_COHORT]


@pytest.fixture(scope="module")
def results(real_scans, root, workflow_class, tmp_path_factory):
    """Preprocess the same heads one job after the other, and side by side; return the two folders."""
    paths = [next(real_scans.rglob(f"{scan}_T1w.nii.gz")) for scan in HEADS]
    sheet = pd.DataFrame({"scan": HEADS.keys(), "subject": HEADS.keys(), "path": paths, "sex": HEADS.values()})
    settings = {"cohort": {"scans": "scans.tsv", "label": "sex", "negative": "F", "positive": "M"}}
    folders = []
    for cores in ("1", "4"):
        folder = tmp_path_factory.mktemp(f"cores-{cores}")
        sheet.to_csv(folder / "scans.tsv", sep="\t", index=False)
        done = workflow_class(root, folder).run("preprocess", "--cores", cores, settings=settings)
        assert done.returncode == 0, done.stderr
        folders.append(folder / "results" / "preprocess")
    return folders


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_file_has_the_same_bytes_however_many_jobs_ran(results, name):
    alone, beside_others = (folder / name for folder in results)
    assert alone.read_bytes() == beside_others.read_bytes()


def test_every_head_passes_its_checks(results):
    cohort = pd.read_csv(results[0] / "cohort.tsv", sep="\t", index_col="scan")
    assert cohort.index.tolist() == [*HEADS]
    assert cohort["used"].all(), cohort["reason"].tolist()


def test_every_kept_file_was_compared(results):
    for folder in results:
        assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {*KEPT}
