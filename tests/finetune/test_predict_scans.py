import json
from dataclasses import replace

import pandas as pd
import pytest
import torch

from neurobar.finetune import predict_scans
from neurobar.training.checkpoints import read_weights
from neurobar.training.classifiers import load_classifier


def predict(cohort, trained, folder):
    arguments = [*cohort.arguments, "--settings", cohort.settings_with(), "--classifier", str(trained["classifier"])]
    predict_scans.main([*arguments, "--predictions", str(folder / "predictions.tsv")])
    return pd.read_csv(folder / "predictions.tsv", sep="\t")


def test_a_plain_difference_between_the_classes_is_learned(tiny_cohort, trained, tmp_path):
    predictions = predict(tiny_cohort, trained, tmp_path)
    assert ((predictions["probability"] > 0.5) == (predictions["label"] == 1)).mean() > 0.9


def test_selection_fold_and_test_set_are_predicted_and_nothing_else(tiny_cohort, trained, tmp_path):
    predictions = predict(tiny_cohort, trained, tmp_path)
    folds = pd.read_csv(tiny_cohort.folder / "folds.tsv", sep="\t", dtype=str).set_index("scan")
    for part, name in {"select": "0", "test": "test"}.items():
        assert set(predictions.loc[predictions["part"] == part, "scan"]) == set(folds.index[folds["part"] == name])
    assert predictions["label"].astype(str).tolist() == folds.loc[predictions["scan"], "label"].tolist()


def test_a_checkpoint_predicts_the_same_after_loading(tiny_cohort, trained):
    model = load_classifier(trained["classifier"])
    volumes = torch.rand(2, 1, 16, 24, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(volumes), load_classifier(trained["classifier"])(volumes))
    assert not model.training
    assert json.loads(json.dumps(read_weights(trained["classifier"])[1]))["shape"] == [16, 24, 32]


def test_one_device_predicts_however_many_train(tiny_cohort, trained, tmp_path):
    alone = predict(tiny_cohort, trained, tmp_path)
    arguments = [*tiny_cohort.arguments[:-1], '{"device": "cpu", "devices": 2}']
    shared = predict(replace(tiny_cohort, arguments=arguments), trained, tmp_path)
    pd.testing.assert_frame_equal(alone, shared)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("how", ["held", "streamed"])
def test_a_gpu_predicts_what_a_cpu_predicts(tiny_cohort, trained, tmp_path, how):
    arguments = [*tiny_cohort.arguments[:-1], json.dumps({"device": "cuda", "cohort": how})]
    on_cpu = predict(tiny_cohort, trained, tmp_path)
    on_gpu = predict(replace(tiny_cohort, arguments=arguments), trained, tmp_path)
    assert on_gpu["probability"].tolist() == pytest.approx(on_cpu["probability"].tolist(), abs=1e-3)
