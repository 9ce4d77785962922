import pytest
import torch

from neurobar.models.autoencoder import EncoderWithDecoder

SHAPE = (8, 16, 24)


@pytest.fixture
def build():
    def call(**choices):
        torch.manual_seed(0)
        return EncoderWithDecoder(SHAPE, {"patch": 8, "width": 8, "layers": 1, "heads": 2}, **choices)

    return call


def test_class_tokens_of_both_views_and_the_restored_anchor_come_back(build):
    views = torch.rand(2, 3, 1, *SHAPE)
    class_1, class_2, restored = build()(*views)
    assert class_1.shape == class_2.shape == (3, 8)
    assert restored.shape == (3, 1, *SHAPE)
    assert torch.equal(class_1, build().encoder(views[0])[:, 0])


def test_without_a_reconstruction_loss_the_decoder_stays_as_it_is(build):
    model = build(restores=False)
    class_1, class_2, restored = model(None, torch.rand(3, 1, *SHAPE))
    assert class_1 is None
    assert restored is None
    class_2.sum().backward()
    assert all(parameter.grad is None for parameter in model.decoder.parameters())


def test_pieces_restore_the_same(build):
    views = torch.rand(2, 3, 1, *SHAPE)
    for whole, pieces in zip(build()(*views), build(microbatch=2)(*views), strict=True):
        assert torch.allclose(whole, pieces, atol=1e-6)
