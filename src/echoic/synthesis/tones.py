"""Tones with exact parameters: pure tones, harmonic complexes, clicks and sweeps.

The level of a tone is the RMS of its steady part, in dB re full scale (a mean square of 1),
before the ramps; a full-scale sine has -3.01 dBFS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from echoic.audio.levels import db_to_gain
from echoic.checks import check_finite, check_generator
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    check_below_nyquist,
    count_samples,
    per_sample,
    ramp_gains,
    to_peak,
    to_rms,
)

Phases = Literal["sine", "cosine", "alternating", "random"]


def tone(
    frequency_hz: float,
    duration_s: float,
    *,
    sample_rate: float,
    level_dbfs: float = -20.0,
    ramp_s: float = 0.01,
    phase: float = 0.0,
) -> Wave:
    """Make a pure tone with raised-cosine ramps.

    Args:
        frequency_hz: 0 < frequency_hz < sample_rate / 2.
        duration_s: Length with the ramps, above 0 s.
        sample_rate: Hz.
        level_dbfs: RMS of the steady part.
        ramp_s: Length of each ramp; twice it must fit into the tone.
        phase: Radians; 0 is a sine.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> tone(1000, 0.2, sample_rate=16000).shape
        (3200,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, frequency_hz=frequency_hz)
    check_finite(level_dbfs=level_dbfs, phase=phase)
    angle = 2 * np.pi * frequency_hz * np.arange(n_samples) / sample_rate + phase
    amplitude = np.sqrt(2.0) * db_to_gain(level_dbfs)
    wave = amplitude * np.sin(angle) * ramp_gains(n_samples, ramp_s, sample_rate)
    return wave.astype(np.float32)


def _start_phases(
    phases: Phases | Sequence[float], numbers: Floats, rng: np.random.Generator | None
) -> Floats:
    """Return the phase of every partial, in radians; 0 is a sine."""
    if not isinstance(phases, str):
        given = np.asarray(phases, np.float64)
        if given.shape != numbers.shape:
            raise ParameterError(f"phases has shape {given.shape}, expected {numbers.shape}")
        return given
    if phases == "random":
        return check_generator(rng).uniform(0.0, 2 * np.pi, len(numbers))
    cosine = np.full(len(numbers), np.pi / 2)
    table = {"sine": 0 * cosine, "cosine": cosine, "alternating": cosine * (numbers % 2)}
    if phases not in table:
        raise ParameterError(f"phases={phases!r} is none of sine, cosine, alternating, random")
    return table[phases]


def harmonic_complex(
    f0_hz: float | ArrayLike,
    duration_s: float,
    *,
    sample_rate: float,
    harmonics: int | Sequence[int] = 10,
    amplitudes: Sequence[float] | None = None,
    phases: Phases | Sequence[float] = "sine",
    mistuned: tuple[int, float] | None = None,
    shift_hz: float = 0.0,
    level_dbfs: float = -20.0,
    ramp_s: float = 0.01,
    rng: np.random.Generator | None = None,
) -> Wave:
    """Make a harmonic complex, optionally with one harmonic mistuned or all partials shifted.

    Args:
        f0_hz: Fundamental, one number or one for each sample.
        duration_s: Length with the ramps.
        sample_rate: Hz.
        harmonics: Number of harmonics from the first, or the harmonic numbers.
        amplitudes: Relative amplitude of each; equal if not given.
        phases: A rule, or the phase of each in radians (0 is a sine).
        mistuned: Number of one harmonic and its relative shift: (4, 0.03) is 3 % up.
        shift_hz: Added to every partial: a regular but inharmonic complex.
        level_dbfs: RMS of the whole complex, before the ramps.
        ramp_s: Length of each ramp.
        rng: Needed for random phases.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a partial does not lie between 0 Hz and sample_rate / 2, the mistuned
            harmonic is not part of the complex, or another value is out of range.
    References:
        Moore, Peters, Glasberg 1986, for mistuned partials.
    Example:
        >>> harmonic_complex(200, 0.4, sample_rate=16000, mistuned=(4, 0.03)).shape
        (6400,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_finite(shift_hz=shift_hz)
    f0 = per_sample(f0_hz, n_samples, name="f0_hz")
    if isinstance(harmonics, int | np.integer):
        harmonics = range(1, int(harmonics) + 1)
    numbers = np.asarray(harmonics, np.float64)
    gains = np.ones(len(numbers)) if amplitudes is None else np.asarray(amplitudes, np.float64)
    if len(numbers) == 0 or gains.shape != numbers.shape:
        raise ParameterError(f"{len(numbers)} harmonics and amplitudes of shape {gains.shape}")
    factors = numbers.copy()
    if mistuned is not None:
        if mistuned[0] not in numbers:
            raise ParameterError(f"mistuned={mistuned} names no harmonic of the complex")
        factors[numbers == mistuned[0]] *= 1.0 + mistuned[1]
    for edge in (factors.min() * f0.min() + shift_hz, factors.max() * f0.max() + shift_hz):
        check_below_nyquist(sample_rate, partial_hz=float(edge))
    starts = _start_phases(phases, numbers, rng)
    at_start = np.concatenate(([0.0], np.cumsum(f0[:-1]) / sample_rate))
    shift = shift_hz * np.arange(n_samples) / sample_rate
    wave = np.zeros(n_samples)
    for factor, gain, start in zip(factors, gains, starts, strict=True):
        wave += gain * np.sin(2 * np.pi * (factor * at_start + shift) + start)
    return to_rms(wave, level_dbfs) * ramp_gains(n_samples, ramp_s, sample_rate).astype(np.float32)


def click_train(
    rate_hz: float, duration_s: float, *, sample_rate: float, peak_dbfs: float = -6.0
) -> Wave:
    """Make single-sample clicks at a steady rate, the first at time 0.

    Args:
        rate_hz: Clicks a second, 0 < rate_hz < sample_rate / 2; each lies on the nearest sample.
        duration_s: Length.
        sample_rate: Hz.
        peak_dbfs: Height of each click.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> int(np.count_nonzero(click_train(100, 0.5, sample_rate=16000)))
        50
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, rate_hz=rate_hz)
    at = np.round(np.arange(0.0, n_samples, sample_rate / rate_hz)).astype(int)
    wave = np.zeros(n_samples)
    wave[at[at < n_samples]] = 1.0
    return to_peak(wave, peak_dbfs)


def sweep(
    start_hz: float,
    end_hz: float,
    duration_s: float,
    *,
    sample_rate: float,
    shape: Literal["log", "linear"] = "log",
    level_dbfs: float = -20.0,
    ramp_s: float = 0.01,
) -> Wave:
    """Make a tone that glides from one frequency to another.

    Args:
        start_hz: First frequency, below sample_rate / 2.
        end_hz: Last frequency, below sample_rate / 2.
        duration_s: Length with the ramps.
        sample_rate: Hz.
        shape: Equal ratios (log) or equal differences (linear) in equal times.
        level_dbfs: RMS before the ramps.
        ramp_s: Length of each ramp.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> sweep(100, 4000, 1.0, sample_rate=16000).shape
        (16000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, start_hz=start_hz, end_hz=end_hz)
    if shape not in ("log", "linear"):
        raise ParameterError(f"shape={shape!r} is neither 'log' nor 'linear'")
    part = np.arange(n_samples) / n_samples
    linear = start_hz + (end_hz - start_hz) * part
    frequency = start_hz * (end_hz / start_hz) ** part if shape == "log" else linear
    wave = np.sin(2 * np.pi * np.cumsum(frequency) / sample_rate)
    return to_rms(wave, level_dbfs) * ramp_gains(n_samples, ramp_s, sample_rate).astype(np.float32)
