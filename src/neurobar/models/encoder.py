"""Three-dimensional Vision Transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class VisionTransformer(nn.Module):
    """Turn a volume into a class token and one token for each patch.

    ``(N, 1, D, H, W) -> (N, 1 + L, E)`` with ``L = (D / patch) * (H / patch) * (W / patch)``.

    Parameters
    ----------
    shape : tuple of int
        Size D, H, W of the grid [voxels]; multiples of `patch`.
    patch : int
        Edge of a patch [voxels].
    width : int
        Length E of a token.
    layers, heads : int
        Transformer layers, and attention heads in each.
    mlp_ratio : float
        Hidden width of a layer's MLP over its width.
    dropout : float
        Part of the activations that is dropped in training [0..1].

    Raises
    ------
    ValueError
        If an edge of the grid is no multiple of the patch.

    Notes
    -----
    Source: Dosovitskiy et al., ICLR 2021, with patches in three dimensions.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        patch: int,
        width: int,
        layers: int,
        heads: int,
        mlp_ratio: float = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if any(length % patch for length in shape):
            raise ValueError(f"The grid {shape} is no multiple of the patch {patch}.")
        self.patches = tuple(length // patch for length in shape)
        number = self.patches[0] * self.patches[1] * self.patches[2]
        self.patch_embedding = nn.Conv3d(1, width, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, 1 + number, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, int(width * mlp_ratio), dropout, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        for parameter in (self.class_token, self.position, self.patch_embedding.weight):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, volumes: Tensor) -> Tensor:
        """Encode volumes.

        Parameters
        ----------
        volumes : float (N, 1, D, H, W)

        Returns
        -------
        float (N, 1 + L, E)
            Class token first.
        """
        tokens = self.patch_embedding(volumes).flatten(2).transpose(1, 2)  # (N, L, E)
        class_token = self.class_token.expand(len(tokens), -1, -1)
        tokens = torch.cat([class_token, tokens], dim=1) + self.position  # (N, 1 + L, E)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(tokens)
