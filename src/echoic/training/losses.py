"""What the network of `echoic hear` is trained to make small."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# An error this far below the sound itself is good enough: nothing is gained beyond.
_BEST_DB = -25.0
# A source so much weaker than the mixture is not asked for, 15 dB more fully.
_FAINTEST_DB, _FULL_WEIGHT_ABOVE_DB = -25.0, 15.0
_LEAK_WEIGHT_DB = 5.0
_TINY = 1e-12


def gain_loss_db(
    gains: Tensor, source: Tensor, mixture: Tensor, own: Tensor, cross: Tensor
) -> Tensor:
    """Error of every source that is there, and leakage into labels that are not.

    The error of a gain g on a band, measured over a hop, is exactly
    Ps − 2·g·C + g²·Px (power of the source, source times mixture, power of the
    mixture); summed over bands and hops it is the noise of the signal-to-noise
    ratio, as far as bands do not overlap.

    Args:
        gains: (batch, label + 1, band, hop), the rest last.
        source: (batch, slot) index of each source's label, −1 for none.
        mixture: (batch, band, hop) power.
        own: (batch, slot, band, hop) power.
        cross: (batch, slot, band, hop).

    Returns:
        Scalar, about dB.
    """
    present = source >= 0
    index = source.clamp(min=0)[:, :, None, None].expand(-1, -1, *gains.shape[2:])
    of_source = gains.gather(1, index)
    error = (own - 2 * of_source * cross + of_source**2 * mixture[:, None]).sum(dim=(2, 3))
    own_power, total = own.sum(dim=(2, 3)), mixture.sum(dim=(1, 2)) + _TINY
    relative_db = 10 * torch.log10(own_power / total[:, None] + _TINY)
    weight = ((relative_db - _FAINTEST_DB) / _FULL_WEIGHT_ABOVE_DB).clamp(0, 1) * present
    error_db = 10 * torch.log10(error / (own_power + _TINY) + 10 ** (_BEST_DB / 10))
    error_db = (error_db * weight).sum() / (weight.sum() + _TINY)

    # Power given to labels that do not sound in this scene, as a part of all power: in
    # decibels it would reward silence long before any sound is found.
    absent = torch.ones_like(gains[:, :, 0, 0])
    absent.scatter_(1, source.clamp(min=0), 0.0)
    absent[:, -1] = 0  # what is left over may always go to the rest
    leaked = ((gains**2) * mixture[:, None]).sum(dim=(2, 3)) * absent
    return error_db + _LEAK_WEIGHT_DB * (leaked.sum(dim=1) / total).mean()


def share_loss(gains: Tensor, source: Tensor, mixture: Tensor, cross: Tensor) -> Tensor:
    """Cross-entropy of the gains, as shares, with each source's true share of band and hop.

    It says of every place whose it is, and teaches that long before the error in dB, which
    hardly changes while all gains are wrong. Loud places count more, by the fourth root of
    their power.

    Args:
        gains: (batch, label + 1, band, hop), adding up to 1 over labels.
        source: (batch, slot) index of each source's label, −1 for none.
        mixture: (batch, band, hop) power.
        cross: (batch, slot, band, hop), source times mixture.
    """
    share = cross.clamp(min=0) * (source >= 0)[:, :, None, None]
    share = share / (share.sum(dim=1, keepdim=True) + _TINY)
    index = source.clamp(min=0)[:, :, None, None].expand(-1, -1, *gains.shape[2:])
    surprise = -(share * torch.log(gains.gather(1, index) + 1e-6)).sum(dim=1)
    weight = mixture**0.25
    weight = weight / (weight.mean(dim=(1, 2), keepdim=True) + _TINY)
    return (surprise * weight).mean()


def detection_loss(logits: Tensor, activity: Tensor, look_ahead: int) -> Tensor:
    """Cross-entropy of answers that come `look_ahead` steps late.

    Args:
        logits: (batch, label, step).
        activity: (batch, label, step), 0 or 1.
        look_ahead: Steps.
    """
    answered = logits[..., look_ahead:]
    asked = activity[..., : activity.shape[-1] - look_ahead]
    return nn.functional.binary_cross_entropy_with_logits(answered, asked)
