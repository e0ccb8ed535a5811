"""Calls of animals and people by synthesis: dog, rooster, baby, sneeze.

Each call is a few syllables (see `syllables`) whose pitch, length, formants and noise follow
field recordings. All are dry: place them in a room, or outdoors, with `room`.
"""

from __future__ import annotations

import numpy as np

from echoic.checks import (
    check_count,
    check_finite,
    check_generator,
    check_positive,
    check_sample_rate,
)
from echoic.errors import ParameterError
from echoic.synthesis.dsp import Wave, contour, count_samples, noise_band, wander
from echoic.synthesis.syllables import Syllable, sing, string_together


def dog_bark(
    n_barks: int = 3,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    size: float = 1.0,
    gap_s: float = 0.25,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a dog bark: short, harsh calls that jump up, fall and end in breath.

    Args:
        n_barks: Number of barks; at least 1.
        sample_rate: Hz.
        rng: Source of randomness.
        size: Size of the dog: 1 is middle-sized, 2 low and slow, 0.6 a yapper.
        gap_s: Mean silence between two barks.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32: about n_barks · (0.2 + gap_s) s.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> dog_bark(1, sample_rate=16000, rng=np.random.default_rng(0)).ndim
        1
    """
    check_sample_rate(sample_rate)
    check_generator(rng)
    check_positive(size=size)
    n_barks = check_count(n_barks, name="n_barks")
    check_finite(gap_s=gap_s)
    if not gap_s >= 0:
        raise ParameterError(f"gap_s={gap_s} is below 0 s")
    barks = []
    onset_s = 0.0
    voice_hz = 480.0 / size * rng.uniform(0.9, 1.1)
    for _ in range(n_barks):
        top = voice_hz * rng.uniform(0.92, 1.08)
        length = 0.2 * size**0.4 * rng.uniform(0.85, 1.25)
        bark = Syllable(
            length,
            [(0, 0.55 * top), (0.18, top), (0.5, 0.88 * top), (1, 0.45 * top)],
            [(0, 0), (0.07, 0.8), (0.2, 1), (0.45, 0.6), (0.7, 0.18), (1, 0)],
            [f / size**0.5 for f in (680.0, 1250.0, 2300.0, 3600.0)],
            width=0.35,
            tilt=2.0,
            noise=0.6,
            jitter=0.025,
            rough=0.3,
        )
        barks.append((onset_s, sing(bark, sample_rate=sample_rate, rng=rng)))
        onset_s += length + gap_s * rng.uniform(0.6, 1.6)
    return string_together(barks, sample_rate, peak_dbfs)


def rooster(*, sample_rate: float, rng: np.random.Generator, peak_dbfs: float = -6.0) -> Wave:
    """Make a rooster crow: three short notes, and a long one that rises and dies away.

    Args:
        sample_rate: Hz.
        rng: Source of randomness.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32: about 2 s.
    Raises:
        ParameterError: the rate is out of range.
    Example:
        >>> rooster(sample_rate=16000, rng=np.random.default_rng(0)).ndim
        1
    """
    check_sample_rate(sample_rate)
    check_generator(rng)
    voice_hz = 780.0 * rng.uniform(0.85, 1.15)
    cock = [(0.0, 0.0), (0.12, 0.9), (0.6, 1.0), (0.85, 0.6), (1.0, 0.0)]
    # The other notes are one syllable: a dip in level separates them, not a silence.
    doodle = [(0.0, 0.0), (0.03, 0.9), (0.09, 0.9), (0.12, 0.5), (0.15, 0.9), (0.3, 1.0)]
    doo = [(0.34, 0.7), (0.38, 1.0), (0.6, 0.9), (0.85, 0.5), (0.95, 0.3), (1.0, 0.0)]
    low, high = [(0.0, 0.75), (0.1, 0.95), (0.14, 0.88), (0.3, 1.05)], [(0.36, 1.0), (0.42, 1.08)]
    plan = [
        (0.00, 0.20, [(0.0, 0.7), (0.4, 0.9), (1.0, 0.8)], cock),
        (0.27, 1.85, low + high + [(0.7, 0.95), (0.9, 0.8), (1.0, 0.65)], doodle + doo),
    ]
    notes = []
    stretch = rng.uniform(0.9, 1.1)
    for onset_s, length, shape, level in plan:
        syllable = Syllable(
            stretch * length,
            [(at, voice_hz * ratio) for at, ratio in shape],
            level,
            (1200.0, 1800.0, 2500.0),
            width=0.3,
            tilt=0.9,
            noise=0.15,
            jitter=0.008,
            rough=0.2,
        )
        notes.append((stretch * onset_s, sing(syllable, sample_rate=sample_rate, rng=rng)))
    return string_together(notes, sample_rate, peak_dbfs)


def baby_cry(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a baby cry: long arched wails with gasps between them.

    Args:
        duration_s: Length; the last wail is cut where it does not fit.
        sample_rate: Hz.
        rng: Source of randomness.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> baby_cry(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    voice_hz = 460.0 * rng.uniform(0.88, 1.15)
    parts = []
    onset_s = 0.0
    while onset_s < duration_s:
        top, length = voice_hz * rng.uniform(0.93, 1.08), rng.uniform(0.7, 1.2)
        wail = Syllable(
            length,
            [(0, 0.72 * top), (0.15, top), (0.5, 1.05 * top), (0.85, 0.9 * top), (1, 0.7 * top)],
            [(0, 0), (0.08, 0.7), (0.3, 1), (0.75, 0.85), (0.92, 0.4), (1, 0)],
            (1150.0, 3000.0, 5200.0),
            width=0.25,
            tilt=0.95,
            noise=0.12,
            jitter=0.012,
        )
        gasp = Syllable(
            0.2,
            [(0, 0.9 * top), (1, 1.4 * top)],
            [(0, 0), (0.5, 0.25), (1, 0)],
            (1500.0, 3500.0),
            width=0.5,
            tilt=0.5,
            noise=2.5,
        )
        wave = sing(wail, sample_rate=sample_rate, rng=rng)
        wave *= 1 + 0.15 * wander(len(wave), 9.0, sample_rate=sample_rate, rng=rng)
        parts.append((onset_s, wave))
        onset_s += length + rng.uniform(0.03, 0.1)
        parts.append((onset_s, sing(gasp, sample_rate=sample_rate, rng=rng)))
        onset_s += 0.2 + rng.uniform(0.03, 0.2)
    return string_together(parts, sample_rate, peak_dbfs, n_samples)


def sneeze(*, sample_rate: float, rng: np.random.Generator, peak_dbfs: float = -6.0) -> Wave:
    """Make a person sneeze: a voiced breath in, a burst of hiss, and a voice that falls.

    Args:
        sample_rate: Hz.
        rng: Source of randomness.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32: about 1 s.
    Raises:
        ParameterError: the rate is out of range.
    Example:
        >>> sneeze(sample_rate=16000, rng=np.random.default_rng(0)).ndim
        1
    """
    check_sample_rate(sample_rate)
    check_generator(rng)
    voice_hz = 210.0 * rng.uniform(0.8, 1.3)
    intake = Syllable(
        0.28,
        [(0, 0.9 * voice_hz), (1, 1.5 * voice_hz)],
        [(0, 0), (0.6, 0.2), (0.9, 0.35), (1, 0)],
        (800.0, 1400.0, 2700.0, 3800.0),
        width=0.12,
        tilt=1.0,
        noise=0.6,
    )
    voiced = Syllable(
        0.34,
        [(0, 1.9 * voice_hz), (0.3, 1.6 * voice_hz), (1, 0.7 * voice_hz)],
        [(0, 0), (0.1, 1), (0.4, 0.7), (1, 0)],
        (420.0, 1200.0, 2600.0, 3600.0),
        width=0.15,
        tilt=0.9,
        noise=0.5,
        jitter=0.02,
    )
    n_burst = round(rng.uniform(0.16, 0.24) * sample_rate)
    burst = noise_band(n_burst, 900, 10000, sample_rate=sample_rate, rng=rng, tilt_db_per_octave=-2)
    burst *= 0.2 * contour([(0, 0), (0.04, 1), (0.3, 0.8), (0.6, 0.3), (1, 0)], n_burst)
    gap_s = 0.28 + rng.uniform(0.03, 0.1)
    parts = [
        (0.0, sing(intake, sample_rate=sample_rate, rng=rng)),
        (gap_s, burst),
        (gap_s + 0.05, 1.2 * sing(voiced, sample_rate=sample_rate, rng=rng)),
    ]
    return string_together(parts, sample_rate, peak_dbfs)
