import numpy as np
import pandas as pd
import torch

from neurobar.draw.scenes import best_plane, mark_hippocampus, most_different


def test_anchor_and_donor_are_training_scans_of_the_two_classes(scene, tiny_cohort):
    assert scene.trained["subject"].tolist() == [f"sub-{number:02d}" for number in range(8, 16)]
    volumes = torch.from_numpy(np.load(tiny_cohort.folder / "cohort.npy")).float()

    def place_of(scan):
        # Standardisation is monotone, so a scan keeps the order of its voxels.
        brain = scan[0, 0] != 0
        orders = [torch.corrcoef(torch.stack([scan[0, 0][brain], each[brain]]))[0, 1] for each in volumes]
        return int(torch.stack(orders).argmax())

    assert place_of(scene.anchor) == 8  # the first of class 0
    assert place_of(scene.donor) in (9, 11, 13, 15)  # of class 1
    assert place_of(scene.unseen) == 0  # the first of the test set


def test_the_donor_is_the_one_that_differs_most():
    anchor = torch.zeros(1, 1, 2, 3, 4)
    candidates = torch.tensor([1.0, -3.0, 2.0]).view(3, 1, 1, 1, 1).expand(3, 1, 2, 3, 4)
    assert (most_different(anchor, candidates) == -3).all()


def test_a_plane_cuts_the_hippocampus_where_the_atlas_names_it(scene):
    assert set(scene.regions.atlas.numpy()[scene.landmark]) == {3}
    atlas = np.array([[[0, 1, 2]]])
    assert mark_hippocampus(atlas, pd.Series(["Left-Hippocampus", "Cuneus"])).tolist() == [[[False, True, False]]]
    assert mark_hippocampus(atlas, pd.Series(["A", "B"])).tolist() == [[[False, True, True]]]


def test_the_best_plane_is_among_those_that_show_enough():
    through = np.zeros((2, 3, 4), bool)
    through[:, :, 1] = True
    through[0, :, 2] = True
    through[0, 0, 3] = True
    assert best_plane(np.array([9, 1, 5, 7]), through, axis=2) == (2, 2)
    assert best_plane(np.array([9, 6, 5, 7]), through, axis=2) == (2, 1)
