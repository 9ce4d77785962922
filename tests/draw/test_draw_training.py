import json

import pandas as pd
import pytest

from neurobar.draw.draw_training import count_training, main

COHORT = {"study": "a study", "simulated": True, "negative": "CN", "positive": "AD"}
RUN = {"contrast": "infonce", "contrast_weight": 1.0, "batch": 2, "split": "subjects"}


@pytest.fixture
def folds():
    """Return a split of seven scans of six subjects."""
    parts = ["test", "test", "0", "0", "1", "1", "1"]
    return pd.DataFrame({"scan": list("abcdefg"), "subject": list("uvwwxyz"), "part": parts, "label": 0, "sex": "F"})


@pytest.fixture
def draw(folds, tmp_path):
    """Return the command on jobs, given as {folder: history}; it returns the captions."""

    def call(pretrained, finetuned):
        (tmp_path / "subjects").mkdir(exist_ok=True)
        folds.to_csv(tmp_path / "subjects" / "folds.tsv", sep="\t", index=False)
        paths = {"pretrained": [], "finetuned": []}
        for stage, jobs in {"pretrained": pretrained, "finetuned": finetuned}.items():
            for folder, history in jobs.items():
                path = tmp_path / stage / folder / "seed-0" / "history.tsv"
                path.parent.mkdir(parents=True, exist_ok=True)
                pd.DataFrame({"epoch": [1, 2], **history}).to_csv(path, sep="\t", index=False)
                paths[stage].append(str(path))
        settings = {"cohort": COHORT, "runs": {"bar": RUN}, "tasks": {"bar": {"select_by": "loss"}}}
        words = {name: json.dumps(each) for name, each in settings.items()}
        words |= {"folds": tmp_path / "subjects" / "folds.tsv", "figures": tmp_path / "training"}
        words |= {"captions": tmp_path / "training.tsv"}
        line = [word for name, each in words.items() for word in (f"--{name}", str(each))]
        main(["--pretrained", *paths["pretrained"], "--finetuned", *paths["finetuned"], *line])
        return pd.read_csv(tmp_path / "training.tsv", sep="\t", index_col="figure")["caption"]

    return call


def test_each_fold_trains_on_the_others(folds):
    assert count_training(folds, [0, 1]) == [3, 2]


def test_captions_name_cohort_scans_and_folds(draw, tmp_path):
    pretrained = {f"bar/fold-{fold}": {"contrast": [2.0, fold]} for fold in (0, 1)}
    finetuned = {"bar/fold-0": {"loss": [0.7, 0.5], "select_loss": [0.7, 0.4], "select_accuracy": [0.5, 1.0]}}
    captions = draw(pretrained, finetuned)
    for caption in captions:
        assert "Cohort: a study (these subjects are simulated); 5 scans of 4 subjects to train and select" in caption
    assert "each of 2 folds" in captions["pretraining"]
    assert "each of 1 fold." in captions["finetuning"]
    names = sorted(path.name for path in (tmp_path / "training").iterdir())
    assert names == ["finetuning.pdf", "finetuning.png", "pretraining.pdf", "pretraining.png"]


def test_a_study_without_pretraining_says_so(draw):
    captions = draw({}, {})
    assert captions["pretraining"] == "No encoder of a study (these subjects are simulated) is pre-trained."
    assert captions["finetuning"] == "No encoder of a study (these subjects are simulated) is fine-tuned."


def test_a_history_out_of_its_place_ends_in_one_sentence(draw):
    with pytest.raises(SystemExit, match=r"lie in \{task\}"):
        draw({"bar": {"contrast": [2.0, 1.0]}}, {})
