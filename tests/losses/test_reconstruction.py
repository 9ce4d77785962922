import pytest
import torch

from neurobar.losses.reconstruction import absolute_error


def test_loss_equals_its_definition_in_loops():
    generator = torch.Generator().manual_seed(0)
    restored, anchor = torch.randn(2, 2, 1, 2, 3, 4, generator=generator)
    voxels = list(zip(restored.flatten().tolist(), anchor.flatten().tolist(), strict=True))
    expected = sum(abs(a - b) for a, b in voxels) / len(voxels)
    assert float(absolute_error(restored=restored, anchor=anchor)) == pytest.approx(expected, rel=1e-5)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="Shapes differ"):
        absolute_error(restored=torch.zeros(1, 1, 2, 2, 2), anchor=torch.zeros(2, 1, 2, 2, 2))
