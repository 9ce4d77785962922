"""Contrastive losses between the class tokens of two views."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, normalize


def rbf_weights(*, label_1: Tensor, label_2: Tensor, sigma: float) -> Tensor:
    """Weigh each pair of views by how near their labels are.

    ``w[i, k] = exp(-(label_1[i] - label_2[k]) ** 2 / (2 * sigma ** 2))``

    Parameters
    ----------
    label_1, label_2 : float (N,)
        Soft labels of view 1 and view 2 [0..1].
    sigma : float
        Width of the kernel.

    Returns
    -------
    float (N, N)
        Not yet normalised.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, equation 4; the kernel is that of Dufumier et al., MICCAI 2021.
    """
    return torch.exp(-((label_1.unsqueeze(1) - label_2.unsqueeze(0)) ** 2) / (2 * sigma**2))


def equal_label_weights(*, label_1: Tensor, label_2: Tensor) -> Tensor:
    """Weigh pairs of one class by 1 and all others by 0.

    Parameters
    ----------
    label_1, label_2 : float (N,)
        Soft labels are rounded to the nearer class.

    Returns
    -------
    float (N, N)

    Notes
    -----
    Source: Khosla et al., Supervised Contrastive Learning, NeurIPS 2020.
    """
    return (label_1.round().unsqueeze(1) == label_2.round().unsqueeze(0)).float()


def weighted_contrastive(*, view_1: Tensor, view_2: Tensor, weights: Tensor, temperature: float) -> Tensor:
    """Pull together the views whose weight is high, among all pairs of the batch.

    ``loss = -mean_i sum_k weights[i, k] / sum_j weights[i, j] * log_softmax_k(similarity[i, k] / temperature)``,
    with the cosine similarity of view 1 of scan i and view 2 of scan k. The weights of one anchor sum to 1, so every
    anchor counts alike.

    Parameters
    ----------
    view_1, view_2 : float (N, E)
        Class tokens.
    weights : float (N, N)
        Not negative; row i belongs to anchor i, and one without any weight adds nothing. The identity gives InfoNCE,
        `rbf_weights` the continuous supervised loss, `equal_label_weights` the supervised one.
    temperature : float

    Returns
    -------
    float ()

    Raises
    ------
    ValueError
        If the shapes do not belong together.

    Notes
    -----
    Source: Seyfioglu et al., MICCAI 2022, equation 4.
    """
    if view_1.shape != view_2.shape or weights.shape != (len(view_1), len(view_1)):
        raise ValueError(
            f"Two views {tuple(view_1.shape)}, {tuple(view_2.shape)} and their weights {tuple(weights.shape)} "
            "do not belong together."
        )
    # The similarities are divided by a small temperature, so half precision would be too coarse.
    similarity = normalize(view_1.float(), dim=1) @ normalize(view_2.float(), dim=1).T
    normalised = weights / weights.sum(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    return -(normalised * log_softmax(similarity / temperature, dim=1)).sum(1).mean()
