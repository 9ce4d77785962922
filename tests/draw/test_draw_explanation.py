import argparse
import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from neurobar.draw.draw_explanation import choose_group, draw_ranking, main, values_of, write_captions

COHORT = {"label": "diagnosis", "negative": "CN", "positive": "AD", "study": "a study", "simulated": True}
NAMES = ["One_Sup", "Two", "Three", "Four", "Five"]


def explained(group, changes, scans=7):
    """Return the summary of one group whose integrated gradients are twice the changes."""
    table = pd.DataFrame({"group": group, "region": list(changes), "change": list(changes.values())})
    table["change_rank"] = table["change"].rank(ascending=False).astype(int)
    table["integrated_gradient"] = 2 * table["change"]
    for measure in ("change", "integrated_gradient"):
        table[f"{measure}_low"], table[f"{measure}_high"] = table[measure] - 0.1, table[measure] + 0.3
    return table.assign(subjects=scans - 2, scans=scans)


@pytest.fixture
def regions():
    positive = dict(zip(NAMES, [0.1, 0.5, -0.2, 0.0, 0.3], strict=True))
    return pd.concat([explained("positive", positive), explained("all", dict.fromkeys(NAMES[::-1], 0.9), scans=11)])


def test_the_positive_class_is_shown_or_all_scans_without_it(regions):
    assert choose_group(regions)["region"].tolist() == ["Two", "Five", "One_Sup", "Four", "Three"]
    assert choose_group(regions[regions["group"] == "all"])["scans"].unique().tolist() == [11]


def test_values_stand_in_the_order_of_the_atlas_whatever_that_of_its_list(regions):
    names = pd.DataFrame({"region": [5, 1, 2, 3, 4], "name": [NAMES[4], *NAMES[:4]]})
    assert values_of(choose_group(regions), names).tolist() == [0.1, 0.5, -0.2, 0.0, 0.3]


def test_regions_of_another_atlas_are_refused(regions):
    with pytest.raises(ValueError, match="'Other'; is the explanation of another atlas"):
        values_of(choose_group(regions), pd.DataFrame({"region": [1, 2], "name": ["Other", "Two"]}))


def test_bars_are_ranked_with_intervals_and_gradients_in_the_same_order(regions):
    change, gradient = draw_ranking(choose_group(regions)).get_axes()
    assert [label.get_text() for label in change.get_yticklabels()] == ["Two", "Five", "One Sup", "Four", "Three"]
    assert [bar.get_width() for bar in change.patches] == [0.5, 0.3, 0.1, 0.0, -0.2]
    assert [bar.get_width() for bar in gradient.patches] == [1.0, 0.6, 0.2, 0.0, -0.4]
    interval = change.collections[0].get_segments()[1]
    assert interval.ravel().tolist() == pytest.approx([0.2, 1, 0.6, 1])
    assert change.yaxis_inverted()


def test_at_most_twenty_regions_are_ranked():
    table = explained("all", {f"r{place}": -place for place in range(30)})
    assert len(draw_ranking(choose_group(table)).get_axes()[0].patches) == 20


@pytest.fixture
def draw(tmp_path, small_atlas, regions):
    """Return the command, which returns the captions."""

    def run(names=NAMES, *, sides_are_one=True):
        affine = np.diag([2.0, 2, 2, 1])
        affine[:3, 3] = [-5, -6, -7]
        mirrored = np.concatenate([small_atlas[:3], small_atlas[2::-1]])
        nib.save(nib.Nifti1Image(mirrored if sides_are_one else small_atlas, affine), tmp_path / "atlas.nii.gz")
        brain = np.where(small_atlas > 0, np.arange(336).reshape(6, 7, 8) + 99, 0).astype(np.float32)
        nib.save(nib.Nifti1Image(brain, affine), tmp_path / "template.nii.gz")
        regions.to_csv(tmp_path / "regions.tsv", sep="\t", index=False)
        listed = pd.DataFrame({"region": range(1, 6), "name": names, "voxels": 9})
        listed.to_csv(tmp_path / "names.tsv", sep="\t", index=False)
        words = {name: tmp_path / f"{name}.tsv" for name in ("regions", "names", "captions")}
        words |= {name: tmp_path / f"{name}.nii.gz" for name in ("atlas", "template")}
        words |= {"task": json.dumps("BAR + Recon"), "cohort": json.dumps(COHORT), "figures": tmp_path / "figures"}
        main([word for name, value in words.items() for word in (f"--{name}", str(value))])
        return pd.read_csv(tmp_path / "captions.tsv", sep="\t").set_index("figure")["caption"]

    return run


def test_both_figures_say_whose_scans_in_what_direction_and_that_sides_are_merged(draw, tmp_path):
    captions = draw()
    assert captions.index.tolist() == ["regions", "planes"]
    for name, words in captions.items():
        assert (tmp_path / "figures" / f"{name}.png").stat().st_size > 5000
        assert words.startswith("BAR + Recon: change of probability, the mean by which that of AD falls when a region")
        assert "7 AD test scans of 5 subjects, a study (these subjects are simulated). Left and right" in words
    assert "95 % intervals" in captions["regions"]


def test_without_positive_scans_the_caption_tells_of_all(regions):
    chosen = choose_group(regions[regions["group"] == "all"])
    captions = write_captions(argparse.Namespace(task="x", cohort=COHORT), chosen, sides_are_one=True)
    assert "; 11 test scans of 9 subjects" in captions["planes"]


def test_an_atlas_that_keeps_sides_apart_is_not_said_to_merge_them(draw):
    assert not draw(sides_are_one=False).str.contains("Left and right").any()


def test_only_where_sides_are_one_captions_say_so(regions):
    args, chosen = argparse.Namespace(task="x", cohort=COHORT), choose_group(regions)
    merged, sided = (write_captions(args, chosen, sides_are_one=one) for one in (True, False))
    assert all(words.endswith("Left and right of a region are one.") for words in merged.values())
    assert "sagittal planes to the right" in merged["planes"]
    assert not any("right" in words for words in sided.values())
    assert sided["planes"].endswith("(these subjects are simulated).")


def test_an_unknown_region_ends_the_command_with_one_sentence(draw):
    with pytest.raises(SystemExit, match="is the explanation of another atlas"):
        draw(names=[*NAMES[:4], "Other"])
