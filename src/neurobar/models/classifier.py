"""Encoder and MLP that tell two classes apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from torch import Tensor, nn

from neurobar.models.pieces import in_pieces


class Classifier(nn.Module):
    """Predict the logit of class 1 from the class token.

    Parameters
    ----------
    encoder : torch.nn.Module
        Maps ``(N, 1, D, H, W)`` to ``(N, 1 + L, E)`` with the class token first.
    width : int
        Length E of a token.
    hidden : list of int
        Units of the hidden layers; paper: 128 and 64.
    frozen : bool
        True keeps the encoder as it is, so that the MLP alone learns.
    batch_norm : bool
        True normalises the class tokens over the batch, without learned scale, before the MLP. The class tokens of a
        young encoder hardly differ from scan to scan, and an MLP is slow to learn from such small differences.

    Attributes
    ----------
    microbatch : int or None
        Scans whose activations are held at once in training; see `in_pieces`.

    Notes
    -----
    Source of the normalisation: He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section A.1.
    """

    def __init__(
        self, *, encoder: nn.Module, width: int, hidden: list[int], frozen: bool = False, batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.frozen = frozen
        self.microbatch: int | None = None
        self.encoder = encoder.requires_grad_(not frozen)
        widths = [width, *hidden]
        layers = [
            module for before, after in itertools.pairwise(widths) for module in (nn.Linear(before, after), nn.ReLU())
        ]
        normalised = [nn.BatchNorm1d(width, affine=False)] if batch_norm else []
        self.head = nn.Sequential(*normalised, *layers, nn.Linear(widths[-1], 1))

    def train(self, mode: bool = True) -> Classifier:
        """Switch to training, in which a frozen encoder keeps behaving as in prediction.

        Parameters
        ----------
        mode : bool

        Returns
        -------
        Classifier
            Itself, as `torch.nn.Module.train` does.
        """
        super().train(mode)
        self.encoder.train(mode and not self.frozen)
        return self

    def forward(self, volumes: Tensor, gather: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Predict logits.

        Parameters
        ----------
        volumes : float (n, 1, D, H, W)
            The part of a batch that this device computes.
        gather : callable or None
            Puts together the class tokens of all devices that share a batch, so that they are normalised together.

        Returns
        -------
        float (N,)
            Of the whole batch.
        """
        class_tokens = in_pieces(self.encoder, volumes, self.microbatch)[:, 0]
        return self.head(gather(class_tokens) if gather else class_tokens).squeeze(1)
