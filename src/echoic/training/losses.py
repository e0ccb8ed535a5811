"""Training losses: detection, separation error, distortion, and cross-entropy of masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

# Floor of the error relative to the sound itself: a lower error gains nothing.
_BEST_DB = -25.0
# A source this far below the mixture has no weight, one 15 dB above that full weight.
_FAINTEST_DB, _FULL_WEIGHT_ABOVE_DB = -25.0, 15.0
_TINY = 1e-12
_MOST_WEIGHT = 4.0  # of a short sound
_ALONE = 0.05  # weight of a source with nothing to separate it from
_LEAST_LIKENESS = 0.01  # bounds the ratio of an output uncorrelated with the source


def applied(masks: Tensor, ramp: float) -> Tensor:
    """Mean gain over each step of the output, from the masks of the steps before it.

    The mask of a step is applied to the samples that leave the bank during the next one:
    gains ramp from the former value to the new one over the first fraction `ramp` of that step.

    Shape:
        masks (…, step) -> (…, step − 2): steps of the output from the third one on.
    """
    former, latest = masks[..., :-2], masks[..., 1:-1]
    return former * (ramp / 2) + latest * (1 - ramp / 2)


def error_power(gains: Tensor, own: Tensor, cross: Tensor, mixture: Tensor) -> Tensor:
    """Error power of every source, each with gains of its own.

    The error power of a gain g on a band over a step is exactly
    Ps − 2·g·C + g²·Px (power of the source, source times mixture, power of the
    mixture); summed over bands and steps it is the noise power of the
    signal-to-noise ratio, as far as bands do not overlap.

    Shape:
        gains, own and cross (batch, source, band, step), mixture (batch, band, step)
        -> (batch, source).
    """
    return (own - 2 * gains * cross + gains**2 * mixture[:, None]).sum(dim=(2, 3))


def error_db(gains: Tensor, slot: Tensor, own: Tensor, cross: Tensor, mixture: Tensor) -> Tensor:
    """Mean error of the sources present, in dB relative to their own power.

    Args:
        gains: (batch, query, band, step).
        slot: (batch, source) index of each source's query, −1 for none.
        own: (batch, source, band, step) power.
        cross: (batch, source, band, step), source times mixture.
        mixture: (batch, band, step) power.

    Returns:
        Scalar, dB.
    """
    error = error_power(of_sources(gains, slot), own, cross, mixture)
    own_power = own.sum(dim=(2, 3))
    own_db = 10 * torch.log10((error / (own_power + _TINY)).clamp(min=0) + 10 ** (_BEST_DB / 10))
    return _mean_over_sources(own_db, slot, own_power, mixture)


def distortion_db(
    gains: Tensor, slot: Tensor, own: Tensor, cross: Tensor, mixture: Tensor
) -> Tensor:
    """Negative scale-invariant signal-to-distortion ratio, mean of the sources present, in dB.

    Unlike the error it does not reward silence: where nothing is known, leaving the mixture
    unchanged costs least. Le Roux et al. (2019), computed in the separating bank.

    Shape:
        As for `error_db`.
    """
    given = of_sources(gains, slot)
    total = (given**2 * mixture[:, None]).sum(dim=(2, 3))
    own_power = own.sum(dim=(2, 3))
    along = (given * cross).sum(dim=(2, 3)).clamp(min=0) ** 2
    likeness = (along / (own_power * total + _TINY**2)).clamp(0, 1)
    distortion = (1 - likeness) + 10 ** (_BEST_DB / 10)
    ratio_db = 10 * torch.log10(distortion / (likeness + _LEAST_LIKENESS))
    return _mean_over_sources(ratio_db, slot, own_power, mixture, alone=_ALONE)


def share_loss(gains: Tensor, slot: Tensor, own: Tensor, mixture: Tensor) -> Tensor:
    """Cross-entropy between the gains and the ideal ratio mask.

    It has a gradient while the error in dB is still flat, and it penalises any gain of an
    absent query. Bands are weighted by the fourth root of their power.

    Args:
        gains: (batch, query, band, step), summing to 1 over queries.
        slot: (batch, source) index of each source's query, −1 for none.
        own: (batch, source, band, step) power.
        mixture: (batch, band, step) power.
    """
    ratio = own * (slot >= 0)[:, :, None, None]
    ratio = ratio / (ratio.sum(dim=1, keepdim=True) + _TINY)
    surprise = -(ratio * torch.log(of_sources(gains, slot) + 1e-6)).sum(dim=1)
    weight = mixture**0.25
    weight = weight / (weight.mean(dim=(1, 2), keepdim=True) + _TINY)
    return (surprise * weight).mean()


def weigh(parts: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """The losses by name, and as "loss" their weighted sum."""
    weighted = [weights[name] * part for name, part in parts.items()]
    return {"loss": torch.stack(weighted).sum(), **parts}


def mean_of(rows: Sequence[Mapping[str, float | Tensor]]) -> dict[str, float]:
    """The mean of every value over batches.

    Example:
        >>> mean_of([{"loss": 1.0}, {"loss": 2.0}])
        {'loss': 1.5}
    """
    return {name: sum(float(row[name]) for row in rows) / len(rows) for name in rows[0]}


def _mean_over_sources(
    value: Tensor, slot: Tensor, own_power: Tensor, mixture: Tensor, *, alone: float = 1.0
) -> Tensor:
    """Weighted mean of (batch, source); absent and too faint sources have no weight.

    A source that sounds alone has weight `alone`; more power of other sources, more weight.
    """
    total = mixture.sum(dim=(1, 2)) + _TINY
    relative_db = 10 * torch.log10(own_power / total[:, None] + _TINY)
    audible = ((relative_db - _FAINTEST_DB) / _FULL_WEIGHT_ABOVE_DB).clamp(0, 1)
    others = (1 - own_power / total[:, None]).clamp(0, 1)
    weight = audible * (slot >= 0) * (alone + (1 - alone) * others)
    return (value * weight).sum() / (weight.sum() + _TINY)


def of_sources(gains: Tensor, slot: Tensor) -> Tensor:
    """The gains of each source's query; an absent source gets those of an arbitrary one.

    Shape:
        gains (batch, query, band, step), slot (batch, source) -> (batch, source, band, step).
    """
    index = slot.clamp(min=0)[:, :, None, None].expand(-1, -1, *gains.shape[2:])
    return gains.gather(1, index)


def detection_loss(logits: Tensor, activity: Tensor, look_ahead: int) -> Tensor:
    """Cross-entropy of logits that are `look_ahead` steps late, summed over labels.

    A bark lasts a fiftieth as long as rain and matters as much: steps in which a label sounds
    are weighted by the square root of scene length over active length, at most four.

    Args:
        logits: (batch, label, step).
        activity: (batch, label, step), 0 or 1.
        look_ahead: Delay of the logits in steps.
    """
    answered = logits[..., look_ahead:]
    asked = activity[..., : activity.shape[-1] - look_ahead]
    surprise = nn.functional.binary_cross_entropy_with_logits(answered, asked, reduction="none")
    part = asked.mean(dim=-1, keepdim=True).clamp(min=_MOST_WEIGHT**-2)
    return (surprise * torch.where(asked > 0, part**-0.5, 1.0)).sum(dim=1).mean()
