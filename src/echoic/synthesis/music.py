"""Simple music by synthesis: plucked strings, pads, bass and drums over a chord progression.

Meant to be unmistakably music to a listener, not to be beautiful: a steady beat, one key,
a melody from the chords, a loop of four chords.
"""

from __future__ import annotations

import numpy as np

from echoic.checks import check_finite, check_generator, check_positive
from echoic.errors import ParameterError
from echoic.synthesis.dsp import (
    Floats,
    Wave,
    add_at,
    check_below_nyquist,
    convolved,
    count_samples,
    noise_band,
    ramp_gains,
    ringing,
    to_peak,
    to_rms,
)
from echoic.synthesis.room import room_response

_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3))  # degrees, from 0
_SCALE = (0, 2, 4, 5, 7, 9, 11)  # major, in semitones


def note_hz(degree: int, key_hz: float) -> float:
    """Return the frequency of a degree of the major scale; 0 is the key note, 7 its octave.

    Args:
        degree: Steps of the scale; may be negative.
        key_hz: Frequency of the key note.
    Example:
        >>> note_hz(7, 220.0)
        440.0
    """
    octave, step = divmod(degree, 7)
    return float(key_hz * 2 ** (octave + _SCALE[step] / 12))


def pluck(
    frequency_hz: float,
    duration_s: float,
    *,
    sample_rate: float,
    brightness: float = 1.0,
    peak_dbfs: float = -6.0,
) -> Wave:
    """Make a plucked string: harmonics that start together, the higher ones decaying faster.

    Args:
        frequency_hz: Fundamental, below sample_rate / 2.
        duration_s: Length.
        sample_rate: Hz.
        brightness: 0.5 is a nylon bass, 1 a guitar, 2 a harpsichord.
        peak_dbfs: Largest magnitude.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> pluck(220, 0.5, sample_rate=16000).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_below_nyquist(sample_rate, frequency_hz=frequency_hz)
    check_positive(brightness=brightness)
    out = np.zeros(n_samples)
    for number in range(1, max(1, min(40, int(10000 / frequency_hz))) + 1):
        gain = np.sin(np.pi * number * 0.22) * number ** -(0.6 + 0.6 / brightness)
        stretch = np.sqrt(1 + 0.00012 * number**2)  # stiffness of the string
        decay_s = 1.1 * (200.0 / frequency_hz) ** 0.4 / (1 + 0.35 * number / brightness)
        mode = ringing(
            number * stretch * frequency_hz, decay_s, sample_rate=sample_rate, n_most=n_samples
        )
        add_at(out, gain * mode, 0)
    ramp_s = min(0.002, duration_s / 4)
    return to_peak(out * ramp_gains(n_samples, ramp_s, sample_rate), peak_dbfs)


def _pad(frequencies_hz: list[float], n_samples: int, sample_rate: float) -> Floats:
    """Return a soft chord: two detuned voices for every note, few harmonics."""
    at = np.arange(n_samples) / sample_rate
    out = np.zeros(n_samples)
    for frequency in frequencies_hz:
        for detune in (0.997, 1.003):
            for number in range(1, 7):
                angle = 2 * np.pi * number * detune * frequency * at
                out += np.sin(angle + 7.0 * detune * number) / number**1.4
    attack = np.minimum(1, at / 0.15) * np.minimum(1, (at[-1] - at + 1e-3) / 0.2)
    return out * attack / len(frequencies_hz)


def _drums(sample_rate: float, rng: np.random.Generator) -> dict[str, Floats]:
    """Return one kick, one snare and one hi-hat."""
    at = np.arange(round(0.3 * sample_rate)) / sample_rate
    fall = 48 * at + 110 * 0.03 * (1 - np.exp(-at / 0.03))  # phase of a falling tone, in cycles
    kick = np.sin(2 * np.pi * fall) * np.exp(-at / 0.1)
    rattle = noise_band(len(at), 1200, 8000, sample_rate=sample_rate, rng=rng, order=1)
    snare = 0.25 * rattle * np.exp(-at / 0.06) + 0.5 * np.sin(2 * np.pi * 190 * at) * np.exp(
        -at / 0.05
    )
    metal = noise_band(len(at), 6500, 16000, sample_rate=sample_rate, rng=rng, order=3)
    return {"kick": kick, "snare": snare, "hat": 0.12 * metal * np.exp(-at / 0.03)}


def _add_drums(out: Floats, beat_s: float, sample_rate: float, rng: np.random.Generator) -> None:
    kit = _drums(sample_rate, rng)
    pattern = {"kick": (0, 4, 5), "snare": (2, 6), "hat": tuple(range(8))}  # in half beats
    n_bars = int(np.ceil(len(out) / sample_rate / (4 * beat_s)))
    for bar in range(n_bars):
        for name, halves in pattern.items():
            for half in halves:
                start = round((bar * 4 + half / 2) * beat_s * sample_rate)
                add_at(out, rng.uniform(0.75, 1.0) * 0.55 * kit[name], start)


def _add_bar(
    out: Floats,
    bar: int,
    degree: int,
    *,
    key_hz: float,
    beat_s: float,
    sample_rate: float,
    rng: np.random.Generator,
) -> None:
    """Add one bar: pad, bass, a broken chord in half beats and a melody over it."""
    start_s = bar * 4 * beat_s

    def play(at_beats: float, wave: Floats) -> None:
        add_at(out, wave, round((start_s + at_beats * beat_s) * sample_rate))

    def string(note: int, beats: float, gain: float, brightness: float) -> Floats:
        hz = note_hz(note, key_hz)
        wave = pluck(hz, beats * beat_s, sample_rate=sample_rate, brightness=brightness)
        return gain * wave.astype(np.float64)

    chord = [note_hz(degree + step, key_hz) for step in (0, 2, 4)]
    play(0, 0.10 * _pad(chord, round(4 * beat_s * sample_rate), sample_rate))
    for beat in (0.0, 1.5, 2.0, 3.5):
        play(beat, string(degree - 7, 1.5, 0.8, 0.5))
    for half, step in enumerate((0, 2, 4, 7, 4, 2, 4, 2)):
        play(half / 2, string(degree + step, 1.5, 0.4, 1.0))
    for beat in range(4):
        if rng.random() < 0.8:
            step = int(rng.choice((0, 2, 4, 5, 7)))
            play(beat + 0.5 * (rng.random() < 0.3), string(degree + 7 + step, 2.0, 0.5, 1.4))


def music(
    duration_s: float,
    *,
    sample_rate: float,
    rng: np.random.Generator,
    tempo_bpm: float = 108.0,
    drums: bool = True,
    level_dbfs: float = -20.0,
) -> Wave:
    """Make music for a small band: pad, bass, broken chords, melody and, if wanted, drums.

    Args:
        duration_s: Length.
        sample_rate: Hz.
        rng: Source of randomness: key, progression, melody.
        tempo_bpm: Beats a minute, 40 to 240.
        drums: Whether to add drums.
        level_dbfs: RMS.
    Shape:
        (time,), float32.
    Raises:
        ParameterError: a value is out of range.
    Example:
        >>> music(0.5, sample_rate=16000, rng=np.random.default_rng(0)).shape
        (8000,)
    """
    n_samples = count_samples(duration_s, sample_rate)
    check_generator(rng)
    check_finite(tempo_bpm=tempo_bpm)
    if not 40 <= tempo_bpm <= 240:
        raise ParameterError(f"tempo_bpm={tempo_bpm} is not within 40 to 240")
    beat_s = 60.0 / tempo_bpm
    key_hz = 130.81 * 2 ** (int(rng.integers(12)) / 12)
    progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    out = np.zeros(n_samples)
    for bar in range(int(np.ceil(duration_s / (4 * beat_s)))):
        degree = progression[bar % 4]
        _add_bar(out, bar, degree, key_hz=key_hz, beat_s=beat_s, sample_rate=sample_rate, rng=rng)
    if drums:
        _add_drums(out, beat_s, sample_rate, rng)
    hall = room_response(sample_rate=sample_rate, rng=rng, rt60_s=0.8, direct_to_reverberant_db=8)
    return to_rms(convolved(out, hall.astype(np.float64), n_samples), level_dbfs)
