"""Synthetic babble of several talkers: speech-like, without words."""

from __future__ import annotations

import numpy as np

from echoic.checks import check_count, check_generator
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    count_samples,
    harmonic_sum,
    noise_band,
    rms_of,
    to_rms,
    wander,
)
from echoic.synthesis.vowels import VOWELS, formants_hz, voice_response


def babble(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    n_talkers: int = 6,
    level_dbfs: float = -20.0,
) -> Wave:
    """Make the babble of several talkers: syllables of gliding vowels, with hisses between.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness.
        n_talkers: Number of talkers; at least 1.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> babble(0.5, sample_rate=16000, rng=np.random.default_rng(0), n_talkers=2).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    n_talkers = check_count(n_talkers, name="n_talkers")
    wave = np.zeros(n_samples)
    for _ in range(n_talkers):
        wave += _talker(n_samples, sample_rate, rng)
    return to_rms(wave, level_dbfs)


def _talker(n_samples: int, sample_rate: float, rng: np.random.Generator) -> Floats:
    """Return one talker without words: syllables of 0.12 to 0.3 s, with occasional pauses."""
    speaker = rng.choice(("man", "woman"))
    base_hz = {"man": 115.0, "woman": 205.0}[str(speaker)] * rng.uniform(0.85, 1.15)
    knots, vowels, voiced, hissing = [0.0], [0], [0.0], [0.0]
    while knots[-1] < n_samples / sample_rate:
        pause = rng.random() < 0.12
        for part, amount in ((0.35, 0.0 if pause else 1.0), (0.65, 0.08)):
            knots.append(knots[-1] + part * rng.uniform(0.12, 0.3))
            vowels.append(int(rng.integers(len(VOWELS))) if part < 0.5 else vowels[-1])
            voiced.append(amount)
            hissing.append(float(amount < 0.5 and not pause and rng.random() < 0.5))
    at = np.arange(n_samples) / sample_rate
    table = np.array([formants_hz(name, speaker="woman") for name in VOWELS])
    table *= 0.86 if speaker == "man" else 1.0
    f0 = base_hz * 2 ** (0.12 * wander(n_samples, 2.5, sample_rate=sample_rate, rng=rng))
    control = np.linspace(0, n_samples / sample_rate, 1 + n_samples // 256)
    tracks = [np.interp(control, knots, table[vowels, number]) for number in range(3)]

    def amplitude(frequency: Floats, _: int) -> Floats:
        moments = np.linspace(0, n_samples / sample_rate, len(frequency))
        centres = [np.interp(moments, control, track) for track in tracks]
        source = np.abs(voice_response(frequency, (), fourth_hz=3600.0))
        for centre in centres:  # `formant_response` with moving formants, magnitude only
            ratio = frequency / centre
            source /= np.hypot(1 - ratio**2, ratio * (50 / centre + 0.04))
        return source

    voice = harmonic_sum(f0, amplitude, sample_rate=sample_rate, high_hz=6000)
    voice *= np.interp(at, knots, voiced) / rms_of(voice)
    hiss = noise_band(n_samples, 2500, 7000, sample_rate=sample_rate, rng=rng)
    return voice + 0.12 * hiss * np.interp(at, knots, hissing)
