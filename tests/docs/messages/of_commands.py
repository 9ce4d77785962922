"""What the command `neurobar` refuses, and exported models that are not whole."""

import hashlib
from types import SimpleNamespace

import pandas as pd
import yaml

from neurobar.commands import predict, workflow
from neurobar.commands.__main__ import main
from neurobar.commands.exported import open_exported
from neurobar.commands.scan_lists import list_scans
from neurobar.data.cohorts import read_cohort, read_folds
from neurobar.export.healthy_means import average_healthy
from neurobar.export.refusals import check_split, check_template


def check_empty_scans(bench):
    for name in ("a.nii.gz", "b.nii.gz"):
        (bench.folder / name).touch()
    table = pd.DataFrame({"scan": ["a", "b"], "subject": ["a", "b"], "diagnosis": ["CN", "AD"]})
    table.assign(path=table["scan"] + ".nii.gz").to_csv(bench.folder / "scans.tsv", sep="\t", index=False)
    (bench.folder / "study.yaml").write_text(yaml.safe_dump({"cohort": {"scans": "scans.tsv"}}))
    main(["check", "--configfile", str(bench.folder / "study.yaml"), "--directory", str(bench.folder)])


def check_without_the_repository(bench):
    bench.monkeypatch.setattr(workflow, "ROOT", bench.folder)
    main(["check"])


def check_where_nothing_is(bench):
    main(["check", "--directory", str(bench.folder / "typo")])


def checking(text):
    """Return the case that checks a study of some settings."""

    def check(bench):
        (bench.folder / "study.yaml").write_text(text)
        main(["check", "--configfile", str(bench.folder / "study.yaml"), "--directory", str(bench.folder)])

    return check


def export_without_running(bench):
    main(["export", "--task", "bar", "--output", str(bench.folder / "model"), "--dry-run"])


def export_over_a_folder(bench):
    main(["export", "--task", "bar", "--output", str(bench.folder)])


def export_what_is_no_task(bench):
    main(["export", "--task", "nothing", "--output", str(bench.folder / "model"), "--directory", str(bench.folder)])


def too_few_healthy(bench):
    cohort = bench.fixture("tiny_cohort").folder
    folds = read_folds(cohort / "folds.tsv")
    healthy = folds[(folds["label"] == 0) & (folds["part"] == "1")]["subject"].unique()
    folds = folds[(folds["label"] == 1) | folds["subject"].isin(healthy[:1])]
    packed = read_cohort(cohort / "cohort.npy", cohort / "percentiles.npy", cohort / "cohort.tsv")
    average_healthy(packed, folds, 0, None, 1)


def model(sums=None, config=None):
    """Return the case that opens a folder with some checksums and settings."""

    def open_it(bench):
        text = "" if config is None else config
        if config is not None:
            (bench.folder / "config.json").write_text(text)
        if sums is not None:
            line = f"{hashlib.sha256(text.encode()).hexdigest()}  config.json\n"
            (bench.folder / "SHA256SUMS").write_text(sums or line)
        open_exported(bench.folder)

    return open_it


def listed(name):
    """Return the case that lists what is given as a scan."""
    return lambda bench: list_scans([str(bench.folder / name)], output=bench.folder / "output")


def listed_in_a_sheet(scan="b", prepared=""):
    """Return the case that lists the scans of a sheet, the second as given."""

    def read(bench):
        for name in "ab":
            (bench.folder / f"{name}.nii.gz").touch()
        rows = [["scan", "path", "prepared"], ["a", "a.nii.gz", ""], [scan, "b.nii.gz", prepared]]
        (bench.folder / "scans.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
        listed("scans.tsv")(bench)

    return read


def predict_what_is_no_image(bench):
    """Call the command with settings in place of a model, which nothing comes as far as."""
    config = {"classes": bench.config["cohort"], "task": "bar", "study": "study", "simulated": True, "threshold": 0.5}
    config |= {"preprocess": bench.config["preprocess"], "neurobar": "0", "code": "0"}
    exported = SimpleNamespace(config=config, fetched=bench.folder)
    bench.monkeypatch.setattr(predict, "open_exported", lambda folder: exported)
    bench.monkeypatch.setattr(predict, "Ensemble", lambda *words: SimpleNamespace(exported=exported, device=words[1]))
    for name in ("write_prediction_page", "write_overview"):
        bench.monkeypatch.setattr(predict, name, lambda *words: None)
    (bench.folder / "scan.nii.gz").write_text("no image")
    words = ["--model", str(bench.folder), "--output", str(bench.folder / "output"), "--device", "cpu"]
    main(["predict", str(bench.folder / "scan.nii.gz"), *words])


CONTROL = {"task": "bar_recon_permuted", "split": {"by": "subject", "labels": "permuted"}}
OWN_HEAD = {"template": {"head": "mine.nii.gz"}}
CASES = {
    "neurobar check: … of … scans cannot be preprocessed; mend them, or name them in preprocess.exclude:": (
        check_empty_scans
    ),
    "neurobar check: there is no Snakefile in …; clone the repository and install it with "
    "`pip install --editable .`.": check_without_the_repository,
    "neurobar check: …: __use_yte__ would run code that stands in it; settings are plain YAML.": checking(
        "__use_yte__: true"
    ),
    "neurobar check: … is not plain YAML: ….": checking("study: !!python/name:os.system"),
    "…/config.json is not what an export writes: ….": model(sums="", config='{"format": 1, "folds": ["../.."]}'),
    "neurobar check: there is no folder …; it is the working folder of the study.": check_where_nothing_is,
    "neurobar export: an export runs what is missing of the study; leave out options that only plan or describe.": (
        export_without_running
    ),
    "neurobar export: … exists already; name another folder or remove it.": export_over_a_folder,
    "neurobar export: the workflow did not come to its end; its own words stand above.": export_what_is_no_task,
    "… is a control, wrong on purpose, and no model to be handed on.": lambda bench: check_split(CONTROL),
    "The model was made with a whole head of your own (template.head), which is not handed on since it may show a "
    "person's face; make the study with template.head: computed.": lambda bench: check_template(OWN_HEAD),
    "Fold … trains on … scans of … subjects of class 0: the mean of fewer than 5 subjects would show too much of each "
    "to be handed on.": too_few_healthy,
    "… is no exported model: there is no SHA256SUMS in it; see `neurobar export`.": model(),
    "…, line … is no checksum and file name.": model(sums="nonsense\n"),
    "…: there is no such file, so the exported model is not whole.": model(sums=""),
    "… is not the file that was exported: its SHA-256 is not the one in SHA256SUMS.": model(
        sums=f"{'0' * 64}  config.json\n", config="{}"
    ),
    "…/config.json is not of format …; this neurobar reads no other.": model(sums="", config='{"format": 0}'),
    "…: there is no NIfTI file (.nii, .nii.gz) in this folder.": listed(""),
    "…: a scan is a NIfTI file (.nii, .nii.gz), a folder, or a sheet (.tsv, .csv).": listed("scan.dcm"),
    "The scan … of a sheet needs another name: that one is taken.": listed_in_a_sheet(scan="a"),
    "…, row …: scan … is not a name of letters, digits and _ . + -.": listed_in_a_sheet(scan="../b"),
    "…, row …: prepared says …; known are stripped, registered, unbiased.": listed_in_a_sheet(prepared="striped"),
    "neurobar predict: no scan could be predicted; the first, …: …": predict_what_is_no_image,
}
