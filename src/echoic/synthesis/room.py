"""A simple synthetic room: the direct sound, a pause, and a decaying tail of noise.

Late reverberation is well modelled as noise under an exponential (Moorer 1979), and such a
tail is computed thousands of times faster than the image sources of a shoebox room.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.audio.levels import db_to_gain
from echoic.checks import (
    check_finite,
    check_floats,
    check_generator,
    check_positive,
    check_sample_rate,
)
from echoic.errors import ParameterError
from echoic.synthesis.dsp import Floats, Wave, convolved

_DECAY = 3.0 * np.log(10.0)  # nepers of amplitude in one rt60: 60 dB


def room_response(
    *,
    sample_rate: float,
    rng: np.random.Generator,
    rt60_s: float = 0.4,
    predelay_s: float = 0.005,
    direct_to_reverberant_db: float = 6.0,
) -> Wave:
    """Make the impulse response of a room.

    The direct sound is a unit impulse at sample 0, so a dry sound keeps its timing and level. The
    tail is Gaussian noise that falls by 60 dB in rt60_s and is truncated 66 dB down.

    Args:
        sample_rate: Hz.
        rng: Source of randomness.
        rt60_s: Time in which the tail falls by 60 dB; above 0 s.
        predelay_s: Delay from the direct sound to the tail; at least 0 s.
        direct_to_reverberant_db: Energy of the direct sound over that of the tail.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    References:
        Moorer 1979; Schroeder 1965 for the measurement of rt60.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> room_response(sample_rate=16000, rng=rng, rt60_s=0.3, predelay_s=0.0).shape
        (5281,)
    """
    check_sample_rate(sample_rate)
    check_generator(rng)
    check_positive(rt60_s=rt60_s)
    check_finite(predelay_s=predelay_s, direct_to_reverberant_db=direct_to_reverberant_db)
    if not predelay_s >= 0:
        raise ParameterError(f"predelay_s={predelay_s} is below 0 s")
    n_tail = max(1, round(1.1 * rt60_s * sample_rate))
    decay = np.exp(-_DECAY * np.arange(n_tail) / (rt60_s * sample_rate))
    tail: Floats = rng.standard_normal(n_tail) * decay
    tail *= db_to_gain(-direct_to_reverberant_db) / np.sqrt(np.sum(tail**2))
    start = 1 + round(predelay_s * sample_rate)
    response = np.zeros(start + n_tail)
    response[0] = 1.0
    response[start:] = tail
    return response.astype(np.float32)


def reverberate(wave: NDArray[np.float32], response: NDArray[np.float32]) -> Wave:
    """Convolve a sound with the impulse response of a room, tail included.

    Args:
        wave: The dry sound.
        response: Impulse response at the same sample rate.
    Shape:
        wave (time,), response (tap,) -> (time + tap - 1,), float32.
    Raises:
        ParameterError: either is not floats, is empty or has channels.
    Example:
        >>> reverberate(np.ones(100, np.float32), np.ones(10, np.float32)).shape
        (109,)
    """
    for name, values in (("wave", wave), ("response", response)):
        check_floats(values, name=name)
        if values.ndim != 1 or len(values) == 0:
            raise ParameterError(f"{name} has shape {values.shape}, expected (time,), not empty")
    return convolved(wave.astype(np.float64), response.astype(np.float64)).astype(np.float32)
