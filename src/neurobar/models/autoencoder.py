"""What pre-training optimises: an encoder, and a decoder that no later stage learns from."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from neurobar.models.decoder import PatchDecoder
from neurobar.models.encoder import VisionTransformer
from neurobar.models.pieces import in_pieces


class EncoderWithDecoder(nn.Module):
    """What pre-training optimises.

    Parameters
    ----------
    shape : tuple of int
        Size D, H, W of the grid [voxels].
    settings : dict
        The config's `encoder`.
    restores : bool
        False where there is no reconstruction loss, and the decoder stays as it is.
    microbatch : int or None
        Scans whose activations are held at once; see `in_pieces`.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        settings: dict[str, Any],
        *,
        restores: bool = True,
        microbatch: int | None = None,
    ) -> None:
        super().__init__()
        self.restores, self.microbatch = restores, microbatch
        self.encoder = VisionTransformer(shape=shape, **settings)
        decoder = PatchDecoder(patches=self.encoder.patches, patch=settings["patch"], width=settings["width"])
        self.decoder = decoder.requires_grad_(restores)

    def forward(self, view_1: Tensor | None, view_2: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        """Encode both views and restore the anchor from view 2.

        Parameters
        ----------
        view_1, view_2 : float (N, 1, D, H, W)
            View 1 may be None, where nothing is contrasted.

        Returns
        -------
        class_1, class_2 : float (N, E)
            Class tokens.
        restored : float (N, 1, D, H, W) or None
        """
        tokens_2 = in_pieces(self.encoder, view_2, self.microbatch)
        class_1 = None if view_1 is None else in_pieces(self.encoder, view_1, self.microbatch)[:, 0]
        return class_1, tokens_2[:, 0], self.decoder(tokens_2[:, 1:]) if self.restores else None
