"""The search for the pose of a head."""

import numpy as np
import pytest
from nibabel.affines import apply_affine

from neurobar.preprocess.poses import Target, compress, find_pose


@pytest.mark.parametrize(("nod", "shift"), [(0, (0, 0, 0)), (24, (20, -12, 30)), (-32, (-24, 8, 16))])
def test_the_best_pose_is_near_the_true_one(phantom, nod, shift):
    truth = phantom.moved(nod, shift)
    image = phantom.scan(truth)
    target = Target(phantom.head, phantom.depth > -16, phantom.affine)
    correlation, pose = find_pose(image.get_fdata(), image.affine, target)
    points = apply_affine(phantom.affine, np.argwhere(phantom.depth > 0))
    assert correlation > 0.7
    assert np.linalg.norm(apply_affine(pose, points) - apply_affine(truth, points), axis=1).mean() < 12


def test_a_head_at_the_edge_of_the_image_is_found(phantom):
    truth = phantom.moved(0, (0, 0, 50))
    image = phantom.scan(truth)
    target = Target(phantom.head, phantom.depth > -16, phantom.affine)
    _, pose = find_pose(image.get_fdata(), image.affine, target)
    assert np.linalg.norm(pose[:3, 3] - truth[:3, 3]) < 16


def test_bright_fat_is_cut():
    volume = np.zeros((5, 6, 7), np.float32)
    volume[1:4, 1:5, 1:6] = 1
    volume[1, 1, 1] = 100
    assert compress(volume).max() == 1
    assert (compress(volume) == 1).sum() == 60
