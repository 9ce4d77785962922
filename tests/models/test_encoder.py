import pytest
import torch
from monai.networks.blocks.transformerblock import TransformerBlock

from neurobar.models.encoder import SMALLEST_SD, VisionTransformer, normalise_patches

SMALL = {"patch": 4, "width": 24, "layers": 2, "heads": 3, "mlp_ratio": 4, "dropout": 0.0}
PAPER = {"patch": 16, "width": 768, "layers": 10, "heads": 12, "mlp_ratio": 4, "dropout": 0.0}


def copy_to_monai(layer):
    """Return MONAI's transformer block with the weights of one of our layers."""
    block = TransformerBlock(hidden_size=24, mlp_dim=96, num_heads=3, qkv_bias=True)
    block.norm1.load_state_dict(layer.norm1.state_dict())
    block.norm2.load_state_dict(layer.norm2.state_dict())
    block.mlp.linear1.load_state_dict(layer.linear1.state_dict())
    block.mlp.linear2.load_state_dict(layer.linear2.state_dict())
    block.attn.qkv.weight.data = layer.self_attn.in_proj_weight.data
    block.attn.qkv.bias.data = layer.self_attn.in_proj_bias.data
    block.attn.out_proj.load_state_dict(layer.self_attn.out_proj.state_dict())
    return block


def test_layers_equal_those_of_monai():
    torch.manual_seed(0)
    encoder = VisionTransformer(shape=(4, 8, 12), **SMALL)
    tokens = torch.randn(2, 7, 24)
    for layer in encoder.layers:
        assert torch.allclose(layer(tokens), copy_to_monai(layer)(tokens), atol=1e-5)


def test_each_patch_token_depends_on_its_own_voxels_before_attention():
    encoder = VisionTransformer(shape=(4, 8, 12), **SMALL | {"layers": 0})
    volume = torch.zeros(1, 1, 4, 8, 12)
    plain = encoder(volume)
    volume[0, 0, 0, 5, 9] = 1  # patch (0, 1, 2), the last of 6
    changed = (encoder(volume) != plain).any(2)[0]
    assert changed.tolist() == [False] * 6 + [True]


def test_tokens_are_one_for_the_class_and_one_for_each_patch():
    assert VisionTransformer(shape=(4, 8, 12), **SMALL)(torch.zeros(3, 1, 4, 8, 12)).shape == (3, 7, 24)


def test_the_papers_encoder_has_74_million_parameters():
    with torch.device("meta"):
        encoder = VisionTransformer(shape=(96, 96, 96), **PAPER)
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 74_194_176


def test_a_grid_that_is_no_multiple_of_the_patch_is_refused():
    with pytest.raises(ValueError, match="no multiple"):
        VisionTransformer(shape=(4, 8, 10), **SMALL)


def test_patches_are_normalised_one_by_one_and_empty_ones_stay_empty():
    volumes = 3 + 2 * torch.rand(2, 1, 4, 8, 12)
    volumes[:, :, :, :4, :4] = 0
    before = volumes.clone()
    normalised = normalise_patches(volumes, 4)
    assert torch.equal(volumes, before)
    assert not normalised[:, :, :, :4, :4].any()
    for scan, result in zip(volumes[:, 0], normalised[:, 0], strict=True):
        patch, expected = scan[:, 4:, 8:], result[:, 4:, 8:]
        by_hand = (patch - patch.mean()) / (patch.var(unbiased=False) + SMALLEST_SD**2).sqrt()
        assert torch.allclose(expected, by_hand, atol=1e-4)


def test_brightness_and_contrast_of_a_patch_hardly_matter_once_it_is_normalised():
    torch.manual_seed(0)
    volumes = 20 * torch.rand(2, 1, 4, 8, 12)
    for norm, is_equal in ((True, True), (False, False)):
        encoder = VisionTransformer(shape=(4, 8, 12), **SMALL, patch_norm=norm)
        assert torch.allclose(encoder(volumes), encoder(1.5 * volumes + 2), atol=1e-2) == is_equal
