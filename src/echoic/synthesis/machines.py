"""Engines and rotors by synthesis: engine, chainsaw, helicopter.

Each is one pulse per cycle through resonances, plus noise modulated by the same cycle. All are
scaled to a peak in dB re full scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echoic.audio.levels import db_to_gain
from echoic.checks import check_finite, check_generator, check_positive
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    contour,
    count_samples,
    harmonic_sum,
    noise_band,
    rms_of,
    to_peak,
    wander,
)


def engine(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    firing_hz: float | Sequence[tuple[float, float]] = 60.0,
    resonances_hz: Sequence[float] = (140.0, 420.0, 1100.0, 2300.0),
    noise: float = 0.2,
    brightness: float = 1.0,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a combustion engine: uneven firing pulses through an exhaust, and modulated noise.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        firing_hz: Firings a second: one number, or (position from 0 to 1, Hz) points.
        resonances_hz: Resonances of exhaust and case.
        noise: RMS of the noise over that of the pulses.
        brightness: Harmonics fall as frequency ** -(1 / brightness).
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> engine(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    points = [(0.0, firing_hz)] if isinstance(firing_hz, int | float) else list(firing_hz)
    lowest = min((hz for _, hz in points), default=0.0)
    check_positive(firing_hz=lowest, brightness=brightness)
    check_finite(noise=noise)
    # Cylinders differ, so the true period is two firings: half orders between the harmonics.
    drift = wander(n_samples, 8.0, sample_rate=sample_rate, rng=rng)
    cycle = wander(n_samples, 1.3 * lowest, sample_rate=sample_rate, rng=rng)
    f0 = 0.5 * contour(points, n_samples) * (1 + 0.01 * drift + 0.003 * cycle)
    half_order = 10 ** rng.uniform(-0.9, -0.3, 4096)

    def amplitude(frequency: Floats, number: int) -> Floats:
        hills = sum(1 / (0.1 + np.log2(frequency / centre) ** 2) for centre in resonances_hz)
        own = half_order[number % 4096] if number % 2 else 1.0
        return own * (0.6 + hills) * (frequency / 100 + 0.5) ** (-1 / brightness)

    pulses = harmonic_sum(np.maximum(f0, 2.0), amplitude, sample_rate=sample_rate, high_hz=9000)
    pulses *= (1 + 0.2 * cycle) / rms_of(pulses)
    rush = noise_band(
        n_samples, 300, 3500 * brightness, sample_rate=sample_rate, rng=rng, tilt_db_per_octave=-2.5
    )
    rush *= 1 + 0.6 * np.cos(4 * np.pi * np.cumsum(f0) / sample_rate)
    load = (2 * f0 / lowest) ** 2.0  # torque and speed rise together
    return to_peak(np.tanh(0.25 * load * (pulses + noise * rush)), peak_dbfs)


def chainsaw(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a chainsaw: a small two-stroke engine that idles, revs up, and slows under load.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> chainsaw(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    check_positive(duration_s=duration_s)
    check_generator(rng)
    top = rng.uniform(125, 165)
    points = [(0.0, 0.6 * top)]
    at_s = 0.0
    while at_s < duration_s:
        for step_s, part in ((0.25, 1.0), (rng.uniform(0.5, 1.2), 0.82), (0.3, 0.62)):
            at_s += step_s
            points.append((at_s / duration_s, top * part * rng.uniform(0.95, 1.05)))
    return engine(
        duration_s,
        sample_rate=sample_rate,
        rng=rng,
        firing_hz=points,
        resonances_hz=(320.0, 900.0, 2400.0, 4200.0),
        noise=0.45,
        brightness=1.6,
        peak_dbfs=peak_dbfs,
    )


# Edges of a band in Hz, its gain, and its depth of modulation by the blades.
_AIR = ((40, 200, 0.8, 0.5), (150, 700, 0.6, 0.6), (500, 2200, 0.22, 0.45), (1500, 7000, 0.05, 0.3))


def _chopped_air(slap: Floats, sample_rate: float, rng: np.random.Generator) -> Floats:
    """Return the airflow noise of the rotor, mostly low-frequency, modulated by the slaps."""
    wave = np.zeros(len(slap))
    for low_hz, high_hz, gain, depth in _AIR:
        band = noise_band(
            len(slap), low_hz, high_hz, sample_rate=sample_rate, rng=rng, tilt_db_per_octave=-2
        )
        gust = db_to_gain(1.5 * wander(len(slap), 4.0, sample_rate=sample_rate, rng=rng))
        wave += gain * band * gust * (1 - depth + depth * 1.8 * slap)
    return wave


def helicopter(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    blades_hz: float = 13.0,
    swell_db: float = 0.0,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a helicopter: blade slaps that modulate airflow noise, a tail rotor, a turbine.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        blades_hz: Blade-pass frequency of the main rotor.
        swell_db: Attenuation at both ends relative to the middle, for a fly-past.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> helicopter(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_positive(blades_hz=blades_hz)
    check_finite(swell_db=swell_db)
    if not swell_db >= 0:
        raise ParameterError(f"swell_db={swell_db} is below 0 dB")
    drift = wander(n_samples, 1.0, sample_rate=sample_rate, rng=rng)
    f0 = blades_hz * (1 + 0.004 * drift)
    phase = np.cumsum(f0) / sample_rate % 1.0
    slap = np.exp(-phase / 0.3) * np.minimum(1.0, phase / 0.08)  # sharp front, soft end
    tail = harmonic_sum(5.7 * f0, lambda f, k: k**-0.9 + 0 * f, sample_rate=sample_rate)
    # The slap itself is the same wave each time: low harmonics of the blade-pass frequency.
    thump = harmonic_sum(
        f0, lambda f, _: f / 70.0 / (1 + (f / 90.0) ** 3), sample_rate=sample_rate, high_hz=1500
    )
    wave = 0.10 * tail / rms_of(tail) + 0.7 * thump / rms_of(thump)
    wave += _chopped_air(slap, sample_rate, rng)
    whine = harmonic_sum(
        np.full(n_samples, 1650.0) * (1 + 0.002 * drift),
        lambda f, k: k**-0.7 + 0 * f,
        sample_rate=sample_rate,
    )
    wave += 0.02 * whine
    distance = np.linspace(-1.0, 1.0, n_samples)
    far = distance**2 * (1.5 - 0.5 * distance**2)  # level in dB falls smoothly to both ends
    return to_peak(wave * db_to_gain(-swell_db * far), peak_dbfs)
