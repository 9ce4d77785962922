import torch
from torch import nn

from neurobar.models.classifier import Classifier
from neurobar.models.encoder import VisionTransformer


def classifier(**settings):
    encoder = VisionTransformer(shape=(4, 8, 12), patch=4, width=24, layers=1, heads=3, dropout=0.5)
    return Classifier(encoder=encoder, width=24, hidden=[12, 6], **settings)


def test_one_logit_for_each_scan():
    assert classifier()(torch.zeros(3, 1, 4, 8, 12)).shape == (3,)


def test_the_head_has_the_hidden_units_asked_for():
    assert [tuple(layer.weight.shape) for layer in classifier().head if hasattr(layer, "weight")] == [
        (12, 24),
        (6, 12),
        (1, 6),
    ]


def test_a_frozen_encoder_neither_learns_nor_drops():
    model = classifier(frozen=True).train()
    model(torch.zeros(2, 1, 4, 8, 12)).sum().backward()
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
    assert all(parameter.grad is not None for parameter in model.head.parameters())
    assert not model.encoder.layers[0].training
    assert model.head.training


def test_an_encoder_that_is_not_frozen_learns():
    model = classifier().train()
    model(torch.rand(2, 1, 4, 8, 12)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.encoder.parameters())


def test_class_tokens_are_normalised_over_the_whole_batch_that_devices_share():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(8, 6), nn.Unflatten(1, (1, 6)))
    model = Classifier(encoder=encoder, width=6, hidden=[4], batch_norm=True)
    volumes = 100 + torch.rand(5, 1, 2, 2, 2)
    whole = model(volumes)
    tokens = encoder(volumes)[:, 0].detach()
    shared = model(volumes[:2], lambda own: torch.cat([own, tokens[2:]]))
    assert torch.allclose(whole, shared, atol=1e-5)
    normalised = (tokens - tokens.mean(0)) / (tokens.var(0, unbiased=False) + 1e-5).sqrt()
    assert torch.allclose(model.head[1:](normalised).squeeze(1), whole, atol=1e-4)
