"""Speech in noise, from recordings that no training has seen.

Readers are the five dev readers of LibriSpeech, noises every dev recording that is no speech and
no music: ambiences, ESC-50 of the measuring folds, effects. A mixture follows from (SEED, its
number) alone. It lasts 6 s, at 16 kHz; a noise that is shorter comes again until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hear_scenes import SAMPLE_RATE, Deck, by_label
from numpy.typing import NDArray

from echoic.training.data import Clip, load_clips

SEED = 2003
DURATION_S = 6.0
SNRS_DB = (-5.0, 0.0, 5.0, 10.0)
SPEECH_DBFS = -26.0
Wave = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mixture:
    """What is heard, and what it is the sum of; (time,) each.

    Attributes:
        name: For reports: who speaks, in what.
        voice: Of a talker.
        noise: The rest.
        snr_db: Of the voice over the noise, energies over the whole.
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
    """One talker in one noise, at each of the ratios in turn."""
    readers, noises = _recordings()
    decks = [
        Deck(len(own), np.random.default_rng([SEED, k])) for k, own in enumerate((readers, noises))
    ]
    for number in range(n_mixtures):
        rng = np.random.default_rng([SEED, 2, number])
        talker, clip = (
            own[deck.draw()[0]] for own, deck in zip((readers, noises), decks, strict=True)
        )
        voice = _filled(talker, rng)
        noise = _filled(clip, rng)
        snr_db = SNRS_DB[number % len(SNRS_DB)]
        noise = noise * np.float32(_rms(voice) / _rms(noise) * 10 ** (-snr_db / 20))
        yield Mixture(f"{talker.recording} in {clip.recording}", voice, noise, snr_db)


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


def _filled(clip: Clip, rng: np.random.Generator) -> Wave:
    """As much of a recording as a mixture lasts, from its first sound on, at the usual level."""
    n_samples = round(DURATION_S * SAMPLE_RATE)
    wave = clip.wave[round(clip.spans_s[0][0] * SAMPLE_RATE) :]
    if wave.size > n_samples:
        start = int(rng.integers(wave.size - n_samples + 1))
        wave = wave[start : start + n_samples]
    wave = np.resize(wave, n_samples)
    return wave * np.float32(10 ** (SPEECH_DBFS / 20) / max(_rms(wave), 1e-6))


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
