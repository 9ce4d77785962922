import pytest
import torch

from neurobar.losses.reconstruction import absolute_errors


def test_loss_equals_its_definition_in_loops():
    generator = torch.Generator().manual_seed(0)
    restored, anchor = torch.randn(2, 2, 1, 2, 3, 4, generator=generator)
    expected = []
    for one, other in zip(restored, anchor, strict=True):
        voxels = list(zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
        expected.append(sum(abs(a - b) for a, b in voxels) / len(voxels))
    assert absolute_errors(restored=restored, anchor=anchor).tolist() == pytest.approx(expected, rel=1e-5)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="Shapes differ"):
        absolute_errors(restored=torch.zeros(1, 1, 2, 2, 2), anchor=torch.zeros(2, 1, 2, 2, 2))
