"""From patch tokens back to a volume."""

from __future__ import annotations

import math

from torch import Tensor, nn


class PatchDecoder(nn.Module):
    """Restore a volume from the patch tokens by two transposed convolutions.

    ``(N, L, E) -> (N, 1, D, H, W)``; together the two enlarge by the edge of a patch.

    Parameters
    ----------
    patches : tuple of int
        Patches along each axis, whose product is L.
    patch : int
        Edge of a patch [voxels], a power of 2.
    width : int
        Length E of a token.
    channels : int
        Channels between the two convolutions.

    Notes
    -----
    Source: the decoder of MONAI's `ViTAutoEnc`, on which Seyfioglu et al., MICCAI 2022, build.
    """

    def __init__(self, *, patches: tuple[int, int, int], patch: int, width: int, channels: int = 16) -> None:
        super().__init__()
        self.patches = patches
        first = 2 ** math.ceil(math.log2(patch) / 2)
        self.enlarge = nn.ConvTranspose3d(width, channels, kernel_size=first, stride=first)
        self.restore = nn.ConvTranspose3d(channels, 1, kernel_size=patch // first, stride=patch // first)

    def forward(self, tokens: Tensor) -> Tensor:
        """Restore volumes.

        Parameters
        ----------
        tokens : float (N, L, E)
            Without the class token.

        Returns
        -------
        float (N, 1, D, H, W)
        """
        volume = tokens.unflatten(1, self.patches)  # (N, D / patch, H / patch, W / patch, E)
        return enlarge(enlarge(volume, self.enlarge), self.restore).movedim(4, 1)


def enlarge(volume: Tensor, convolution: nn.ConvTranspose3d) -> Tensor:
    """Apply a transposed convolution whose stride is its kernel, channels last.

    No two inputs write the same output then, so it is one matrix product; on two cores that took less than half the
    time of PyTorch's general kernel, forward and backward.

    Parameters
    ----------
    volume : float (N, D, H, W, C)
    convolution : torch.nn.ConvTranspose3d
        From C to O channels with a kernel of k voxels.

    Returns
    -------
    float (N, D * k, H * k, W * k, O)
    """
    number, depth, height, width, _ = volume.shape
    outputs, k = convolution.out_channels, convolution.kernel_size[0]
    blocks = volume @ convolution.weight.flatten(1)  # (N, D, H, W, O * k * k * k)
    blocks = blocks.view(number, depth, height, width, outputs, k, k, k).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return blocks.reshape(number, depth * k, height * k, width * k, outputs) + convolution.bias
