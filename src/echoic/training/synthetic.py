"""Synthesised clips besides the recordings: more variants of labelled and of other sounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from echoic import synthesis
from echoic.audio.levels import db_to_gain
from echoic.synthesis.dsp import add_at, contour, ringing, to_peak
from echoic.synthesis.syllables import Syllable, sing, string_together
from echoic.training.data import OTHER, SYNTHESISED, Clip, make_clip

SAMPLE_RATE = 16_000
Maker = Callable[[float, np.random.Generator], NDArray[np.float32]]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a log-uniform distribution."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _tone(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    frequency_hz = _between(rng, 80, 5000)
    return synthesis.tone(frequency_hz, duration_s * rng.uniform(0.05, 1), sample_rate=SAMPLE_RATE)


def _sweep(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    ends_hz = _between(rng, 80, 5000), _between(rng, 80, 5000)
    return synthesis.sweep(*ends_hz, duration_s * rng.uniform(0.1, 1), sample_rate=SAMPLE_RATE)


def _band_noise(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    low_hz = _between(rng, 60, 4000)
    high_hz = min(low_hz * _between(rng, 1.2, 8), 7900)
    return synthesis.band_noise(low_hz, high_hz, duration_s, sample_rate=SAMPLE_RATE, rng=rng)


def _pulsed_noise(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    rate_hz = _between(rng, 0.3, 60)
    depth = rng.uniform(0.3, 1)
    return synthesis.modulated_noise(
        duration_s, sample_rate=SAMPLE_RATE, rng=rng, rate_hz=rate_hz, depth=depth
    )


def _siren(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    kind: Literal["wail", "two-tone"] = "wail" if rng.random() < 0.5 else "two-tone"
    low_hz = _between(rng, 300, 900)
    return synthesis.siren(
        duration_s,
        sample_rate=SAMPLE_RATE,
        kind=kind,
        low_hz=low_hz,
        high_hz=low_hz * rng.uniform(1.2, 2.5),
        period_s=_between(rng, 0.3, 4),
    )


def _bell(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return synthesis.bell(_between(rng, 200, 3000), duration_s, sample_rate=SAMPLE_RATE)


def _engine(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return synthesis.engine(
        duration_s, sample_rate=SAMPLE_RATE, rng=rng, firing_hz=_between(rng, 12, 90)
    )


def _taps(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Knocks of a few kinds at more or less regular intervals."""
    n_samples = round(duration_s * SAMPLE_RATE)
    knocks = [_knock(rng) for _ in range(int(rng.integers(1, 5)))]
    rate_hz, looseness = _between(rng, 1, 14), rng.uniform(0.1, 1)
    out, at_s = np.zeros(n_samples), 0.0
    while at_s < duration_s:
        knock = knocks[int(rng.integers(len(knocks)))]
        add_at(out, knock * db_to_gain(rng.normal(0, 4)), round(at_s * SAMPLE_RATE))
        at_s += ((1 - looseness) + looseness * rng.exponential()) / rate_hz
    return to_peak(out, -6.0)


def _knock(rng: np.random.Generator) -> NDArray[np.float64]:
    """A burst of noise that excites a few resonances."""
    low_hz, decay_s = _between(rng, 80, 2500), _between(rng, 0.002, 0.06)
    n_samples = round(7 * decay_s * SAMPLE_RATE)
    fading = np.exp(-np.arange(n_samples) / SAMPLE_RATE / decay_s)
    knock = rng.uniform(0, 1) * rng.standard_normal(n_samples) * fading**3
    for _ in range(int(rng.integers(1, 7))):
        mode = ringing(low_hz * _between(rng, 1, 6), decay_s, sample_rate=SAMPLE_RATE)
        add_at(knock, rng.uniform(0.2, 1) * mode, 0)
    return knock


def _calls(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Invented animal-like calls: one syllable repeated, or several in turn."""
    f0_hz, tract_hz = _between(rng, 60, 3500), _between(rng, 300, 2500)
    makes = [_made_up_syllable(f0_hz, tract_hz, rng) for _ in range(int(rng.integers(1, 4)))]
    gap_s, calls, at_s = _between(rng, 0.02, 1.0), list[tuple[float, NDArray[np.float64]]](), 0.0
    while at_s < duration_s and len(calls) < 24:
        syllable = makes[len(calls) % len(makes)]
        calls.append((at_s, sing(syllable, sample_rate=SAMPLE_RATE, rng=rng)))
        at_s += syllable.duration_s + gap_s * rng.uniform(0.7, 1.4)
    return string_together(calls, SAMPLE_RATE, -6.0)


def _made_up_syllable(f0_hz: float, tract_hz: float, rng: np.random.Generator) -> Syllable:
    turns = np.sort(rng.uniform(0, 1, int(rng.integers(0, 3))))
    places = [0.0, *turns.tolist(), 1.0]
    peak = rng.uniform(0.05, 0.8)
    return Syllable(
        _between(rng, 0.04, 1.2),
        [(place, f0_hz * 2 ** rng.uniform(-0.7, 0.7)) for place in places],
        [(0.0, 0.0), (peak, 1.0), (min(peak + rng.uniform(0.1, 0.5), 0.95), 0.5), (1.0, 0.0)],
        [tract_hz * _between(rng, 1, 1.5) * k for k in (1.0, 1.9, 3.1)],
        width=rng.uniform(0.15, 0.6),
        tilt=rng.uniform(0, 2),
        noise=_between(rng, 0.02, 1.5),
        jitter=_between(rng, 0.002, 0.05),
        rough=rng.uniform(0, 0.5),
    )


def _drone(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Bands of noise and a hum, with a slowly varying level."""
    parts = [
        _pulsed_noise(duration_s, rng) if rng.random() < 0.4 else _band_noise(duration_s, rng)
        for _ in range(int(rng.integers(1, 4)))
    ]
    out = np.sum([part * rng.uniform(0.2, 1) for part in parts], axis=0)
    t = np.arange(out.size) / SAMPLE_RATE
    hum_hz, level = _between(rng, 40, 400), rng.uniform(0, 0.6) * np.sqrt(np.mean(out**2))
    for k in range(1, int(rng.integers(2, 12))):
        out += (
            level / k ** rng.uniform(0.3, 1.5) * np.sin(2 * np.pi * (k * hum_hz * t + rng.random()))
        )
    swell = contour([(x, rng.uniform(0.1, 1)) for x in np.linspace(0, 1, 4)], out.size)
    return to_peak(out * swell, -6.0)


def _lasting(name: str) -> Maker:
    return lambda duration_s, rng: getattr(synthesis, name)(
        duration_s, sample_rate=SAMPLE_RATE, rng=rng
    )


MAKERS: dict[str, tuple[Maker, ...]] = {
    "dog_bark": (
        lambda _s, rng: synthesis.dog_bark(
            int(rng.integers(1, 5)), sample_rate=SAMPLE_RATE, rng=rng, size=rng.uniform(0.3, 1.6)
        ),
    ),
    "rain": (_lasting("rain"),),
    "sea_waves": (_lasting("sea_waves"),),
    "baby_cry": (_lasting("baby_cry"),),
    "clock_tick": (_lasting("clock_tick"),),
    "person_sneeze": (lambda _s, rng: synthesis.sneeze(sample_rate=SAMPLE_RATE, rng=rng),),
    "helicopter": (
        lambda duration_s, rng: synthesis.helicopter(
            duration_s, sample_rate=SAMPLE_RATE, rng=rng, blades_hz=_between(rng, 8, 24)
        ),
    ),
    "chainsaw": (_lasting("chainsaw"),),
    "rooster": (lambda _s, rng: synthesis.rooster(sample_rate=SAMPLE_RATE, rng=rng),),
    "fire_crackling": (_lasting("fire"),),
    "siren": (_siren,),
    "church_bells": (_bell,),
    "engine": (_engine,),
    "wind": (_lasting("wind"),),
    OTHER: (_taps, _calls, _drone, _tone, _sweep, _band_noise, _pulsed_noise, _taps, _drone),
}


def synthesise(*, n_clips: int, n_other: int, seed: int) -> list[Clip]:
    """Make clips of every label that can be synthesised, and of other sounds, at 16 kHz.

    Args:
        n_clips: Number of clips per label.
        n_other: Number of clips of other sounds.
        seed: Random seed.
    """
    made = []
    for place, (label, makers) in enumerate(MAKERS.items()):
        for index in range(n_other if label == OTHER else n_clips):
            rng = np.random.default_rng((seed, place, index))
            wave = makers[index % len(makers)](float(rng.uniform(3, 6)), rng)
            made.append(make_clip(f"{SYNTHESISED}{label}-{index}x", label, wave, SAMPLE_RATE))
    return [clip for clip in made if clip is not None]
