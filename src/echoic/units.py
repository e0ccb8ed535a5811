"""Conversions between hertz and the scales of hearing.

The ERB scale after Glasberg and Moore (1990): the equivalent rectangular
bandwidth of the auditory filter of a young normal-hearing listener, and the
ERB-rate, the number of such bandwidths below a frequency. The mel scale after
O'Shaughnessy (1987), for the systems that echoic is compared with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Glasberg and Moore (1990), equations 3 and 4.
_ERB_AT_ZERO_HZ = 24.7
ERB_SLOPE_PER_HZ = 4.37e-3
ERB_RATE_PER_DECADE = 21.4
_MEL_PER_DECADE, _MEL_HZ = 2595.0, 700.0


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


def hz_to_mel(frequency_hz: ArrayLike) -> NDArray[np.float64]:
    """Frequency in mel.

    References: O'Shaughnessy (1987), p. 150.

    Example:
        >>> round(float(hz_to_mel(1000.0)))
        1000
    """
    return _MEL_PER_DECADE * np.log10(1.0 + np.asarray(frequency_hz, dtype=np.float64) / _MEL_HZ)


def mel_to_hz(mel: ArrayLike) -> NDArray[np.float64]:
    """Frequency in Hz; the inverse of `hz_to_mel`."""
    return _MEL_HZ * (10.0 ** (np.asarray(mel, dtype=np.float64) / _MEL_PER_DECADE) - 1.0)


def mel_filters(
    n_mels: int, n_bins: int, *, sample_rate: float, low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Triangular filters of height 1, evenly spaced in mel, over the bins of a spectrum.

    Args:
        n_mels: Number of filters.
        n_bins: Number of bins, from 0 Hz to half the sample rate, both included.
        sample_rate: Hz.
        low_hz: Lower edge of the lowest filter.
        high_hz: Upper edge of the highest filter.

    Returns:
        (mel, bin).

    Example:
        >>> mel_filters(2, 5, sample_rate=8, low_hz=0, high_hz=4).round(2).tolist()
        [[0.0, 0.75, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.75, 0.0]]
    """
    edges_hz = mel_to_hz(np.linspace(hz_to_mel(low_hz), hz_to_mel(high_hz), n_mels + 2))
    bins_hz = np.linspace(0, sample_rate / 2, n_bins)
    rising = (bins_hz - edges_hz[:-2, np.newaxis]) / np.diff(edges_hz)[:-1, np.newaxis]
    falling = (edges_hz[2:, np.newaxis] - bins_hz) / np.diff(edges_hz)[1:, np.newaxis]
    return np.maximum(np.minimum(rising, falling), 0.0)
