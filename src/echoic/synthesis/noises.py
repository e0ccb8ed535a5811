"""Noises with known spectra: white, pink, any colour, bands, and modulated ones.

All are Gaussian, shaped in the frequency domain, and scaled to an exact RMS over their whole
length, in dB re full scale. A generator in the same state gives the same noise.
"""

from __future__ import annotations

import numpy as np

from echoic.checks import check_finite, check_generator
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    check_below_nyquist,
    count_samples,
    ramp_gains,
    spectrally_shaped,
    to_rms,
)

_LOWEST_HZ = 15.0  # no power below: it would be inaudible, yet dominate the level of the noise
_DB_PER_OCTAVE = 20 * np.log10(2.0)  # slope of an amplitude proportional to f


def coloured_noise(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    slope_db_per_octave: float,
    level_dbfs: float = -20.0,
) -> Wave:
    """Make noise whose power spectrum falls or rises at a given slope above 15 Hz.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        slope_db_per_octave: 0 is white, -3.01 pink, -6.02 brown, +3.01 blue.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> coloured_noise(0.5, sample_rate=16000, rng=rng, slope_db_per_octave=-6).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_finite(slope_db_per_octave=slope_db_per_octave)

    def gain(f: Floats) -> Floats:
        power = slope_db_per_octave / _DB_PER_OCTAVE
        return np.where(f < _LOWEST_HZ, 0.0, (np.maximum(f, _LOWEST_HZ) / 1000.0) ** power)

    noise = rng.standard_normal(n_samples)
    return to_rms(spectrally_shaped(noise, gain, sample_rate=sample_rate), level_dbfs)


def white_noise(
    duration_s: float, *, sample_rate: float, rng: np.random.Generator, level_dbfs: float = -20.0
) -> Wave:
    """Make noise of equal power per hertz.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> white_noise(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    return to_rms(check_generator(rng).standard_normal(n_samples), level_dbfs)


def pink_noise(
    duration_s: float, *, sample_rate: float, rng: np.random.Generator, level_dbfs: float = -20.0
) -> Wave:
    """Make noise of equal power in every octave above 15 Hz.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> pink_noise(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    return coloured_noise(
        duration_s,
        sample_rate=sample_rate,
        rng=rng,
        slope_db_per_octave=-0.5 * _DB_PER_OCTAVE,
        level_dbfs=level_dbfs,
    )


def band_noise(
    low_hz: float,
    high_hz: float,
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    level_dbfs: float = -20.0,
    ramp_s: float = 0.01,
) -> Wave:
    """Make noise with a flat spectrum between two frequencies and no power outside.

    Args:
        low_hz: Lower edge, above 0 Hz.
        high_hz: Upper edge, above low_hz and below sample_rate / 2.
        duration_s: Length with the ramps; at least one DFT bin must lie in the band.
        sample_rate: Hz.
        rng: Source of randomness.
        level_dbfs: RMS before the ramps.
        ramp_s: Length of each ramp.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: the band is empty or another value is out of range.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> band_noise(900, 1100, 0.5, sample_rate=16000, rng=rng).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_below_nyquist(sample_rate, low_hz=low_hz, high_hz=high_hz)

    def gain(f: Floats) -> Floats:
        inside = (f >= low_hz) & (f <= high_hz)
        if not inside.any():
            raise ParameterError(
                f"low_hz={low_hz} and high_hz={high_hz} hold no component in {duration_s} s"
            )
        return inside.astype(np.float64)

    noise = spectrally_shaped(rng.standard_normal(n_samples), gain, sample_rate=sample_rate)
    ramps = ramp_gains(n_samples, ramp_s, sample_rate)
    return to_rms(noise, level_dbfs) * ramps.astype(np.float32)


def modulated_noise(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    rate_hz: float,
    depth: float = 1.0,
    band_hz: tuple[float, float] | None = None,
    level_dbfs: float = -20.0,
    ramp_s: float = 0.01,
) -> Wave:
    """Make noise with the amplitude envelope 1 + depth · sin(2π rate t).

    Args:
        duration_s: Length with the ramps.
        sample_rate: Hz.
        rng: Source of randomness.
        rate_hz: Modulation rate, below sample_rate / 2.
        depth: Modulation depth, from 0 (steady) to 1 (down to silence).
        band_hz: Edges of the carrier before modulation; white if not given.
        level_dbfs: RMS before the ramps.
        ramp_s: Length of each ramp.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> rng = np.random.default_rng(0)
        >>> modulated_noise(0.5, sample_rate=16000, rng=rng, rate_hz=8).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, rate_hz=rate_hz)
    check_finite(depth=depth)
    if not 0 <= depth <= 1:
        raise ParameterError(f"depth={depth} is not within 0 to 1")
    if band_hz is None:
        carrier = white_noise(duration_s, sample_rate=sample_rate, rng=rng)
    else:
        carrier = band_noise(*band_hz, duration_s, sample_rate=sample_rate, rng=rng, ramp_s=0.0)
    angle = 2 * np.pi * rate_hz * np.arange(n_samples) / sample_rate
    wave = to_rms(carrier * (1.0 + depth * np.sin(angle)), level_dbfs)
    return wave * ramp_gains(n_samples, ramp_s, sample_rate).astype(np.float32)
