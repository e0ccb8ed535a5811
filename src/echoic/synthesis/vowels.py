"""Formant vowels: a glottal source through resonators, as exact sums of harmonics.

The source falls by 12 dB per octave above 100 Hz, radiation restores 6 dB per octave, and the
vocal tract is a cascade of resonators (Klatt 1980). Each harmonic is weighted by the response of
all three at its own frequency, so fundamental and formants may glide and nothing aliases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from echoic.checks import check_positive
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    count_samples,
    formant_response,
    harmonic_sum,
    per_sample,
    ramp_gains,
    to_rms,
)

Speaker = Literal["man", "woman", "child"]

VOWELS = ("iy", "ih", "eh", "ae", "aa", "ao", "uh", "uw", "ah", "er")
"""The vowels of heed hid head had hod hawed hood who'd hud heard."""

# Means of 33 men, 28 women and 15 children: F1, F2, F3 in Hz, in the order of VOWELS
# (Peterson & Barney 1952, table II).
_FORMANTS_HZ: dict[str, tuple[tuple[int, ...], ...]] = {
    "man": (
        (270, 390, 530, 660, 730, 570, 440, 300, 640, 490),
        (2290, 1990, 1840, 1720, 1090, 840, 1020, 870, 1190, 1350),
        (3010, 2550, 2480, 2410, 2440, 2410, 2240, 2240, 2390, 1690),
    ),
    "woman": (
        (310, 430, 610, 860, 850, 590, 470, 370, 760, 500),
        (2790, 2480, 2330, 2050, 1220, 920, 1160, 950, 1400, 1640),
        (3310, 3070, 2990, 2850, 2810, 2710, 2680, 2670, 2780, 1960),
    ),
    "child": (
        (370, 530, 690, 1010, 1030, 680, 560, 430, 850, 560),
        (3200, 2730, 2610, 2320, 1370, 1060, 1410, 1170, 1590, 1820),
        (3730, 3600, 3570, 3320, 3170, 3180, 3310, 3260, 3360, 2160),
    ),
}
_F4_HZ = {"man": 3500.0, "woman": 4100.0, "child": 4600.0}
_HIGHEST_HZ = 12000.0


def formants_hz(vowel: str, *, speaker: Speaker = "man") -> tuple[float, float, float]:
    """Return the mean first three formants of a vowel, in Hz.

    Args:
        vowel: One of VOWELS.
        speaker: Group of speakers.
    Raises:
        ParameterError: an unknown vowel or speaker.
    References:
        Peterson & Barney 1952, table II.
    Example:
        >>> formants_hz("iy")
        (270.0, 2290.0, 3010.0)
    """
    if vowel not in VOWELS:
        raise ParameterError(f"vowel={vowel!r} is none of {' '.join(VOWELS)}")
    if speaker not in _FORMANTS_HZ:
        raise ParameterError(f"speaker={speaker!r} is none of {' '.join(_FORMANTS_HZ)}")
    first, second, third = (float(row[VOWELS.index(vowel)]) for row in _FORMANTS_HZ[speaker])
    return first, second, third


def voice_response(
    frequencies_hz: Floats, formants: Sequence[float], *, fourth_hz: float
) -> NDArray[np.complex128]:
    """Return source, tract and radiation at given frequencies, as one complex gain.

    Args:
        frequencies_hz: Frequencies above 0 Hz.
        formants: The formants below the fourth, in Hz.
        fourth_hz: The fourth; those above follow at the spacing of a uniform tube.
    Shape:
        frequencies_hz (...) -> (...), complex.
    References:
        Klatt 1980; for bandwidths that grow with frequency his table I.
    Example:
        >>> voice_response(np.array([100.0, 500.0]), (500, 1500, 2500), fourth_hz=3500).shape
        (2,)
    """
    spacing = fourth_hz / 3.5  # a tube closed at one end: F4 is 7/2 of the spacing
    centres = [*formants, *np.arange(fourth_hz, 1.2 * _HIGHEST_HZ, spacing)]
    bandwidths = [50.0 + 0.04 * centre for centre in centres]
    source = 1.0 / (1.0 + 1j * frequencies_hz / 100.0) ** 2
    radiation = 1j * frequencies_hz / 1000.0
    return source * radiation * formant_response(frequencies_hz, centres, bandwidths)


def vowel(
    name: str | Sequence[float],
    duration_s: float,
    *,
    sample_rate: float,
    f0_hz: float | ArrayLike = 120.0,
    speaker: Speaker = "man",
    formant_scale: float = 1.0,
    level_dbfs: float = -20.0,
    ramp_s: float = 0.02,
) -> Wave:
    """Make a vowel at any fundamental, for any vocal tract length.

    Args:
        name: One of VOWELS, or three formants in Hz.
        duration_s: Length with the ramps.
        sample_rate: Hz.
        f0_hz: Fundamental, one number or one for each sample; at least 20 Hz.
        speaker: Group whose formants are used.
        formant_scale: Factor on all formants: 1.2 is a shorter tract.
        level_dbfs: RMS before the ramps.
        ramp_s: Length of each ramp.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: an unknown vowel or speaker, or a value out of range.
    References:
        Klatt 1980; Peterson & Barney 1952; Smith & Patterson 2005 for the scale.
    Example:
        >>> vowel("aa", 0.2, sample_rate=16000, f0_hz=100).shape
        (3200,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_positive(formant_scale=formant_scale)
    f0 = per_sample(f0_hz, n_samples, name="f0_hz")
    if not 20 <= f0.min() <= f0.max() < sample_rate / 2:
        raise ParameterError(f"f0_hz={f0.min()} to {f0.max()} is not within 20 to half the rate")
    own = formants_hz(name, speaker=speaker) if isinstance(name, str) else tuple(name)
    if len(own) != 3 or min(own) <= 0:
        raise ParameterError(f"formants {own} are not three frequencies above 0 Hz")
    if speaker not in _F4_HZ:
        raise ParameterError(f"speaker={speaker!r} is none of {' '.join(_F4_HZ)}")
    scaled = [formant_scale * formant for formant in own]
    fourth_hz = formant_scale * _F4_HZ[speaker]
    wave = harmonic_sum(
        f0,
        lambda f, _: voice_response(f, scaled, fourth_hz=fourth_hz),
        sample_rate=sample_rate,
        high_hz=_HIGHEST_HZ,
    )
    return to_rms(wave, level_dbfs) * ramp_gains(n_samples, ramp_s, sample_rate).astype(np.float32)
