"""Resample a whole wave, where a caller asks for it.

echoic processes every sample rate natively. Resampling is for data generation, for
metrics defined at one rate, and for interoperating with other programs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from echoic.audio.recording import Wave
from echoic.checks import MAX_CHANNELS, check_axes, check_positive, mend, warn_of_mended
from echoic.errors import ParameterError


def resample(
    wave: npt.NDArray[np.floating[Any]], *, sample_rate: float, to_sample_rate: float
) -> Wave:
    """Resample a whole wave with a linear-phase filter (soxr, high quality).

    Args:
        wave: Samples.
        sample_rate: Hz, of `wave`.
        to_sample_rate: Hz, of the result.

    Shape:
        wave (..., time) -> (..., time * to_sample_rate / sample_rate), float32.
        At equal rates it is a copy.

    NaN and infinite samples become 0, samples above 10¹⁰ times full scale are clipped, and an
    `AudioWarning` reports both.

    Delay: 0 samples; the filter is not causal, it sees the whole wave.

    Raises:
        ParameterError: A rate is not positive or not finite, or the wave is not
            floating-point, has no channel, or more channels than samples, as when
            its axes are exchanged.

    References:
        soxr, the SoX Resampler library, quality "HQ".

    Example:
        >>> wave = np.zeros((2, 441), np.float32)
        >>> resample(wave, sample_rate=44_100, to_sample_rate=16_000).shape
        (2, 160)
    """
    samples, n_mended = mend(wave)
    check_positive(sample_rate=sample_rate, to_sample_rate=to_sample_rate)
    if wave.shape[-1] and not wave.size:
        raise ParameterError(f"wave of shape {wave.shape} has no channel")
    if wave.ndim == 2 and wave.size:
        check_axes(wave.shape)
    if n_mended:
        warn_of_mended(n_mended)
    if sample_rate == to_sample_rate or not wave.size:
        return samples.copy()
    flat = samples.reshape(-1, samples.shape[-1])
    groups = [flat[k : k + MAX_CHANNELS].T for k in range(0, len(flat), MAX_CHANNELS)]
    out = [  # soxr: (time, channel), not very many channels
        soxr.resample(np.ascontiguousarray(group), sample_rate, to_sample_rate, quality="HQ").T
        for group in groups
    ]
    return np.concatenate(out).reshape(*samples.shape[:-1], -1)
