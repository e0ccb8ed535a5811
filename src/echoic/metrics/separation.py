"""SI-SDR: how close a stem is to its reference, independent of its level.

References:
    Le Roux, Wisdom, Erdogan, Hershey (2019), "SDR – half-baked or well done?", ICASSP.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError

_ROUNDING = 1e-24  # relative to an energy (−240 dB): a float64 result below this counts as 0


def si_sdr_db(
    estimate: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    where: NDArray[np.bool_] | None = None,
    cap_db: float = math.inf,
) -> NDArray[np.float64]:
    """Scale-invariant signal-to-distortion ratio.

    The estimate is split into its projection on the reference and a residual (Le Roux et al.,
    eq. 3); the ratio of their energies does not depend on the scale of the estimate. Means are
    subtracted first.

    Silence, and so any constant, is defined too: silence for silence is exact, +inf; silence for
    a sound, or a sound for silence, contains nothing of the reference, −inf.

    Args:
        estimate: The separated signal.
        reference: The true signal.
        where: Samples to evaluate; all by default.
        cap_db: Results are limited to ±cap_db.
    Shape:
        (..., time), all broadcast against each other -> (...).
    Raises:
        ParameterError: shapes do not fit, values are not finite, no sample counts, or cap_db is
            not above 0.
    Example:
        >>> tone, noise = np.sin(np.arange(1000)), np.cos(np.arange(1000))
        >>> print(f"{si_sdr_db(0.3 * (tone + 0.1 * noise), tone):.1f} dB")
        20.0 dB
    """
    if not cap_db > 0:
        raise ParameterError(f"cap_db={cap_db} is not above 0 dB")
    found, truth = _centred(estimate, reference, where=where)
    energy, truth_energy = _energy(found), _energy(truth)
    scale = np.sum(found * truth, axis=-1) / np.where(truth_energy > 0, truth_energy, 1)
    target = scale[..., np.newaxis] * truth
    target_energy, noise_energy = (
        np.where(part > _ROUNDING * energy, part, 0.0)
        for part in (_energy(target), _energy(found - target))
    )
    exact = (noise_energy == 0) & ((energy > 0) | (truth_energy == 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_db = 10 * np.log10(target_energy / noise_energy)
    ratio_db = np.where(exact, np.inf, np.where(target_energy > 0, ratio_db, -np.inf))
    return np.clip(ratio_db, -cap_db, cap_db)


def si_sdr_improvement_db(
    estimate: NDArray[np.floating],
    reference: NDArray[np.floating],
    mixture: NDArray[np.floating],
    *,
    where: NDArray[np.bool_] | None = None,
    cap_db: float = math.inf,
) -> NDArray[np.float64]:
    """SI-SDR of the estimate minus SI-SDR of the mixture.

    Args:
        estimate: The separated signal.
        reference: The true signal.
        mixture: The signal that was separated.
        where: Samples to evaluate, such as those where other sounds are active as well.
        cap_db: Improvements are limited to ±cap_db, so that no perfect or silent stem dominates
            a mean; not limited by default. Where estimate and mixture score the same, ±inf
            included, it is 0.
    Shape:
        (..., time), all broadcast against each other -> (...).
    Raises:
        ParameterError: as `si_sdr_db`.
    Example:
        >>> tone, noise = np.sin(np.arange(1000)), np.cos(np.arange(1000))
        >>> print(f"{si_sdr_improvement_db(tone + 0.1 * noise, tone, tone + noise):.1f} dB")
        20.0 dB
    """
    if not cap_db > 0:
        raise ParameterError(f"cap_db={cap_db} is not above 0 dB")
    after_db = si_sdr_db(estimate, reference, where=where)
    before_db = si_sdr_db(mixture, reference, where=where)
    with np.errstate(invalid="ignore"):  # inf − inf
        gain_db = np.where(after_db == before_db, 0.0, after_db - before_db)
    return np.clip(gain_db, -cap_db, cap_db)


def _energy(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sum(np.square(wave), axis=-1)


def _centred(
    *waves: NDArray[np.floating], where: NDArray[np.bool_] | None
) -> list[NDArray[np.float64]]:
    """Validate waves, subtract their means, and zero samples outside `where` and constant waves."""
    mask = np.ones(np.shape(waves[0])[-1:], np.bool_) if where is None else np.asarray(where)
    arrays = [np.asarray(wave, np.float64) for wave in waves]
    shapes = [array.shape for array in (*arrays, mask)]
    if mask.dtype != np.bool_ or len({shape[-1:] for shape in shapes} | {()}) != 2:
        raise ParameterError(f"estimate, reference and where ({mask.dtype}) have shapes {shapes}")
    try:
        *arrays, mask = np.broadcast_arrays(*arrays, mask)
    except ValueError:
        raise ParameterError(f"shapes {shapes} do not broadcast against each other") from None
    if not all(np.all(np.isfinite(array)) for array in arrays):
        raise ParameterError("estimate or reference holds values that are not finite")
    if not np.all(mask.any(axis=-1)):
        raise ParameterError(f"no sample counts: shapes {shapes}, {np.sum(mask)} are in `where`")
    centred = []
    for array in arrays:
        mean = np.mean(array, axis=-1, where=mask, keepdims=True)
        wave = np.where(mask, array - mean, 0.0)
        before = _energy(np.where(mask, array, 0.0))
        centred.append(wave * (_energy(wave) > _ROUNDING * before)[..., np.newaxis])
    return centred
