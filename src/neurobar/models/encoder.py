"""Three-dimensional Vision Transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Added to the spread of a patch, so that one without brain is not blown up; standardised brains reach from 0 to 1.
SMALLEST_SD = 0.05


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
    patch_norm : bool
        True normalises the voxels of each patch to mean 0 and standard deviation 1 before they are embedded. What all
        brains share then no longer outweighs what tells them apart, and a patch with little brain in it is not blown
        up by the first layer's normalisation.

    Raises
    ------
    ValueError
        If an edge of the grid is no multiple of the patch.

    Notes
    -----
    Source: Dosovitskiy et al., ICLR 2021, with patches in three dimensions; Kumar et al., Dual PatchNorm, TMLR 2023.
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
        patch_norm: bool = False,
    ) -> None:
        super().__init__()
        if any(length % patch for length in shape):
            raise ValueError(f"The grid {shape} is no multiple of the patch {patch}.")
        self.patches = tuple(length // patch for length in shape)
        number = self.patches[0] * self.patches[1] * self.patches[2]
        self.patch_norm = patch_norm
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
        if self.patch_norm:
            volumes = normalise_patches(volumes, self.patch_embedding.kernel_size[0])
        tokens = self.patch_embedding(volumes).flatten(2).transpose(1, 2)  # (N, L, E)
        class_token = self.class_token.expand(len(tokens), -1, -1)
        tokens = torch.cat([class_token, tokens], dim=1) + self.position  # (N, 1 + L, E)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(tokens)


def normalise_patches(volumes: Tensor, patch: int) -> Tensor:
    """Subtract from each patch the mean of its voxels, and divide by their standard deviation.

    Parameters
    ----------
    volumes : float (N, 1, D, H, W)
    patch : int
        Edge of a patch [voxels].

    Returns
    -------
    float (N, 1, D, H, W)
        A new tensor.
    """
    depth, height, width = (length // patch for length in volumes.shape[2:])
    cubes = volumes.reshape(len(volumes), 1, depth, patch, height, patch, width, patch)
    variance, mean = torch.var_mean(cubes, (3, 5, 7), correction=0, keepdim=True)
    return ((cubes - mean) * (variance + SMALLEST_SD**2).rsqrt()).reshape(volumes.shape)
