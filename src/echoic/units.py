"""Conversions between hertz and the ear's own scales.

The ERB scale after Glasberg and Moore (1990): the equivalent rectangular
bandwidth of the auditory filter of a young normal-hearing listener, and the
ERB-rate, the number of such bandwidths below a frequency.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Glasberg and Moore (1990), equations 3 and 4.
_ERB_AT_ZERO_HZ = 24.7
ERB_SLOPE_PER_HZ = 4.37e-3
ERB_RATE_PER_DECADE = 21.4


def erb_hz(center_hz: ArrayLike) -> NDArray[np.float64]:
    """Equivalent rectangular bandwidth of the auditory filter at a frequency.

    Args:
        center_hz: Centre frequency in Hz, any shape.

    Returns:
        Bandwidth in Hz, same shape.

    References: Glasberg and Moore (1990), equation 3.

    Example:
        >>> round(float(erb_hz(1000.0)), 1)
        132.6
    """
    return _ERB_AT_ZERO_HZ * (1.0 + ERB_SLOPE_PER_HZ * np.asarray(center_hz, dtype=np.float64))


def hz_to_erb_rate(frequency_hz: ArrayLike) -> NDArray[np.float64]:
    """Number of ERBs below a frequency.

    References: Glasberg and Moore (1990), equation 4.

    Example:
        >>> round(float(hz_to_erb_rate(1000.0)), 2)
        15.62
    """
    frequency_hz = np.asarray(frequency_hz, dtype=np.float64)
    return ERB_RATE_PER_DECADE * np.log10(1.0 + ERB_SLOPE_PER_HZ * frequency_hz)


def erb_rate_to_hz(erb_rate: ArrayLike) -> NDArray[np.float64]:
    """Frequency in Hz at an ERB-rate; the inverse of `hz_to_erb_rate`.

    Example:
        >>> round(float(erb_rate_to_hz(hz_to_erb_rate(440.0))), 6)
        440.0
    """
    erb_rate = np.asarray(erb_rate, dtype=np.float64)
    return (10.0 ** (erb_rate / ERB_RATE_PER_DECADE) - 1.0) / ERB_SLOPE_PER_HZ
