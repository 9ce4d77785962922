import json
import re
import subprocess

import numpy as np
import pandas as pd
import pytest

from neurobar.commands import prepare_scan
from neurobar.commands.ensembles import rank_regions

STAGES = ["register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan"]


@pytest.fixture
def settings(small_model):
    return json.loads((small_model / "config.json").read_text())["preprocess"]


def scan_of(path, mask=None):
    return {"scan": "mary", "path": str(path), "prepared": "unbiased", "mask": mask}


def test_each_stage_is_told_what_the_workflow_tells_it(root, settings, tmp_path, monkeypatch):
    calls = {}

    def remember(name):
        return lambda words: calls.update({name: dict(word.split("=", 1) for word in words)})

    for name in STAGES:
        monkeypatch.setattr(getattr(prepare_scan, name), "main", remember(name))
    words = ["--scan=s.nii", "--name=mary", "--prepared=unbiased", "--mask=m.nii", "--device=cuda", "--fetched=f"]
    prepare_scan.main([*words, f"--settings={json.dumps(settings)}", f"--folder={tmp_path}", "--work=w"])
    assert list(calls) == STAGES
    rules = (root / "workflow" / "rules" / "preprocess.smk").read_text().split("\nrule ")
    for name in STAGES:
        body = next(rule for rule in rules if rule.startswith(f"{name}:"))
        assert {*calls[name]} == {*re.findall(r"(--[a-z-]+)[ =]\{", body[body.index("shell:") :])}, name
    assert calls["strip_skull"]["--growth-mm"] == str(settings["mask_growth_mm"])
    assert calls["strip_skull"]["--supplied"] == "m.nii"
    assert json.loads(calls["register_scan"]["--settings"]) == settings["registration"]
    assert calls["check_scan"]["--picture"] == str(tmp_path / "check.png")
    assert {call["--prepared"] for name, call in calls.items() if name != "resample_scan"} == {"unbiased"}


def test_a_file_that_is_no_image_is_told_in_the_words_of_the_stage(settings, tmp_path):
    (tmp_path / "bad.nii").write_text("This is no image.")
    told = {"folder": tmp_path, "fetched": tmp_path, "settings": settings, "device": "cpu"}
    reason = prepare_scan.prepare_beside(scan_of(tmp_path / "bad.nii"), **told)
    assert reason.startswith(f"{tmp_path / 'bad.nii'}: not a whole NIfTI file")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.nii"]


def test_a_process_that_is_killed_is_a_reason_too(settings, tmp_path, monkeypatch):
    killed = subprocess.CompletedProcess([], -9, "", "half a line")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    told = {"folder": tmp_path, "fetched": tmp_path, "settings": settings, "device": "cpu"}
    assert prepare_scan.prepare_beside(scan_of("a.nii"), **told) == "Preprocessing broke off (exit -9)."


def test_regions_are_ranked_by_their_mean_change_of_whichever_sign():
    changes = np.array([[0.1, -0.5, 0.2], [0.1, -0.1, 0.6]])  # two models, three regions
    ranked = rank_regions(["one", "two", "three"], np.stack([changes, 10 * changes]))
    expected = {"rank": [1, 2, 3], "region": [3, 2, 1], "name": ["three", "two", "one"], "change": [0.4, -0.3, 0.1]}
    pd.testing.assert_frame_equal(ranked[list(expected)], pd.DataFrame(expected))
    assert ranked["change_sd"].tolist() == pytest.approx([0.4 / 2**0.5, 0.4 / 2**0.5, 0])
    assert ranked["integrated_gradient"].tolist() == pytest.approx([4, -3, 1])
