"""What the network of `echoic hear` is trained to make small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

# An error this far below the sound itself is good enough: nothing is gained beyond.
_BEST_DB = -25.0
# A source so much weaker than the mixture is not asked for, 15 dB more fully.
_FAINTEST_DB, _FULL_WEIGHT_ABOVE_DB = -25.0, 15.0
_TINY = 1e-12
_MOST_WEIGHT = 4.0  # of a short sound
_ALONE = 0.05  # weight of a source from which nothing is to be taken away
_LEAST_LIKENESS = 0.01  # bounds the ratio of what has nothing in common with the source


def applied(masks: Tensor, ramp: float) -> Tensor:
    """Mean gain over each step of the output, from masks that are heard before it.

    What a step has heard is applied to the samples that leave the bank during the next one:
    gains run from the former value to the new one over the first part `ramp` of that step.

    Shape:
        masks (…, step) -> (…, step − 2): of the output's steps from the third one on.
    """
    former, latest = masks[..., :-2], masks[..., 1:-1]
    return former * (ramp / 2) + latest * (1 - ramp / 2)


def error_power(gains: Tensor, own: Tensor, cross: Tensor, mixture: Tensor) -> Tensor:
    """Power of the error of every source, each with a gain of its own.

    The error of a gain g on a band, measured over a step, is exactly
    Ps − 2·g·C + g²·Px (power of the source, source times mixture, power of the
    mixture); summed over bands and steps it is the noise of the signal-to-noise
    ratio, as far as bands do not overlap.

    Shape:
        gains, own and cross (batch, source, band, step), mixture (batch, band, step)
        -> (batch, source).
    """
    return (own - 2 * gains * cross + gains**2 * mixture[:, None]).sum(dim=(2, 3))


def error_db(gains: Tensor, slot: Tensor, own: Tensor, cross: Tensor, mixture: Tensor) -> Tensor:
    """Error of every source that is there, in decibels of its own power.

    Args:
        gains: (batch, query, band, step).
        slot: (batch, source) index of each source's query, −1 for none.
        own: (batch, source, band, step) power.
        cross: (batch, source, band, step), source times mixture.
        mixture: (batch, band, step) power.

    Returns:
        Scalar, dB.
    """
    error = error_power(gains.gather(1, _spread(slot, gains)), own, cross, mixture)
    own_power = own.sum(dim=(2, 3))
    own_db = 10 * torch.log10((error / (own_power + _TINY)).clamp(min=0) + 10 ** (_BEST_DB / 10))
    return _mean_over_sources(own_db, slot, own_power, mixture)


def distortion_db(
    gains: Tensor, slot: Tensor, own: Tensor, cross: Tensor, mixture: Tensor
) -> Tensor:
    """Minus the scale-invariant signal-to-distortion ratio of every source that is there, in dB.

    Unlike the error it does not reward silence: where nothing is known, to leave the mixture
    as it is costs least. Le Roux et al. (2019), measured in the separating bank.

    Shape:
        Everything as for `error_db`.
    """
    given = gains.gather(1, _spread(slot, gains))
    total = (given**2 * mixture[:, None]).sum(dim=(2, 3))
    own_power = own.sum(dim=(2, 3))
    along = (given * cross).sum(dim=(2, 3)).clamp(min=0) ** 2
    likeness = (along / (own_power * total + _TINY**2)).clamp(0, 1)
    distortion = (1 - likeness) + 10 ** (_BEST_DB / 10)
    ratio_db = 10 * torch.log10(distortion / (likeness + _LEAST_LIKENESS))
    return _mean_over_sources(ratio_db, slot, own_power, mixture, alone=_ALONE)


def share_loss(gains: Tensor, slot: Tensor, own: Tensor, mixture: Tensor) -> Tensor:
    """Cross-entropy of the gains to the ideal ratio mask.

    It has a gradient while the error in dB is still flat, and it punishes whatever is given
    to a query that is not there. Bands count by the fourth root of their power.

    Args:
        gains: (batch, query, band, step), adding up to 1 over queries.
        slot: (batch, source) index of each source's query, −1 for none.
        own: (batch, source, band, step) power.
        mixture: (batch, band, step) power.
    """
    ratio = own * (slot >= 0)[:, :, None, None]
    ratio = ratio / (ratio.sum(dim=1, keepdim=True) + _TINY)
    surprise = -(ratio * torch.log(gains.gather(1, _spread(slot, gains)) + 1e-6)).sum(dim=1)
    weight = mixture**0.25
    weight = weight / (weight.mean(dim=(1, 2), keepdim=True) + _TINY)
    return (surprise * weight).mean()


def weigh(parts: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """The losses by name, and as "loss" their weighted sum."""
    weighted = [weights[name] * part for name, part in parts.items()]
    return {"loss": torch.stack(weighted).sum(), **parts}


def mean_of(rows: Sequence[Mapping[str, float | Tensor]]) -> dict[str, float]:
    """The mean of every figure over batches.

    Example:
        >>> mean_of([{"loss": 1.0}, {"loss": 2.0}])
        {'loss': 1.5}
    """
    return {name: sum(float(row[name]) for row in rows) / len(rows) for name in rows[0]}


def _mean_over_sources(
    value: Tensor, slot: Tensor, own_power: Tensor, mixture: Tensor, *, alone: float = 1.0
) -> Tensor:
    """The mean of (batch, source); a source that is not there or too faint does not count.

    One that sounds alone counts by `alone`, others by more the more there is besides them.
    """
    total = mixture.sum(dim=(1, 2)) + _TINY
    relative_db = 10 * torch.log10(own_power / total[:, None] + _TINY)
    audible = ((relative_db - _FAINTEST_DB) / _FULL_WEIGHT_ABOVE_DB).clamp(0, 1)
    others = (1 - own_power / total[:, None]).clamp(0, 1)
    weight = audible * (slot >= 0) * (alone + (1 - alone) * others)
    return (value * weight).sum() / (weight.sum() + _TINY)


def _spread(slot: Tensor, gains: Tensor) -> Tensor:
    """Indices for `gather` along queries; a source that is not there reads any."""
    return slot.clamp(min=0)[:, :, None, None].expand(-1, -1, *gains.shape[2:])


def detection_loss(logits: Tensor, activity: Tensor, look_ahead: int) -> Tensor:
    """Cross-entropy of answers that come `look_ahead` steps late, summed over labels.

    A bark lasts a fiftieth of what rain lasts, and is a sound like any other: where a label
    sounds it counts by the root of how much longer the scene is, four times at most.

    Args:
        logits: (batch, label, step).
        activity: (batch, label, step), 0 or 1.
        look_ahead: Steps.
    """
    answered = logits[..., look_ahead:]
    asked = activity[..., : activity.shape[-1] - look_ahead]
    surprise = nn.functional.binary_cross_entropy_with_logits(answered, asked, reduction="none")
    part = asked.mean(dim=-1, keepdim=True).clamp(min=_MOST_WEIGHT**-2)
    return (surprise * torch.where(asked > 0, part**-0.5, 1.0)).sum(dim=1).mean()
