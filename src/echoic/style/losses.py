"""Losses between (feature, position) matrices, whose numbers of positions may differ."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def flat(maps: Tensor) -> Tensor:
    """(feature, ...) -> (feature, position)."""
    return maps.reshape(maps.shape[0], -1)


def gram(features: Tensor) -> Tensor:
    """FFᵀ/M: how strongly features are active together, regardless of position.

    References: Gatys, Ecker and Bethge (2016), equation 3, divided by the number of positions.
    """
    rows = flat(features)
    return rows @ rows.T / rows.shape[-1]


def gram_loss(features: Tensor, wanted: Tensor) -> Tensor:
    """Squared distance of Gram matrices, relative to the squared norm of the wanted one."""
    return (gram(features) - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


def grams_loss(layers: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean of `gram_loss` over layers."""
    pairs = zip(layers, wanted, strict=True)
    return torch.stack([gram_loss(features, one) for features, one in pairs]).mean()


def mean_loss(features: Tensor, style: Tensor) -> Tensor:
    """Maximum mean discrepancy with the kernel xᵀy, which compares only means."""
    return relative_error(flat(features).mean(-1), flat(style).mean(-1))


def polynomial_mmd_loss(features: Tensor, wanted: Tensor, wanted_mean: Tensor) -> Tensor:
    """Maximum mean discrepancy with the kernel (xᵀy + c)², c the style's mean energy.

    Expanded, it is the distance of Gram matrices plus 2c times that of means; those of the style
    are given.
    """
    c = wanted.diagonal().sum()
    means = flat(features).mean(-1) - wanted_mean
    distance = (gram(features) - wanted).square().sum() + 2 * c * means.square().sum()
    return distance / wanted.square().sum().clamp(min=1e-12)


def gaussian_mmd_loss(features: Tensor, style: Tensor, *, seed: int) -> Tensor:
    """Maximum mean discrepancy with the kernel exp(−γ‖x − y‖²), positions paired at random.

    γ is the inverse of the mean squared distance, and is not differentiated.
    """
    rows, shown = flat(features).T, flat(style).T
    n = min(len(rows), len(shown))
    generator = torch.Generator().manual_seed(seed)
    f, g = (rows[torch.randperm(len(rows), generator=generator)[:n]] for _ in range(2))
    s, t = (shown[torch.randperm(len(shown), generator=generator)[:n]] for _ in range(2))
    distances = [(x - y).square().sum(-1) for x, y in ((f, g), (s, t), (f, s))]
    gamma = 1 / torch.stack(distances).mean().detach().clamp(min=1e-12)
    ff, ss, fs = (torch.exp(-gamma * d).mean() for d in distances)
    return ff + ss - 2 * fs


def moments_loss(features: Tensor, style: Tensor) -> Tensor:
    """Errors of each feature's mean and standard deviation, as in batch normalisation."""
    rows, shown = flat(features), flat(style)
    return relative_error(rows.mean(-1), shown.mean(-1)) + relative_error(
        (rows.var(-1) + 1e-8).sqrt(), (shown.var(-1) + 1e-8).sqrt()
    )


def relative_error(features: Tensor, wanted: Tensor) -> Tensor:
    """Squared distance of features, relative to the squared norm of the wanted ones."""
    return (features - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)
