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
    Source: the decoder of MONAI's `ViTAutoEnc`, which Seyfioglu et al., MICCAI 2022, use.
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
        volume = tokens.transpose(1, 2).unflatten(2, self.patches)  # (N, E, D / patch, H / patch, W / patch)
        return self.restore(self.enlarge(volume))
