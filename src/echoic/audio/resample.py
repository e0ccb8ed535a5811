"""Resample a whole wave, where a caller asks for it.

echoic processes every sample rate natively. Resampling is for data generation, for
metrics defined at one rate, and for interoperating with other programs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from echoic.audio.recording import Wave
from echoic.checks import check_number
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

    Delay: 0 samples; the filter is not causal, it sees the whole wave.

    Raises:
        ParameterError: A rate is not positive or not finite, or the wave is not
            floating-point or has no channel.

    References:
        soxr, the SoX Resampler library, quality "HQ".

    Example:
        >>> wave = np.zeros((2, 441), np.float32)
        >>> resample(wave, sample_rate=44_100, to_sample_rate=16_000).shape
        (2, 160)
    """
    if not isinstance(wave, np.ndarray) or not np.issubdtype(wave.dtype, np.floating):
        kind = getattr(wave, "dtype", type(wave).__name__)
        raise ParameterError(f"wave is {kind}, not an array of floats")
    if wave.ndim == 0:
        raise ParameterError("wave has no time axis")
    check_number(sample_rate, name="sample_rate")
    check_number(to_sample_rate, name="to_sample_rate")
    if not (0 < sample_rate < math.inf and 0 < to_sample_rate < math.inf):
        raise ParameterError(
            f"sample_rate={sample_rate} and to_sample_rate={to_sample_rate} are not both above 0 "
            "and finite"
        )
    if wave.shape[-1] and not wave.size:
        raise ParameterError(f"wave of shape {wave.shape} has no channel")
    samples = wave.astype(np.float32)
    if sample_rate == to_sample_rate or not samples.shape[-1]:
        return samples
    flat = samples.reshape(-1, samples.shape[-1])  # soxr: (time, channel)
    out = soxr.resample(np.ascontiguousarray(flat.T), sample_rate, to_sample_rate, quality="HQ")
    return np.ascontiguousarray(out.T).reshape(*samples.shape[:-1], -1)
