"""Speech in noise and simultaneous talkers, from recordings not used in training.

Readers are the five dev readers of LibriSpeech, noises all dev recordings that are neither speech
nor music: ambiences, ESC-50 of the test folds, effects. A mixture is determined by (SEED, its
number). It lasts 6 s or as long as requested, at 16 kHz; a shorter noise is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from hear_scenes import SAMPLE_RATE, Deck, by_label
from numpy.typing import NDArray

from echoic.training.data import Clip, load_clips

SEED = 2003
DURATION_S = 6.0
SNRS_DB = (-5.0, 0.0, 5.0, 10.0)
SPEECH_DBFS = -26.0
TALKERS_SNR_DB = 20.0
EXAMPLE_S = 5.0
Wave = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture and its two sources, (time,) each.

    Attributes:
        name: For reports: the recordings of talker and noise.
        voice: Of a talker.
        noise: Everything else.
        snr_db: SNR of the voice, from energies over the whole mixture.
    """

    name: str
    voice: Wave
    noise: Wave
    snr_db: float

    @property
    def wave(self) -> Wave:
        """The sum."""
        return self.voice + self.noise


def speech_in_noise(n_mixtures: int) -> Iterator[Mixture]:
    """One talker in one noise, cycling through the SNRs."""
    readers, noises = _recordings()
    decks = [
        Deck(len(own), np.random.default_rng([SEED, k])) for k, own in enumerate((readers, noises))
    ]
    for number in range(n_mixtures):
        rng = np.random.default_rng([SEED, 2, number])
        talker, clip = (
            own[deck.draw()[0]] for own, deck in zip((readers, noises), decks, strict=True)
        )
        voice = _filled(talker, rng, DURATION_S)
        noise = _filled(clip, rng, DURATION_S)
        snr_db = SNRS_DB[number % len(SNRS_DB)]
        noise = noise * np.float32(_rms(voice) / _rms(noise) * 10 ** (-snr_db / 20))
        yield Mixture(f"{talker.recording} in {clip.recording}", voice, noise, snr_db)


@dataclass(frozen=True, eq=False)
class Talkers:
    """Two simultaneous talkers in weak noise, (…, time) each.

    Attributes:
        name: For reports: the readers.
        voices: (2, time), of the talkers.
        noise: (time,), everything else.
        examples: One of each talker, from another utterance.
    """

    name: str
    voices: Wave
    noise: Wave
    examples: list[Wave]

    @property
    def wave(self) -> Wave:
        """The sum."""
        return self.voices.sum(axis=0) + self.noise


def two_talkers(n_scenes: int, *, duration_s: float = DURATION_S) -> Iterator[Talkers]:
    """Every pair of readers in turn, the second within 2.5 dB of the first, noise 20 dB below."""
    readers, noises = _recordings()
    by_reader: dict[str, list[Clip]] = {}
    for clip in readers:
        by_reader.setdefault(clip.file.split("/")[2], []).append(clip)
    pairs = [*combinations(sorted(by_reader), 2)]
    n_samples = round(duration_s * SAMPLE_RATE)
    for number in range(n_scenes):
        rng = np.random.default_rng([SEED, 3, number])
        pair = pairs[number % len(pairs)]
        voices, examples = [], []
        for reader in pair:
            example, *utterances = (by_reader[reader][k] for k in rng.permutation(10))
            examples.append(_filled(example, rng, EXAMPLE_S))
            spoken = np.concatenate([_level(clip.wave) for clip in utterances])
            voices.append(np.resize(spoken, n_samples))
        voices[1] = voices[1] * np.float32(10 ** (rng.uniform(-2.5, 2.5) / 20))
        noise = _filled(noises[int(rng.integers(len(noises)))], rng, duration_s)
        noise = noise * np.float32(10 ** (-TALKERS_SNR_DB / 20))
        yield Talkers(" and ".join(pair), np.stack(voices), noise, examples)


def _recordings() -> tuple[list[Clip], list[Clip]]:
    clips = by_label(load_clips("dev"), SAMPLE_RATE)
    readers = [clip for clip in clips["speech"] if clip.file.startswith("librispeech")]
    noises = [
        clip
        for label, own in sorted(clips.items())
        if label not in {"speech", "music"}
        for clip in own
    ]
    return readers, noises


def _filled(clip: Clip, rng: np.random.Generator, duration_s: float) -> Wave:
    """A section of a recording, from its first onset on, repeated if too short, at SPEECH_DBFS."""
    n_samples = round(duration_s * SAMPLE_RATE)
    wave = clip.wave[round(clip.spans_s[0][0] * SAMPLE_RATE) :]
    if wave.size > n_samples:
        start = int(rng.integers(wave.size - n_samples + 1))
        wave = wave[start : start + n_samples]
    return _level(np.resize(wave, n_samples))


def _level(wave: Wave) -> Wave:
    """Scale a wave to SPEECH_DBFS."""
    return wave * np.float32(10 ** (SPEECH_DBFS / 20) / max(_rms(wave), 1e-6))


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
