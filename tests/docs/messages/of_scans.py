"""Scans and masks that cannot be read, and scans that do not pass their checks."""

import gzip
import shutil
import stat
import subprocess

import nibabel as nib
import numpy as np
import pandas as pd

from neurobar.data import volumes
from neurobar.data.cohorts import PackedVolumes
from neurobar.data.scan_names import digest_names, read_names
from neurobar.data.volumes import read_head
from neurobar.preprocess import masks
from neurobar.preprocess.judge_scans import find_reasons, judge
from neurobar.preprocess.masks import read_mask, run_hd_bet
from neurobar.preprocess.pack_volumes import pack

SHAPE = (40, 36, 34)
NOISE = np.random.default_rng(0).uniform(1, 100, SHAPE).astype(np.float32)
#: Where lengths and spacing of the axes, and the first row of the affine, stand in a header.
LENGTHS, SPACING, AFFINE = 42, 80, 280


def image_of(array, spacing_mm=2.0, code=1, patch=None):
    """Return the bytes of a compressed image; `patch` is an offset in its header and what is written there."""
    image = nib.Nifti1Image(array, np.diag([2, 2, spacing_mm, 1]))
    image.set_sform(image.affine, code=code)
    image.set_qform(image.affine, code=0)
    content = bytearray(image.to_bytes())
    if patch:
        content[patch[0] : patch[0] + patch[1].nbytes] = patch[1].tobytes()
    return gzip.compress(content, compresslevel=1)


def of(content):
    """Return the case that reads a file with some content."""

    def read(bench):
        (bench.folder / "scan.nii.gz").write_bytes(content)
        read_head(bench.folder / "scan.nii.gz")

    return read


def forbidden(bench):
    def refuse(path):
        raise PermissionError(path)  # as the system does, but for root

    (bench.folder / "scan.nii.gz").touch()
    bench.monkeypatch.setattr(volumes, "read_header", refuse)
    read_head(bench.folder / "scan.nii.gz")


def changed_meanwhile(bench):
    """Let somebody copy on into the file once its header is read."""
    path = bench.folder / "scan.nii.gz"
    path.write_bytes(image_of(NOISE))
    read = volumes.read_header

    def read_and_grow(path):
        header = read(path)
        with path.open("ab") as stream:
            stream.write(b"more")
        return header

    bench.monkeypatch.setattr(volumes, "read_header", read_and_grow)
    read_head(path)


def of_mask(array):
    """Return the case that reads a mask for a scan of another array."""

    def read(bench):
        nib.save(nib.Nifti1Image(array, np.eye(4)), bench.folder / "mask.nii.gz")
        read_mask(bench.folder / "mask.nii.gz", SHAPE, np.eye(4))

    return read


def without_hd_bet(bench):
    bench.monkeypatch.setattr(masks.shutil, "which", lambda name: None)
    run_hd_bet(nib.Nifti1Image(NOISE, np.eye(4)), "cpu")


def with_hd_bet_that_fails(bench):
    command = bench.folder / "hd-bet"
    command.write_text("#!/bin/sh\necho 'no weights' >&2\nexit 3\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    bench.monkeypatch.setenv("PATH", str(bench.folder), prepend=":")
    assert shutil.which("hd-bet") == str(command)
    run_hd_bet(nib.Nifti1Image(NOISE, np.eye(4)), "cpu")


CHECK = {"scan": "a", "credible": True, "starts": 6, "prepared": "", "overlap": 0.7, "brain_ml": 2500}
LIMITS = {"overlap": [0.88, None], "brain_ml": [None, 2100]}


def reasons(limits=LIMITS, **changes):
    """Return the case that lists why a scan is left out."""
    return lambda bench: "\n".join(find_reasons(CHECK | changes, limits))


def judged(**words):
    """Return the case that judges one scan beside a good one, and says the reason of the first."""

    def said(bench):
        good = CHECK | {"scan": "b", "overlap": 0.95, "brain_ml": 1400}
        checks = [check for check in (CHECK, good) if check["scan"] not in words.get("exclude", [])]
        table = judge(checks, LIMITS, **{"keep": [], "exclude": []} | words)
        return table.set_index("scan").at["a", "reason"]

    return said


def two_grids(bench):
    paths = [bench.folder / f"{length}.nii.gz" for length in (4, 5)]
    for path, length in zip(paths, (4, 5), strict=True):
        nib.save(nib.Nifti1Image(np.ones((length, 4, 4), np.float32), np.eye(4)), path)
    pack(paths, bench.folder / "cohort.npy", [50])


def a_cohort_that_is_cut_off(bench):
    path = bench.folder / "cohort.npy"
    np.save(path, np.ones((2, 3, 4, 5), np.float16))
    volumes = PackedVolumes(path)
    path.write_bytes(path.read_bytes()[:-1])
    return volumes[1]


def an_edited_sheet(bench):
    sheet = bench.folder / "scans.tsv"
    sheet.write_text("scan\na\nnew\n")
    return read_names(sheet, ignored={}, digest=digest_names(["a"]))


def no_scan_passes(bench):
    return judge([CHECK], LIMITS, keep=[], exclude=[])


def nothing_is_left(bench):
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.float32), np.eye(4)), bench.folder / "volume.nii.gz")
    pack([bench.folder / "volume.nii.gz"], bench.folder / "cohort.npy", [1, 50, 99])


def a_scan_that_stops_the_run(bench):
    """Let the workflow register an empty file, with templates that are never opened."""
    workflow = bench.fixture("workflow")
    for name in ("a.nii.gz", "b.nii.gz"):
        (bench.folder / name).touch()
    table = pd.DataFrame({"scan": ["a", "b"], "subject": ["a", "b"], "diagnosis": ["CN", "AD"]})
    table.assign(path=table["scan"] + ".nii.gz").to_csv(bench.folder / "scans.tsv", sep="\t", index=False)
    for name in ("template", "template_mask", "template_head", "template_depth"):
        (bench.folder / "results" / "fetch").mkdir(parents=True, exist_ok=True)
        (bench.folder / "results" / "fetch" / f"{name}.nii.gz").touch()
    (bench.folder / "results" / "fetch" / "template.json").touch()
    target = "results/preprocess/a/registration.json"
    return workflow.run(target, settings={"cohort": {"scans": "scans.tsv"}}).stderr


def a_locked_folder(bench):
    workflow = bench.fixture("workflow")
    locks = bench.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/fetch/regions.tsv\n")
    done: subprocess.CompletedProcess = workflow.run("results/fetch/regions.tsv")
    return done.stdout + done.stderr


CASES = {
    "…: there is no such file.": lambda bench: read_head(bench.folder / "gone.nii.gz"),
    "…: the file may not be read (no permission).": forbidden,
    "…: the file changed while it was read; run again when it is whole.": changed_meanwhile,
    "…: not a whole NIfTI file (…).": of(b"This is no image."),
    "…: a head has three axes, this image has shape ….": of(image_of(np.stack([NOISE, NOISE], axis=-1))),
    "…: its voxels are no numbers on a scale (colour, complex or unknown type).": of(
        image_of(NOISE.astype(np.complex64))
    ),
    "…: at least 32 voxels along each axis are needed, the shape is ….": of(image_of(NOISE[:20])),
    "…: the header claims … voxels, more than 134217728 are not read.": of(
        image_of(NOISE, patch=(LENGTHS, np.array([30000] * 3, np.int16)))
    ),
    "…: voxel spacing has to be positive, the header says … mm.": of(
        image_of(NOISE, patch=(SPACING, np.array([-2, 2, 2], np.float32)))
    ),
    "…: sform and qform codes are both 0, so left and right are unknown.": of(image_of(NOISE, code=0)),
    "…: the affine of the header is singular or not finite.": of(
        image_of(NOISE, patch=(AFFINE, np.zeros(4, np.float32)))
    ),
    "…: slices of … mm are too thick, at most 6.0 mm are read.": of(image_of(NOISE, spacing_mm=10.0)),
    "…: … % of the voxels are NaN or infinite.": of(image_of(np.where(NOISE > 50, np.nan, NOISE))),
    "…: … % of the voxels are far below 0, as in CT; a T1 image is 0 or above.": of(image_of(NOISE - 50)),
    "…: the image is empty or constant.": of(image_of(np.zeros(SHAPE, np.float32))),
    "Mend these scans, or name them in preprocess.exclude to go on without them.": a_scan_that_stops_the_run,
    "…: no mask of this scan: ….": of_mask(np.ones((5, 6, 7), np.uint8)),
    "…: the mask is empty.": of_mask(np.zeros(SHAPE, np.uint8)),
    "There is no command hd-bet: install it by `pip install .[hdbet]`, or set skull_strip: atlas.": without_hd_bet,
    "hd-bet failed (exit …): ….": with_hd_bet_that_fails,
    "No credible registration was found in … attempts.": reasons(credible=False),
    "It is said to be registered, but does not lie on the template.": reasons(credible=False, prepared="registered"),
    "… is …, below ….": reasons(),
    "… is …, above ….": reasons(),
    "Excluded in the config.": judged(exclude=["a"]),
    "Kept in the config: ….": judged(keep=["a"]),
    "No scan passed its checks. The first of …, …: …": no_scan_passes,
    "…: its grid is …, that of … is ….": two_grids,
    "… became shorter while it was read; was another run started beside this?": a_cohort_that_is_cut_off,
    "… lists other scans than when the run began; start the run again.": an_edited_sheet,
    "…: no brain was found in this scan, so it cannot be kept (preprocess.keep).": nothing_is_left,
    "Error: Directory cannot be locked. Please make sure that no other Snakemake process is trying to create the same "
    "files in the following directory:": a_locked_folder,
}
