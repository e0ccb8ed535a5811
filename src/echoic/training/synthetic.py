"""Synthesised clips beside the recorded ones: more kinds of the same sounds, and of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from echoic import synthesis
from echoic.training.data import OTHER, SAMPLE_RATE, Clip, make_clip

Maker = Callable[[float, np.random.Generator], NDArray[np.float32]]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform."""
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
    OTHER: (_tone, _sweep, _band_noise, _pulsed_noise, _siren, _bell, _engine, _lasting("wind")),
}


def synthesise(*, n_clips: int, seed: int) -> dict[str, list[Clip]]:
    """Make clips of every label that can be synthesised, and of other sounds.

    Args:
        n_clips: A label; of other sounds three times as many.
        seed: Of everything.
    """
    made: dict[str, list[Clip]] = {}
    for place, (label, makers) in enumerate(MAKERS.items()):
        clips = []
        for index in range(3 * n_clips if label == OTHER else n_clips):
            rng = np.random.default_rng((seed, place, index))
            wave = makers[index % len(makers)](float(rng.uniform(3, 6)), rng)
            clips.append(make_clip(f"synthetic/{label}-{index}", label, wave))
        made[label] = [clip for clip in clips if clip is not None]
    return made
