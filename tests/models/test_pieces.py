import pytest
import torch
from torch import nn

from neurobar.models.encoder import VisionTransformer
from neurobar.models.pieces import in_pieces


class Counting(nn.Module):
    """A model that remembers how many scans it was given at a time."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.given = inner, []

    def forward(self, volumes):
        self.given.append(len(volumes))
        return self.inner(volumes)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Counting(VisionTransformer(shape=(8, 16, 24), patch=8, width=8, layers=1, heads=2))


def gradients(model, volumes, size):
    model.zero_grad()
    tokens = in_pieces(model, volumes, size)
    # A loss between scans, as the contrastive one is.
    (tokens[:, 0] @ tokens[:, 0].T).softmax(1).diagonal().log().sum().backward()
    return [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pieces_give_the_gradients_of_the_whole_batch(encoder, size):
    volumes = torch.rand(5, 1, 8, 16, 24)
    whole, pieces = gradients(encoder, volumes, None), gradients(encoder, volumes, size)
    assert all(torch.allclose(one, other, rtol=1e-3, atol=1e-4) for one, other in zip(whole, pieces, strict=True))


def test_no_more_than_a_piece_is_computed_at_a_time_and_each_twice(encoder):
    gradients(encoder, torch.rand(5, 1, 8, 16, 24), 2)
    assert encoder.given[:3] == [2, 2, 1]
    assert sorted(encoder.given[3:]) == [1, 2, 2]


def test_without_gradients_nothing_is_computed_twice(encoder):
    with torch.inference_mode():
        in_pieces(encoder, torch.rand(5, 1, 8, 16, 24), 2)
    assert encoder.given == [5]
