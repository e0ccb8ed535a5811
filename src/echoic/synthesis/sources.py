"""Clock, bell and siren by synthesis.

Struck objects are sums of decaying modes. All are scaled to a peak in dB re full scale.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from echoic.audio.levels import db_to_gain
from echoic.checks import check_generator, check_positive
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    add_at,
    check_below_nyquist,
    count_samples,
    harmonic_sum,
    ramp_gains,
    ringing,
    to_peak,
)


def _tick(sample_rate: float, rng: np.random.Generator) -> Floats:
    """Return one tick: the escapement strikes two or three times, and the case rings."""
    out = np.zeros(round(0.16 * sample_rate))
    modes = 1000.0 * 2 ** rng.uniform(0.0, 3.0, 12)
    gains = db_to_gain(-4.0 * rng.random(12) - 4.0 * np.log2(modes / 1000.0))
    decays = rng.uniform(0.002, 0.009, 12)
    body = rng.uniform(250, 700)
    for at_s, size in ((0.0, 0.45), (rng.uniform(0.006, 0.012), 1.0), (0.028, 0.25)):
        strike = np.zeros(len(out))
        for mode, gain, decay in zip(modes, gains, decays, strict=True):
            add_at(strike, gain * ringing(mode, decay, sample_rate=sample_rate), 0)
        click = rng.standard_normal(max(4, round(0.0025 * sample_rate)))
        add_at(strike, 0.5 * click * np.linspace(1, 0, len(click)) ** 2, 0)
        add_at(strike, 0.6 * ringing(body, 0.015, sample_rate=sample_rate), 0)
        add_at(out, size * strike, round(at_s * sample_rate))
    return out


def clock_tick(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    ticks_hz: float = 3.0,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a clock tick and tock, the first tick 20 ms after the start.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness: the modes of the clock, and small differences between ticks.
        ticks_hz: Ticks and tocks a second, counted together.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> clock_tick(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_positive(ticks_hz=ticks_hz)
    pair = _tick(sample_rate, rng), 0.75 * _tick(sample_rate, rng)
    out = np.zeros(n_samples)
    for number, at_s in enumerate(np.arange(0.02, duration_s, 1.0 / ticks_hz)):
        late_s = 0.012 / ticks_hz * (number % 2) + 0.0005 * rng.random()  # slightly uneven ticks
        size = db_to_gain(0.5 * rng.standard_normal())
        add_at(out, size * pair[number % 2], round((at_s + late_s) * sample_rate))
    return to_peak(out, peak_dbfs)


def bell(
    frequency_hz: float,
    duration_s: float,
    *,
    sample_rate: float,
    decay_s: float = 2.5,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a church bell: hum, prime, minor tierce, quint, nominal and above.

    Args:
        frequency_hz: The prime, an octave below the nominal, where the strike note is heard.
        duration_s: Length.
        sample_rate: Hz.
        decay_s: Time in which the prime falls to 1/e.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    References:
        Rossing & Perrin 1987, for the ratios.
    Example:
        >>> bell(440, 0.5, sample_rate=16000).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, frequency_hz=frequency_hz)
    check_positive(decay_s=decay_s)
    ratios = (0.5, 1.0, 1.2, 1.5, 2.0, 2.51, 2.66, 3.01, 4.17, 5.43, 6.8)
    gains = (0.5, 0.7, 0.9, 0.3, 1.0, 0.35, 0.3, 0.5, 0.35, 0.25, 0.15)
    out = np.zeros(n_samples)
    for ratio, gain in zip(ratios, gains, strict=True):
        # A real bell is not quite round: each mode is a slightly detuned pair, which beats.
        for detune, part in ((1.0, 1.0), (1.0015, 0.5)):
            mode = ringing(
                detune * ratio * frequency_hz,
                decay_s / ratio**0.8,
                sample_rate=sample_rate,
                n_most=n_samples,
            )
            add_at(out, part * gain * mode, 0)
    return to_peak(out * ramp_gains(n_samples, min(0.001, duration_s / 4), sample_rate), peak_dbfs)


def siren(
    duration_s: float,
    *,
    sample_rate: float,
    kind: Literal["wail", "two-tone"] = "wail",
    low_hz: float = 450.0,
    high_hz: float = 1200.0,
    period_s: float = 3.0,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a siren: a wail that glides up and down, or a two-tone horn.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        kind: "wail" or "two-tone".
        low_hz: Lowest fundamental.
        high_hz: Highest fundamental, below sample_rate / 2.
        period_s: Duration of one rise and fall.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> siren(0.5, sample_rate=16000).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, low_hz=low_hz, high_hz=high_hz)
    check_positive(period_s=period_s)
    if kind not in ("wail", "two-tone"):
        raise ParameterError(f"kind={kind!r} is neither 'wail' nor 'two-tone'")
    angle = 2 * np.pi * np.arange(n_samples) / sample_rate / period_s
    swing = 0.5 - 0.5 * np.cos(angle) if kind == "wail" else (np.sin(angle) < 0).astype(float)
    f0 = low_hz * (high_hz / low_hz) ** swing
    wave = harmonic_sum(
        f0, lambda f, k: (0.2 if k % 2 == 0 else 1.0) / k * (1 + f / 1500), sample_rate=sample_rate
    )
    return to_peak(wave * ramp_gains(n_samples, min(0.02, duration_s / 4), sample_rate), peak_dbfs)
