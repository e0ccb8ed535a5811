"""One syllable of a call: a gliding harmonic source and breath noise, shaped by formants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from echoic.synthesis.dsp import (
    Floats,
    Wave,
    add_at,
    contour,
    formant_response,
    harmonic_sum,
    spectrally_shaped,
    to_peak,
    wander,
)


@dataclass(frozen=True)
class Syllable:
    """Parameters of one syllable; contours are (position 0 to 1, value) points.

    Attributes:
        duration_s: Length.
        f0_hz: Contour of the fundamental.
        level: Contour of the amplitude, from 0 to 1.
        formants_hz: Resonances, in parallel.
        width: Bandwidth of a formant over its frequency.
        tilt: Harmonics fall as frequency ** -tilt.
        noise: RMS of the breath noise over that of the voice.
        jitter: Random deviation of the fundamental, as a fraction.
        rough: How much alternate periods differ in amplitude, which adds subharmonics.
    """

    duration_s: float
    f0_hz: Sequence[tuple[float, float]]
    level: Sequence[tuple[float, float]]
    formants_hz: Sequence[float]
    width: float
    tilt: float
    noise: float
    jitter: float = 0.01
    rough: float = 0.0


def sing(syllable: Syllable, *, sample_rate: float, rng: np.random.Generator) -> Floats:
    """Return one syllable, RMS about 0.2 before its envelope."""
    n_samples = max(16, round(syllable.duration_s * sample_rate))
    slow = wander(n_samples, 25.0, sample_rate=sample_rate, rng=rng)
    fast = wander(n_samples, 160.0, sample_rate=sample_rate, rng=rng)
    f0 = contour(syllable.f0_hz, n_samples)
    f0 = np.maximum(f0 * (1 + syllable.jitter * (0.6 * slow + 0.8 * fast)), 40.0)
    bandwidths = [syllable.width * formant for formant in syllable.formants_hz]

    def tract(frequency: Floats) -> Floats:
        # In parallel, so that high formants keep their strength (Klatt 1980, fig. 1b).
        parts = [
            formant_response(frequency, (centre,), (width,)) * width / centre * (-1) ** k
            for k, (centre, width) in enumerate(zip(syllable.formants_hz, bandwidths, strict=True))
        ]
        return np.abs(np.sum(parts, axis=0)) + 0.02

    def amplitude(frequency: Floats, _: int) -> Floats:
        return tract(frequency) * (frequency / 500.0 + 0.3) ** -syllable.tilt

    voice = harmonic_sum(f0, amplitude, sample_rate=sample_rate)
    voice *= 0.2 / (np.sqrt(np.mean(voice**2)) + 1e-12)
    cycles = np.cumsum(f0) / sample_rate
    voice *= 1 + syllable.rough * np.sin(np.pi * cycles) + 0.15 * fast * min(1.0, syllable.noise)

    def breath_gain(frequency: Floats) -> Floats:
        below = (frequency / (0.7 * syllable.formants_hz[0])) ** 3  # breath has no low frequencies
        return amplitude(frequency, 1) * below / (1 + below)

    breath = rng.standard_normal(n_samples)
    breath = spectrally_shaped(breath, breath_gain, sample_rate=sample_rate)
    breath *= 0.2 * syllable.noise / np.sqrt(np.mean(breath**2))
    breath *= 1 + 0.7 * np.cos(2 * np.pi * cycles)  # the glottis modulates the breath
    level = contour(syllable.level, n_samples)
    return (voice + breath) * level**1.5


def string_together(
    syllables: Sequence[tuple[float, Floats]],
    sample_rate: float,
    peak_dbfs: float,
    n_samples: int | None = None,
) -> Wave:
    """Sum (onset in seconds, wave) pairs into one wave, as long as needed or as given."""
    if n_samples is None:
        n_samples = max(round(onset * sample_rate) + len(wave) for onset, wave in syllables)
    out = np.zeros(n_samples)
    for onset_s, wave in syllables:
        add_at(out, wave, round(onset_s * sample_rate))
    return to_peak(out, peak_dbfs)
