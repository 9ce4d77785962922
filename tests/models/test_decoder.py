import pytest
import torch
from monai.networks.nets import ViTAutoEnc
from torch import nn

from neurobar.models.decoder import PatchDecoder, enlarge


def test_enlarging_equals_a_transposed_convolution():
    torch.manual_seed(0)
    convolution = nn.ConvTranspose3d(5, 7, kernel_size=3, stride=3)
    volume = torch.randn(2, 2, 3, 4, 5)
    expected = convolution(volume.movedim(4, 1)).movedim(1, 4)
    assert torch.allclose(enlarge(volume, convolution), expected, atol=1e-6)


def test_decoder_equals_that_of_monai():
    torch.manual_seed(0)
    peer = ViTAutoEnc(in_channels=1, img_size=(16, 32, 48), patch_size=16, hidden_size=24, mlp_dim=24, num_heads=3)
    decoder = PatchDecoder(patches=(1, 2, 3), patch=16, width=24)
    decoder.enlarge.load_state_dict(peer.conv3d_transpose.state_dict())
    decoder.restore.load_state_dict(peer.conv3d_transpose_1.state_dict())
    tokens = torch.randn(2, 6, 24)
    expected = peer.conv3d_transpose_1(peer.conv3d_transpose(tokens.transpose(1, 2).view(2, 24, 1, 2, 3)))
    assert torch.allclose(decoder(tokens), expected, atol=1e-5)


@pytest.mark.parametrize("patch", [4, 8, 16, 32])
def test_every_token_restores_the_voxels_of_its_own_patch(patch):
    decoder = PatchDecoder(patches=(1, 2, 3), patch=patch, width=8)
    tokens = torch.zeros(1, 6, 8)
    plain = decoder(tokens)
    tokens[0, 4] = 1  # patch (0, 1, 1)
    changed = (decoder(tokens) != plain)[0, 0]
    assert changed[:, patch:, patch : 2 * patch].all()
    assert int(changed.sum()) == patch**3
