"""F0 of a voice by normalised autocorrelation, to measure how much of a melody is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.audio import resample

_RATE, _HOP, _WINDOW = 8_000, 80, 400
_LOW_HZ, _HIGH_HZ = 70.0, 500.0
_VOICED = 0.6  # normalised autocorrelation from which a frame counts as voiced
_RANGE_DB = 30.0


def f0_hz(wave: NDArray[np.floating], *, sample_rate: int) -> NDArray[np.float64]:
    """F0 every 10 ms; NaN where the sound is not voiced.

    The period is the lag of the first peak of the normalised cross-correlation within 5 % of the
    highest.

    References: Talkin (1995), "A robust algorithm for pitch tracking", equation 1.
    """
    wave = resample(wave, sample_rate=sample_rate, to_sample_rate=_RATE).astype(np.float64)
    shortest, longest = int(_RATE / _HIGH_HZ), int(_RATE / _LOW_HZ)
    if wave.size < _WINDOW + longest:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW + longest)[::_HOP]
    energy = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    now = frames[:, :_WINDOW]
    lags = np.arange(shortest, longest + 1)
    n_fft = 1 << (_WINDOW + longest - 1).bit_length()
    product = np.fft.rfft(frames, n_fft) * np.fft.rfft(now, n_fft).conj()
    cross = np.fft.irfft(product, n_fft)[:, lags]
    later = energy[:, lags + _WINDOW] - energy[:, lags]
    here = energy[:, _WINDOW, None]
    correlation = cross / np.sqrt(here * later + 1e-12)
    peak = correlation.max(axis=1)
    is_peak = np.zeros(correlation.shape, bool)
    middle = correlation[:, 1:-1]
    is_peak[:, 1:-1] = (middle >= correlation[:, :-2]) & (middle >= correlation[:, 2:])
    is_peak &= correlation > 0.95 * peak[:, None]
    chosen = _RATE / lags[np.argmax(is_peak, axis=1)]
    loud = here[:, 0] > here.max() * 10 ** (-_RANGE_DB / 10)
    return np.where((peak > _VOICED) & is_peak.any(axis=1) & loud, chosen, np.nan)


def f0_kept(
    content: NDArray[np.floating], result: NDArray[np.floating], *, sample_rate: int
) -> float:
    """Share of the content's voiced frames where the result has the same F0 within 20 %.

    NaN for a content that is never voiced.
    """
    wanted, found = (f0_hz(wave, sample_rate=sample_rate) for wave in (content, result))
    voiced = np.isfinite(wanted)
    if not voiced.any():
        return float("nan")
    with np.errstate(invalid="ignore"):
        kept = np.abs(found / wanted - 1) < 0.2
    return float(kept[voiced].mean())
