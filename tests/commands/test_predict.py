import json
import os
import pickle
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from neurobar.commands import __main__, prediction_figures
from neurobar.commands import predict as command
from neurobar.commands.ensembles import Ensemble
from neurobar.data.atlases import read_regions
from neurobar.data.volumes import read_volume
from neurobar.export.export_model import write_checksums
from neurobar.fetch import fetch_template
from neurobar.finetune import predict_scans
from neurobar.preprocess import pack_volumes
from neurobar.simulate.list_simulated_scans import planned_scans
from neurobar.simulate.simulate_scan import simulate_scan
from neurobar.training.checkpoints import read_weights
from neurobar.training.classifiers import load_classifier
from neurobar.training.scans import read_landmarks
from neurobar.transforms.grids import coarsen_atlas, coarsen_volumes
from neurobar.transforms.landmarks import standardise

MEMBERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def read_answer(folder, scan):
    return json.loads((folder / scan / "prediction.json").read_text())


def standardised(folder, model, fold):
    """Standardise and coarsen a predicted scan by hand."""
    volume = torch.from_numpy(read_volume(folder / "volume.nii.gz")[0])[None, None]
    own = np.percentile(volume[volume > 0], [1, 25, 50, 75, 99])
    landmarks = read_landmarks(model / f"fold-{fold}" / "landmarks.json")
    return coarsen_volumes(standardise(volume, torch.tensor(own)[None], landmarks), 8).half().float()


def ask(model, fold, seed, volume):
    with torch.inference_mode():
        weights = model / f"fold-{fold}_seed-{seed}" / "classifier.safetensors"
        return float(torch.sigmoid(load_classifier(weights)(volume)))


def test_the_answer_is_the_mean_of_all_models_and_their_spread(predict, small_model):
    folder = predict("mary")
    answer, by_hand = read_answer(folder, "mary"), []
    for (fold, seed), model in zip(MEMBERS, answer["models"], strict=True):
        by_hand.append(ask(small_model, fold, seed, standardised(folder / "mary", small_model, fold)))
        assert (model["fold"], model["seed"]) == (fold, seed)
        assert model["probability"] == pytest.approx(by_hand[-1], abs=1e-4)
    assert np.ptp(by_hand) > 0.01
    assert answer["probability"] == pytest.approx(np.mean(by_hand), abs=1e-4)
    assert answer["sd"] == pytest.approx(np.std(by_hand, ddof=1), abs=1e-4)
    assert (answer["lowest"], answer["highest"]) == pytest.approx((min(by_hand), max(by_hand)), abs=1e-4)
    assert answer["decision"] == ("A&D" if np.mean(by_hand) >= 0.5 else "CN")


def test_a_region_changes_the_answer_as_replacing_it_by_the_mean_healthy_scan_does(predict, small_model):
    folder = predict("mary")
    regions = pd.read_csv(folder / "mary" / "regions.tsv", sep="\t")
    atlas = coarsen_atlas(torch.from_numpy(read_regions(small_model / "fetch" / "atlas.nii.gz")), 8)
    for region in (2, 5):
        changes = []
        for fold, seed in MEMBERS:
            volume = standardised(folder / "mary", small_model, fold)
            healthy = read_weights(small_model / f"fold-{fold}" / "healthy.safetensors")[0]["mean"].float()
            replaced = torch.where(atlas == region, healthy, volume)
            changes.append(ask(small_model, fold, seed, volume) - ask(small_model, fold, seed, replaced))
        row = regions[regions["region"] == region].iloc[0]
        assert row["change"] == pytest.approx(np.mean(changes), abs=1e-4)
        assert row["change_sd"] == pytest.approx(np.std(changes, ddof=1), abs=1e-4)
    assert regions["change"].abs().is_monotonic_decreasing
    assert regions["change"].abs().iloc[0] > 1e-4
    assert regions["rank"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_scan_that_fails_its_check_gets_no_probability_and_others_do(predict):
    folder = predict("odd", "broken", "mary")
    table = pd.read_csv(folder / "predictions.tsv", sep="\t").set_index("scan")
    assert table.index.tolist() == ["odd", "broken", "mary"]
    assert table["probability"].notna().tolist() == [False, False, True]
    assert table.loc["odd", "reason"] == "overlap is 0.5, below 0.88."
    assert table.loc["broken", "reason"].endswith("broken_T1w.nii.gz: not a whole NIfTI file.")
    for scan in ("odd", "broken"):
        assert not {"probability", "models", "decision"} & {*read_answer(folder, scan)}
        page = (folder / scan / "index.html").read_text()
        assert table.loc[scan, "reason"] in page
        assert "Regions that the answer owes to" not in page
        assert not (folder / scan / "regions.tsv").exists()
    assert "Check of the preprocessing" in (folder / "odd" / "index.html").read_text()


def test_no_scan_predicted_is_a_failure_that_leaves_its_pages(predict, tmp_path):
    with pytest.raises(SystemExit, match="no scan could be predicted; the first, odd: overlap is"):
        predict("odd", "broken")
    assert "overlap is 0.5" in (tmp_path / "out" / "index.html").read_text()


def test_an_old_answer_does_not_outlive_a_new_refusal(predict, monkeypatch):
    folder = predict("mary")
    monkeypatch.setattr(command, "prepare_beside", lambda scan, **_: "It is gone.")
    with pytest.raises(SystemExit, match=r"It is gone\."):
        predict("mary")
    assert sorted(path.name for path in (folder / "mary").iterdir()) == ["index.html", "prediction.json"]


def test_no_old_list_stays_while_a_call_goes_on_or_when_it_is_broken_off(predict, monkeypatch):
    folder = predict("mary")
    assert {"predictions.tsv", "index.html"} <= {path.name for path in folder.iterdir()}

    def break_off(self, volume):
        raise KeyboardInterrupt

    monkeypatch.setattr(Ensemble, "ask", break_off)
    with pytest.raises(KeyboardInterrupt):
        predict("mary")
    assert [path.name for path in folder.iterdir()] == ["mary"]


def test_a_page_that_cannot_be_drawn_costs_that_scan_alone(predict, monkeypatch):
    once, drawn = prediction_figures.draw_brain, []

    def fail(*words):
        drawn.append(words)
        if len(drawn) == 1:
            raise IndexError("no brain")
        return once(*words)

    monkeypatch.setattr(prediction_figures, "draw_brain", fail)
    folder = predict("first", "second")
    table = pd.read_csv(folder / "predictions.tsv", sep="\t").set_index("scan")
    assert table["probability"].notna().tolist() == [False, True]
    assert table.loc["first", "reason"] == "Its page could not be drawn: no brain"
    page = (folder / "first" / "index.html").read_text()
    assert "This scan was refused. Its page could not be drawn: no brain" in page
    assert page.index("NOT FOR CLINICAL USE") < page.index("<h2>")
    assert not {"probability", "models"} & {*read_answer(folder, "first")}
    assert not (folder / "first" / "regions.tsv").exists()


def test_what_fails_while_models_are_asked_fails_that_scan_alone(predict, monkeypatch):
    once = Ensemble.ask

    def fail(self, volume):
        if volume.parent.name == "first":
            raise RuntimeError("out of memory")
        return once(self, volume)

    monkeypatch.setattr(Ensemble, "ask", fail)
    folder = predict("first", "second")
    table = pd.read_csv(folder / "predictions.tsv", sep="\t").set_index("scan")
    assert table.loc["first", "reason"] == "out of memory"
    assert 0 < table.loc["second", "probability"] < 1


def test_one_model_has_no_spread(predict, changed_model):
    folder = predict("mary", model=changed_model(folds=[1], seeds=[0]))
    answer = read_answer(folder, "mary")
    assert answer["sd"] is None
    assert answer["probability"] == answer["lowest"] == answer["models"][0]["probability"]
    assert pd.read_csv(folder / "mary" / "regions.tsv", sep="\t")["change_sd"].isna().all()


def test_the_threshold_of_the_study_decides(predict, changed_model):
    probability = read_answer(predict("mary"), "mary")["probability"]
    for threshold, decision in ((probability - 0.01, "A&D"), (probability + 0.01, "CN")):
        answer = read_answer(predict("mary", model=changed_model(threshold=threshold)), "mary")
        assert (answer["probability"], answer["decision"]) == (probability, decision)


def test_masks_that_a_model_needs_are_asked_for_before_any_work(predict, changed_model, small_model):
    config = json.loads((small_model / "config.json").read_text())
    model = changed_model(preprocess=config["preprocess"] | {"skull_strip": "supplied"})
    with pytest.raises(SystemExit, match="scan 'mary' has no file in the column mask"):
        predict("mary", model=model)


@pytest.mark.slow
def test_a_raw_head_gets_the_probability_that_the_stages_of_a_study_give_it(export_small, small_model, tmp_path, root):
    fetched, config = tmp_path / "fetch", yaml.safe_load((root / "config.yaml").read_text())
    named = {"template": "template", "mask": "template_mask", "head": "template_head", "depth": "template_depth"}
    words = [word for name, file in named.items() for word in (f"--{name}", str(fetched / f"{file}.nii.gz"))]
    fetch_template.main([*words, "--record", str(fetched / "template.json")])
    for name in ("atlas.nii.gz", "regions.tsv"):
        shutil.copy(small_model / "fetch" / name, fetched / name)
    model = export_small(fetched, tmp_path / "model")
    image, _, _ = simulate_scan(planned_scans(config["simulate"]).to_dict("records")[0])
    nib.save(image, tmp_path / "head.nii.gz")
    out = tmp_path / "out"
    words = [str(tmp_path / "head.nii.gz"), "--model", str(model), "--output", str(out), "--device", "cpu"]
    __main__.main(["predict", *words])
    kept = {"index.html", "prediction.json", "regions.tsv", "volume.nii.gz", "native_brain_mask.nii.gz"}
    assert {path.name for path in (out / "head").iterdir()} == kept | {"check.json", "check.png", "registration.json"}

    folds = pd.DataFrame({"scan": ["head"] * 3, "subject": list("abc"), "label": 1, "age": 70.0, "sex": "F"})
    folds.assign(part=["test", "0", "1"]).to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    table = pd.DataFrame({"scan": ["head"], "used": True, "reason": ""})
    table.to_csv(tmp_path / "cohort.tsv", sep="\t", index=False)
    files = {"volumes": "cohort.npy", "percentiles": "percentiles.npy", "table": "cohort.tsv"}
    packed = [word for name, file in files.items() for word in (f"--{name}", str(tmp_path / file))]
    pack_volumes.main(["--folder", str(out), "--at", "[1, 25, 50, 75, 99]", *packed])
    for told in read_answer(out, "head")["models"]:
        place = model / f"fold-{told['fold']}"
        words = ["--folds", str(tmp_path / "folds.tsv"), "--landmarks", str(place / "landmarks.json"), "--seed", "0"]
        words += ["--fold", "0", "--settings", '{"voxel_mm": 16, "precision": "float32", "finetune": {"batch": 2}}']
        weights = model / f"fold-{told['fold']}_seed-{told['seed']}" / "classifier.safetensors"
        words += ["--classifier", str(weights), "--predictions", str(tmp_path / "predictions.tsv")]
        predict_scans.main([*packed, *words])
        probability = pd.read_csv(tmp_path / "predictions.tsv", sep="\t")["probability"]
        assert probability.tolist() == pytest.approx([told["probability"]] * 2, abs=1e-6)


class Malicious:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_what_a_model_holds_beside_its_own_is_never_run(small_model, predict, tmp_path):
    model, mark = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(small_model, model)
    for name in ("pytorch_model.bin", "classifier.pkl", "fold-0/healthy.pt", "fold-0_seed-0/classifier.pt"):
        (model / name).write_bytes(pickle.dumps(Malicious(mark)))
    for name in ("modeling.py", "sitecustomize.py", "conftest.py", "fetch/neurobar.py"):
        (model / name).write_text(f"import os; os.mkdir({str(mark)!r})")
    write_checksums(model)
    assert (predict("mary", model=model) / "mary" / "prediction.json").is_file()
    assert not mark.exists()
    pickle.loads(pickle.dumps(Malicious(mark)))
    assert mark.exists()


def test_a_pickle_in_place_of_weights_costs_the_scan_its_answer_and_runs_nothing(small_model, predict, tmp_path):
    model, mark = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(small_model, model)
    (model / "fold-0_seed-0" / "classifier.safetensors").write_bytes(pickle.dumps(Malicious(mark)))
    write_checksums(model)
    with pytest.raises(SystemExit, match=r"classifier\.safetensors is no file of weights"):
        predict("mary", model=model)
    assert not mark.exists()
