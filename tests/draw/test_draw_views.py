import json

import pandas as pd
import pytest

from neurobar.data.studies import LEARNING
from neurobar.draw.draw_views import main


@pytest.fixture
def draw(view_words, tmp_path):
    """Return the command; it returns the captions."""

    def call(runs, *, encoders=(), decoders=(), **changes):
        given = {
            name: json.dumps(each) if isinstance(each, dict) else each for name, each in (view_words | changes).items()
        }
        line = [word for name, each in given.items() for word in (f"--{name}", str(each))]
        # As the workflow tells them: without what the runs learn by.
        told = {run: {key: value for key, value in runs[run].items() if key not in LEARNING} for run in runs}
        line += ["--runs", json.dumps(told), "--encoders", *map(str, encoders), "--decoders", *map(str, decoders)]
        main(line)
        return pd.read_csv(tmp_path / "views.tsv", sep="\t", index_col="figure")["caption"]

    return call


def test_the_command_writes_each_figure_and_says_on_whom(draw, run_settings, pretrained, tmp_path):
    encoder, decoder = pretrained("bar", 0.25)
    captions = draw({"bar": run_settings}, encoders=[encoder], decoders=[decoder])
    assert captions.index.tolist() == ["mixings", "second_views", "restored"]
    for caption in captions:
        assert "a study (these subjects are simulated); fold 0 trains on 8 scans of 8 subjects" in caption
        assert "voxels of 2 mm" in caption
    assert "anchor (CN)" in captions["mixings"]
    assert "a test scan" in captions["restored"]
    first = {path.name: path.read_bytes() for path in (tmp_path / "views").iterdir()}
    assert sorted(first) == sorted(f"{name}.{suffix}" for name in captions.index for suffix in ("png", "pdf"))
    draw({"bar": run_settings}, encoders=[encoder], decoders=[decoder])
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "views").iterdir()}


def test_where_nothing_is_mixed_or_restored_the_figures_say_so(draw, run_settings):
    captions = draw({"contrastive": run_settings | {"mixing": "none"}})
    assert captions["mixings"].startswith("No run of a study")
    assert captions["restored"].startswith("No run of a study")
    assert captions["second_views"].startswith("How a view is made")
    assert draw({})["second_views"].startswith("No encoder of a study")


def test_nobody_is_the_donor_of_an_own_scan(draw, view_words, run_settings):
    rows = pd.read_csv(view_words["folds"], sep="\t", dtype=str)
    train = ~rows["part"].isin(["test", "0"])
    rows.loc[train, "label"] = ["0", "1"] + ["0"] * 6
    rows.loc[rows.index[train][:2], "subject"] = "sub-08"
    rows.to_csv(view_words["folds"], sep="\t", index=False)
    with pytest.raises(SystemExit, match="from two subjects"):
        draw({"bar": run_settings})


def test_a_fold_of_one_class_ends_in_one_sentence(draw, view_words, run_settings):
    rows = pd.read_csv(view_words["folds"], sep="\t", dtype=str)
    rows.assign(label=0).to_csv(view_words["folds"], sep="\t", index=False)
    with pytest.raises(SystemExit, match="Fold 0 does not train on scans of both classes"):
        draw({"bar": run_settings})
