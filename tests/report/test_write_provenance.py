import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from neurobar.report import versions
from neurobar.report.write_provenance import main

NAME = "ZQXsubject01"
DEVICE = {"device": "NVIDIA H200", "devices": 1, "threads": 1, "precision": "bfloat16"}
BENCHMARK = "s\th:m:s\tmax_rss\n12.5\t0:00:12\t300\n"


@pytest.fixture
def study(root, tmp_path):
    """Return the settings of a study with a sheet and an external cohort, and write what the command reads."""
    scans = [f"{NAME}_ses-{number}" for number in range(6)]
    folds = pd.DataFrame({"scan": scans, "subject": [NAME] * 2 + list("abcd"), "label": [0, 0, 1, 0, 1, 0]})
    folds.assign(age=70, sex="F", part=["test", "test", *"0011"]).to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    packed = pd.DataFrame({"scan": [*scans, "gone"], "used": [True] * 6 + [False], "reason": [""] * 6 + ["Small."]})
    packed.to_csv(tmp_path / "packed.tsv", sep="\t", index=False)
    np.save(tmp_path / "percentiles.npy", np.arange(6))
    for name in ("template.nii.gz", "atlas.nii.gz", "regions.tsv", "sheet.tsv", "clinic.tsv"):
        (tmp_path / name).write_text(f"{name} {NAME}")
    (tmp_path / "record.json").write_text(json.dumps({"head": f"/home/{NAME}.nii.gz", "sha256": "ab" * 32}))
    for name in (f"benchmarks/check_scan/{NAME}.tsv", "benchmarks/pack_volumes.tsv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BENCHMARK)
    (tmp_path / "logs" / "pretrain_encoder").mkdir(parents=True)
    (tmp_path / "logs" / "pretrain_encoder" / "a.log").write_text(json.dumps(DEVICE) + "\n")
    settings = yaml.safe_load((root / "config.yaml").read_text())
    settings["training"] = {"precision": "auto", "voxel_mm": 4}
    return settings | {"external": {"clinic": {"scans": "clinic.tsv", "study": "a clinic"}}}


@pytest.fixture
def write(study, tmp_path):
    """Return the command; it returns what it wrote."""

    def call(*, anonymise=False, codes=None, **settings):
        files = {"record": "record.json", "template": "template.nii.gz", "atlas": "atlas.nii.gz"}
        files |= {"regions": "regions.tsv", "percentiles": "percentiles.npy", "packed": "packed.tsv"}
        files |= {"folds": "folds.tsv", "benchmarks": "benchmarks", "logs": "logs"}
        files |= {"provenance": "out/provenance.json", "page": "out/provenance.html"}
        words = [word for name, file in files.items() for word in (f"--{name}", str(tmp_path / file))]
        told = {"settings": study | settings, "machine": {"device": "cuda", "threads": 1}, "anonymise": anonymise}
        told["codes"] = codes or {"check_scan": "0123456789ab", "pretrain_encoder": {"bar": "ba9876543210"}}
        words += [word for name, value in told.items() for word in (f"--{name}", json.dumps(value))]
        main([*words, "--", str(tmp_path / "sheet.tsv"), str(tmp_path / "clinic.tsv")])
        return json.loads((tmp_path / "out" / "provenance.json").read_text(encoding="utf-8"), parse_constant=float)

    return call


def test_the_file_names_what_made_the_tables(write, root, tmp_path):
    said = write()
    assert list(said) == sorted(said)
    assert said["codes"]["pretrain_encoder"] == {"bar": "ba9876543210"}
    assert said["settings"]["training"] == {"precision": "auto", "voxel_mm": 4, "device": "cuda", "threads": 1}
    assert said["settings"]["finetune"] == yaml.safe_load((root / "config.yaml").read_text())["finetune"]
    assert said["commit"] == versions.find_commit()
    assert said["versions"] == versions.list_versions()
    assert {"system", "processor", "cores", "memory_gb"} == set(said["machine"])
    assert said["devices"] == [{"rule": "pretrain_encoder", **DEVICE, "jobs": 1}]
    assert {rule: (cost["jobs"], cost["seconds_sum"]) for rule, cost in said["rules"].items()} == {
        "check_scan": (1, 12.5),
        "pack_volumes": (1, 12.5),
    }


def test_what_came_in_has_the_checksum_that_others_compute(write, tmp_path):
    inputs = write()["inputs"]
    for name in ("template.nii.gz", "atlas.nii.gz", "regions.tsv", "percentiles.npy"):
        assert inputs[name.split(".")[0]] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    of_clinic = hashlib.sha256((tmp_path / "clinic.tsv").read_bytes()).hexdigest()
    assert inputs["external_sheets"] == {"clinic": of_clinic}
    assert inputs["sheet"] == hashlib.sha256((tmp_path / "sheet.tsv").read_bytes()).hexdigest()
    assert inputs["template_head"] == {"head": f"/home/{NAME}.nii.gz", "sha256": "ab" * 32}


def test_scans_and_subjects_are_counted(write):
    assert write()["cohort"] == {
        "all": {"scans": 6, "subjects": 5},
        "test": {"scans": 2, "subjects": 1},
        "development": {"scans": 4, "subjects": 4},
        "left_out": 1,
    }


@pytest.mark.parametrize("anonymise", [True, False])
def test_an_anonymised_file_names_nobody(write, tmp_path, anonymise):
    said = write(anonymise=anonymise)
    assert said["anonymised"] is anonymise
    for name in ("provenance.json", "provenance.html"):
        assert (NAME in (tmp_path / "out" / name).read_text(encoding="utf-8")) is not anonymise
    assert (said["inputs"]["sheet"] is None) is (said["inputs"]["external_sheets"]["clinic"] is None) is anonymise
    assert said["inputs"]["template_head"]["sha256"] == "ab" * 32


def test_the_file_is_json_whatever_numbers_settings_hold(write, tmp_path):
    said = write(landmarks={"percentiles": [1, float("inf"), float("nan")], "deeper": [{"x": float("-inf")}]})
    assert said["settings"]["landmarks"] == {"percentiles": [1, "inf", "nan"], "deeper": [{"x": "-inf"}]}
    text = (tmp_path / "out" / "provenance.json").read_text(encoding="utf-8")
    assert "Infinity" not in text
    assert "NaN" not in text


def test_the_page_shows_what_the_file_holds(write, tmp_path, read_page):
    said = write()
    page = read_page(tmp_path / "out" / "provenance.html")
    for words in ("check_scan", "12.5", "300", "NVIDIA H200", "training.voxel_mm", "pretrain_encoder.bar ba9876543210"):
        assert words in page.text.replace(" . ", "."), words
    assert (said["commit"]["commit"] or "not known") in page.text
    assert said["inputs"]["atlas"] in page.text
    assert "test set" in page.text.lower()


def test_words_of_settings_are_words_on_the_page(write, tmp_path, read_page, hostile):
    write(study=hostile, codes={hostile: {hostile: hostile}}, **{hostile: [hostile]})
    page = read_page(tmp_path / "out" / "provenance.html")
    assert page.text.count(hostile.split("\n")[0]) == 5  # pandas writes a new line as the two letters that stand for it


def test_a_study_without_logs_and_benchmarks_has_a_page(write, tmp_path, read_page, study):
    import shutil

    for name in ("benchmarks", "logs"):
        shutil.rmtree(tmp_path / name)
    said = write()
    assert (said["rules"], said["devices"]) == ({}, [])
    assert "Provenance" in read_page(tmp_path / "out" / "provenance.html").text
