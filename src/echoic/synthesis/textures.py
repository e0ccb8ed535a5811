"""Sound textures by synthesis: rain, fire, waves and wind.

A texture is the sum of very many small, similar events, and is recognised by its statistics
(McDermott & Simoncelli 2011). Here the events are trains of impulses of random time and size,
each train convolved with one short sound, over shaped noise of slowly varying level.
"""

from __future__ import annotations

import numpy as np

from echoic.audio.levels import db_to_gain
from echoic.checks import check_generator, check_positive
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    add_at,
    convolved,
    count_samples,
    noise_band,
    ringing,
    to_rms,
    wander,
)


def shower(
    n_samples: int,
    rate_hz: float | Floats,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    spread_db: float,
) -> Floats:
    """Return impulses at random times, of random sign and log-normal size (median 1).

    Args:
        n_samples: Length.
        rate_hz: Mean number a second, constant or one for each sample.
        sample_rate: Hz.
        rng: Source of randomness.
        spread_db: Standard deviation of their levels.
    Shape:
        (time,).
    Example:
        >>> rng = np.random.default_rng(0)
        >>> shower(8000, 50.0, sample_rate=8000, rng=rng, spread_db=6.0).shape
        (8000,)
    """
    hit = np.flatnonzero(rng.random(n_samples) < np.asarray(rate_hz) / sample_rate)
    out = np.zeros(n_samples)
    sizes = db_to_gain(spread_db * rng.standard_normal(len(hit)))
    out[hit] = sizes * rng.choice((-1.0, 1.0), len(hit))
    return out


def rain(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    drops_hz: float = 400.0,
    level_dbfs: float = -20.0,
) -> Wave:
    """Make rain: the steady hiss of distant drops, and near drops that click and ring.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        drops_hz: Near drops a second.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> rain(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_positive(drops_hz=drops_hz)
    drops = np.zeros(n_samples)
    n_kinds = 16
    for _ in range(n_kinds):
        # Small drops ring high and short; large ones, or those on leaves and roofs, low and dull.
        frequency = 700.0 * 2 ** rng.uniform(0.0, 3.7)
        decay = rng.uniform(0.4, 2.0) / frequency**0.5 * 0.06
        kernel = ringing(frequency, decay, sample_rate=sample_rate, phase=rng.uniform(0, 2))
        own = shower(n_samples, drops_hz / n_kinds, sample_rate=sample_rate, rng=rng, spread_db=7.0)
        drops += convolved(own, kernel, n_samples)
    far = noise_band(
        n_samples, 150, 10000, sample_rate=sample_rate, rng=rng, tilt_db_per_octave=-2.2
    )
    low = noise_band(n_samples, 40, 150, sample_rate=sample_rate, rng=rng, order=1)
    gusts = db_to_gain(1.5 * wander(n_samples, 1.5, sample_rate=sample_rate, rng=rng))
    drops /= np.sqrt(np.mean(drops**2)) + 1e-12
    drops = 4.0 * np.tanh(drops / 4.0)  # limit the largest drops
    return to_rms((far + 0.3 * low) * gusts + 0.4 * drops, level_dbfs)


def fire(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    crackles_hz: float = 25.0,
    level_dbfs: float = -26.0,
) -> Wave:
    """Make a wood fire: crackles in flurries and of widely varying size, over a low roar.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        crackles_hz: Mean number of crackles a second.
        level_dbfs: RMS; the peaks lie 15 to 25 dB above.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> fire(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_positive(crackles_hz=crackles_hz)
    flurry = db_to_gain(6.0 * wander(n_samples, 3.0, sample_rate=sample_rate, rng=rng))
    crackles = np.zeros(n_samples)
    n_kinds = 12
    for _ in range(n_kinds):
        # A crackle is a pressure step: a broadband click and a little ringing of the wood.
        decay = 0.0006 * 2 ** rng.uniform(0.0, 4.0)
        click = rng.standard_normal(max(8, int(7 * decay * sample_rate)))
        click *= np.exp(-np.arange(len(click)) / (decay * sample_rate))
        wood = ringing(rng.uniform(1500, 9000), 2 * decay, sample_rate=sample_rate)
        add_at(wood, 0.8 * click, 0)
        rate = flurry * crackles_hz / n_kinds
        own = shower(n_samples, rate, sample_rate=sample_rate, rng=rng, spread_db=9.0)
        crackles += convolved(own, wood, n_samples)
    crackles = np.tanh(crackles / 6.0) * 6.0  # limit the largest pops
    roar = noise_band(n_samples, 30, 150, sample_rate=sample_rate, rng=rng)
    roar *= db_to_gain(3.0 * wander(n_samples, 5.0, sample_rate=sample_rate, rng=rng))
    hiss = noise_band(n_samples, 1500, 9000, sample_rate=sample_rate, rng=rng, order=1)
    hiss *= db_to_gain(3.0 * wander(n_samples, 6.0, sample_rate=sample_rate, rng=rng))
    return to_rms(crackles + 0.4 * roar + 0.08 * hiss, level_dbfs)


def sea_waves(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    period_s: float = 5.0,
    level_dbfs: float = -20.0,
) -> Wave:
    """Make waves on a beach: noise that swells, breaks brightly, and fades out as a hiss.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        period_s: Mean time from one wave to the next.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> sea_waves(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_positive(period_s=period_s)
    low, high, foam = np.zeros(n_samples), np.zeros(n_samples), np.zeros(n_samples)
    at = np.arange(n_samples) / sample_rate
    crest = rng.uniform(-0.6, 0.4) * period_s
    while crest < duration_s + period_s:
        since = (at - crest) / period_s
        size = db_to_gain(rng.uniform(-6.0, 0.0))
        rise, fall = np.exp(np.minimum(since, 0) / 0.16), np.exp(-np.maximum(since, 0) / 0.22)
        low += size * rise * fall
        high += size * np.minimum(rise**2, 1) * fall**1.7  # the bright part decays sooner
        foam += size * np.exp(-(((since - 0.3) / 0.22) ** 2))
        crest += period_s * rng.uniform(0.7, 1.3)
    bands = ((80, 700, 0.12 + low, 1.0), (400, 3000, 0.05 + high, 0.9), (2000, 9000, foam, 0.25))
    wave = np.zeros(n_samples)
    for low_hz, high_hz, envelope, gain in bands:
        band = noise_band(
            n_samples, low_hz, high_hz, sample_rate=sample_rate, rng=rng, tilt_db_per_octave=-2
        )
        splash = db_to_gain(1.5 * wander(n_samples, 12.0, sample_rate=sample_rate, rng=rng))
        wave += gain * band * envelope * splash
    return to_rms(wave, level_dbfs)


def wind(
    duration_s: float, *, sample_rate: float, rng: np.random.Generator, level_dbfs: float = -20.0
) -> Wave:
    """Make wind: low-frequency noise in gusts, brighter where it is stronger.

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
        >>> wind(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    gust = wander(n_samples, 0.7, sample_rate=sample_rate, rng=rng)
    wave = np.zeros(n_samples)
    for number, low_hz in enumerate((60, 180, 420, 900)):
        band = noise_band(n_samples, low_hz, 2.2 * low_hz, sample_rate=sample_rate, rng=rng)
        flutter = wander(n_samples, 3.0, sample_rate=sample_rate, rng=rng)
        wave += band * db_to_gain(-8.0 * number + (3.0 + 2.0 * number) * gust + 1.5 * flutter)
    return to_rms(wave, level_dbfs)
