"""ESTOI: the intelligibility of speech, predicted from envelopes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.audio import resample
from echoic.errors import ParameterError

_RATE, _WINDOW, _HOP, _N_FFT = 10_000, 256, 128, 512
_N_BANDS, _LOWEST_HZ, _N_FRAMES = 15, 150.0, 30
_RANGE_DB = 40.0


def estoi(
    reference: NDArray[np.floating], heard: NDArray[np.floating], *, sample_rate: int
) -> float:
    """Extended short-time objective intelligibility, about 0 to 1.

    Envelopes of 15 third-octave bands are divided into segments of 384 ms, and
    normalised over time and then over bands; the mean correlation of the
    spectra of both sounds is the score. Frames of the reference more than
    40 dB below its loudest are removed from both.

    Args:
        reference: (time,), clean speech.
        heard: (time,), the processed speech, time-aligned.
        sample_rate: Hz.

    Raises:
        ParameterError: lengths differ, or less than 0.4 s of speech is left.

    References: Jensen and Taal (2016), IEEE/ACM TASLP 24(11), equations 2 to 9.

    Example:
        >>> speech = np.random.default_rng(0).standard_normal(16000)
        >>> round(estoi(speech, 0.5 * speech, sample_rate=16000), 3)
        1.0
    """
    if reference.shape != heard.shape or reference.ndim != 1:
        raise ParameterError(f"shapes {reference.shape} and {heard.shape} are not one (time,)")
    frames = [
        _frames(resample(wave, sample_rate=sample_rate, to_sample_rate=_RATE))
        for wave in (reference, heard)
    ]
    level_db = 20 * np.log10(np.linalg.norm(frames[0], axis=1) + 1e-12)
    kept = level_db > level_db.max() - _RANGE_DB
    waves = [_overlap_add(rows[kept]) for rows in frames]
    bands = [_third_octaves(_frames(wave)) for wave in waves]
    if bands[0].shape[1] < _N_FRAMES:
        raise ParameterError(f"{bands[0].shape[1]} frames of speech are fewer than {_N_FRAMES}")
    windows = [np.lib.stride_tricks.sliding_window_view(b, _N_FRAMES, axis=1) for b in bands]
    x, y = (_normalised(_normalised(w, axis=-1), axis=0) for w in windows)
    return float((x * y).sum(axis=0).mean())


def _normalised(rows: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    centred = rows - rows.mean(axis=axis, keepdims=True)
    return centred / (np.linalg.norm(centred, axis=axis, keepdims=True) + 1e-12)


def _window() -> NDArray[np.float64]:
    return np.hanning(_WINDOW + 2)[1:-1]


def _frames(wave: NDArray[np.floating]) -> NDArray[np.float64]:
    if wave.size < _WINDOW:
        return np.zeros((0, _WINDOW))
    return np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_HOP] * _window()


def _overlap_add(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.zeros(len(frames) * _HOP + _WINDOW - _HOP)
    for k, frame in enumerate(frames):
        out[k * _HOP : k * _HOP + _WINDOW] += frame
    return out


def _third_octaves(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    power = np.abs(np.fft.rfft(frames, _N_FFT, axis=1)) ** 2
    frequency_hz = np.fft.rfftfreq(_N_FFT, 1 / _RATE)
    centers = _LOWEST_HZ * 2 ** (np.arange(_N_BANDS) / 3)
    low, high = centers * 2 ** (-1 / 6), centers * 2 ** (1 / 6)
    inside = (frequency_hz >= low[:, None]) & (frequency_hz < high[:, None])
    return np.sqrt(inside.astype(np.float64) @ power.T)
