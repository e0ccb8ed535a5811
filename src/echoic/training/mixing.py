"""Scenes mixed on the fly: clips varied, placed and added, with the truth kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from echoic.labels import LABELS
from echoic.training.data import OTHER, SAMPLE_RATE, Clip


@dataclass(frozen=True)
class MixingSettings:
    """How training scenes are drawn; levels in dB, times in seconds."""

    duration_s: float = 8.0
    # Probability of 0, 1, 2 … labelled sounds in a scene.
    n_sounds: tuple[float, ...] = (0.08, 0.17, 0.28, 0.27, 0.2)
    sound_spread_db: float = 8.0
    background_probability: float = 0.6
    background_db: tuple[float, float] = (-35.0, -6.0)
    foreground_other_probability: float = 0.25
    crop_probability: float = 0.5
    speed_probability: float = 0.8
    max_speed_octaves: float = 0.4
    colour_db: float = 9.0
    room_probability: float = 0.3
    # An utterance fills seconds, a sneeze half of one: short sounds may come again,
    # from another recording.
    repeat_probability: float = 0.5
    scene_dbfs: tuple[float, float] = (-45.0, -12.0)


@dataclass(frozen=True, eq=False)
class MixedScene:
    """Sources that add up to the scene; at most one a label.

    Attributes:
        sources: label (or "other") -> (time,) float32.
        spans_s: label -> (onset, offset) pairs.
    """

    sources: dict[str, NDArray[np.float32]]
    spans_s: dict[str, list[tuple[float, float]]]

    @property
    def mixture(self) -> NDArray[np.float32]:
        """The sum of all sources, (time,)."""
        return np.sum(list(self.sources.values()), axis=0, dtype=np.float32)


def coloured_noise(n_samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise with a random slope, sometimes slowly modulated, RMS 1."""
    spectrum = rng.standard_normal(n_samples // 2 + 1) + 1j * rng.standard_normal(
        n_samples // 2 + 1
    )
    frequency = np.arange(spectrum.size) / spectrum.size
    spectrum *= (frequency + 0.003) ** (-rng.uniform(-0.2, 1.3))
    wave = np.fft.irfft(spectrum, n_samples)
    if rng.random() < 0.3:
        t = np.arange(n_samples) / SAMPLE_RATE
        depth, rate_hz = rng.uniform(0, 0.9), np.exp(rng.uniform(np.log(0.1), np.log(20)))
        wave *= 1 + depth * np.sin(2 * np.pi * (rate_hz * t + rng.random()))
    return (wave / np.sqrt(np.mean(wave**2))).astype(np.float32)


class SceneMixer:
    """Draw endless scenes from clips; the generator handed in decides everything."""

    def __init__(
        self, clips: Mapping[str, Sequence[Clip]], settings: MixingSettings | None = None
    ) -> None:
        """Keep the clips by label."""
        self.clips = clips
        self.settings = settings or MixingSettings()
        self.n_samples = round(self.settings.duration_s * SAMPLE_RATE)

    def draw(self, rng: np.random.Generator) -> MixedScene:
        """One scene."""
        s = self.settings
        n_sounds = rng.choice(len(s.n_sounds), p=s.n_sounds)
        labels = rng.choice(len(LABELS), size=n_sounds, replace=False)
        sources: dict[str, NDArray[np.float32]] = {}
        spans: dict[str, list[tuple[float, float]]] = {}
        for label in (LABELS[i] for i in labels):
            gain_db = rng.uniform(-s.sound_spread_db, s.sound_spread_db)
            sources[label], spans[label] = self._place(label, gain_db, rng)
        other = np.zeros(self.n_samples, np.float32)
        if rng.random() < s.background_probability:
            other += self._background(rng.uniform(*s.background_db), rng)
        if rng.random() < s.foreground_other_probability or not labels.size:
            gain_db = rng.uniform(-s.sound_spread_db, s.sound_spread_db)
            other += self._place(OTHER, gain_db, rng)[0]
        sources[OTHER] = other
        return self._level(MixedScene(sources, spans), rng)

    def _pick(self, label: str, rng: np.random.Generator) -> Clip:
        clips = self.clips[label]
        return clips[int(rng.integers(len(clips)))]

    def _level(self, scene: MixedScene, rng: np.random.Generator) -> MixedScene:
        rms = float(np.sqrt(np.mean(np.square(scene.mixture))))
        gain = np.float32(10 ** (rng.uniform(*self.settings.scene_dbfs) / 20) / max(rms, 1e-6))
        for source in scene.sources.values():
            source *= gain
        return scene

    def _background(self, gain_db: float, rng: np.random.Generator) -> NDArray[np.float32]:
        gain = np.float32(10 ** (gain_db / 20))
        if rng.random() < 0.5:
            return gain * coloured_noise(self.n_samples, rng)
        clip = self._pick(OTHER, rng)
        start = rng.integers(clip.wave.size)
        return (
            gain
            / clip.level_rms
            * np.take(clip.wave, np.arange(start, start + self.n_samples), mode="wrap")
        )

    def _place(
        self, label: str, gain_db: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
        """Vary a clip and lay it into an empty scene; if it is short, perhaps another one too."""
        s = self.settings
        out = np.zeros(self.n_samples, np.float32)
        spans: list[tuple[float, float]] = []
        while True:
            clip = self._pick(label, rng)
            wave, clip_spans = self._vary(clip, rng)
            wave = wave * np.float32(10 ** (gain_db / 20) / clip.level_rms)
            latest = self.n_samples - min(wave.size, self.n_samples // 2)
            onset = int(rng.integers(-wave.size // 4, max(latest, 1)))
            skipped = max(0, -onset)
            if skipped:
                wave, onset = wave[skipped:], 0
            wave = wave[: self.n_samples - onset]
            out[onset : onset + wave.size] += wave
            for on, off in clip_spans:
                on_s = max((on * SAMPLE_RATE - skipped + onset) / SAMPLE_RATE, onset / SAMPLE_RATE)
                off_s = min((off * SAMPLE_RATE - skipped + onset) / SAMPLE_RATE, s.duration_s)
                if off_s > on_s:
                    spans.append((on_s, off_s))
            sounding_s = sum(off - on for on, off in clip_spans)
            if sounding_s > 2.0 or rng.random() > s.repeat_probability:
                break
        return out, sorted(spans)

    def _vary(
        self, clip: Clip, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
        """Crop, change the speed, colour and put into a room."""
        s = self.settings
        wave, start = clip.wave, 0
        longest = min(wave.size, self.n_samples)
        if wave.size > longest or (wave.size > SAMPLE_RATE and rng.random() < s.crop_probability):
            length = int(rng.integers(longest // 3, longest + 1))
            start = int(rng.integers(wave.size - length + 1))
            wave = wave[start : start + length]
        speed = 1.0
        if rng.random() < s.speed_probability:
            speed = 2 ** rng.uniform(-s.max_speed_octaves, s.max_speed_octaves)
            wave = soxr.resample(wave, SAMPLE_RATE * speed, SAMPLE_RATE, quality="LQ")
        wave = self._colour(wave, rng)
        duration_s, start_s = wave.size / SAMPLE_RATE, start / SAMPLE_RATE
        spans = [
            (max((on - start_s) / speed, 0.0), min((off - start_s) / speed, duration_s))
            for on, off in clip.spans_s
        ]
        return wave, [(on, off) for on, off in spans if off > on]

    def _colour(self, wave: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """A random smooth equaliser and, sometimes, a room, in one pass over the spectrum."""
        s = self.settings
        room = rng.random() < s.room_probability
        n_tail = SAMPLE_RATE // 2 if room else 256
        n_fft = 1 << (wave.size + n_tail - 1).bit_length()
        octaves = np.log2(np.maximum(np.arange(n_fft // 2 + 1) / n_fft * SAMPLE_RATE, 30) / 30)
        knots = rng.uniform(-s.colour_db, s.colour_db, 7)
        spectrum = np.fft.rfft(wave, n_fft) * 10 ** (
            np.interp(octaves, np.arange(7) * 1.35, knots) / 20
        )
        if room:
            t = np.arange(n_tail) / SAMPLE_RATE
            tail = rng.standard_normal(n_tail) * 10 ** (-3 * t / rng.uniform(0.15, 0.8))
            tail *= 10 ** (-rng.uniform(0, 15) / 20) / np.sqrt(np.sum(tail**2))
            tail[0] = 1.0
            spectrum *= np.fft.rfft(tail, n_fft)
        return np.fft.irfft(spectrum, n_fft)[: wave.size].astype(np.float32)
