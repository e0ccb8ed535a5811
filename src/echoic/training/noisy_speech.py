"""Scenes of one or two talkers in noise, mixed on the fly, with their sources as the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from echoic.audio.levels import db_to_gain
from echoic.training.data import OTHER, Recordings, Wave
from echoic.training.mixing import MixedScene, MixingSettings, SceneMixer, some_noise, sum_of

SPEECH = "speech"


@dataclass(frozen=True)
class NoisySpeechSettings:
    """Distributions that scenes of speech in noise are drawn from; levels in dB.

    Attributes:
        n_talkers: Talkers in a scene, each a source of its own.
        shortest_crop: Shortest crop of an utterance, as a part of what fits the scene.
        talkers_spread_db: Largest gain or attenuation of the other talkers against the first.
        alone_probability: Probability that one of several talkers starts alone, as in an example
            of that voice, at another level than afterwards.
        alone: Range of the length of this start, as a part of the scene.
        alone_spread_db: Largest gain or attenuation of this start.
        snr_db: Range of the SNR of the loudest talker, from energies over the whole scene.
        quiet_probability: Probability of almost no noise: clean speech must pass.
        silent_probability: Probability of noise alone.
        n_noises: Probability of 1, 2 … noises.
        steady_probability: Probability that a noise is synthetic, coloured and perhaps modulated.
        lasting_probability: Probability that a recorded noise is looped to fill the scene.
        babble_probability: Probability that the noise is babble of other talkers.
        n_babblers: Number of talkers in babble.
    """

    n_talkers: int = 1
    shortest_crop: float = 0.5
    talkers_spread_db: float = 3.0
    alone_probability: float = 0.0
    alone: tuple[float, float] = (0.15, 0.5)
    alone_spread_db: float = 6.0
    snr_db: tuple[float, float] = (-8.0, 18.0)
    quiet_probability: float = 0.08
    silent_probability: float = 0.05
    n_noises: tuple[float, ...] = (0.6, 0.3, 0.1)
    steady_probability: float = 0.15
    lasting_probability: float = 0.6
    babble_probability: float = 0.05
    n_babblers: int = 6


class NoisySpeechMixer(SceneMixer):
    """Draw scenes of talkers and noise; each depends only on the random generator passed in.

    Every sound but speech serves as noise, whatever its label; half of the recorded noises have
    none.

    Args:
        recordings: Clips by label; "speech" and "other" among them.
        sample_rate: Hz, of the scenes.
        rooms: Impulse responses and their sample rates.
        settings: Distributions of the scenes.
        duration_s: Length of a scene.
    """

    def __init__(
        self,
        recordings: Recordings,
        *,
        sample_rate: int,
        rooms: Sequence[tuple[Wave, int]] = (),
        settings: NoisySpeechSettings | None = None,
        duration_s: float = 4.0,
    ) -> None:
        """Resample the impulse responses to the scene rate."""
        self.speaking = settings or NoisySpeechSettings()
        mixing = MixingSettings(
            duration_s=duration_s,
            shortest_crop=self.speaking.shortest_crop,
            repeat_probability=0.0,  # a second clip would be of another talker
        )
        super().__init__(recordings, sample_rate=sample_rate, rooms=rooms, settings=mixing)
        self.noises = [label for label in recordings.labels if label not in {SPEECH, OTHER}]

    def draw_speech(self, rng: np.random.Generator) -> MixedScene:
        """Draw a scene; its sources are "voice-1" …, and "other", the noise."""
        s = self.speaking
        voices = [self._place(SPEECH, 0.0, rng)[0] for _ in range(s.n_talkers)]
        voices[1:] = [
            voice * np.float32(db_to_gain(rng.uniform(-1, 1) * s.talkers_spread_db))
            for voice in voices[1:]
        ]
        if rng.random() < s.alone_probability:
            self.let_one_begin(voices, rng)
        noise = self._noise(rng)
        snr_db = rng.uniform(*s.snr_db)
        kind = rng.random()
        if kind < s.quiet_probability:
            snr_db = rng.uniform(30, 70)
        elif kind < s.quiet_probability + s.silent_probability:
            voices = [np.zeros_like(voice) for voice in voices]
        else:
            noise = self._colour(noise, rng)[: self.n_samples]
        speech_power = max(float(np.mean(np.square(voice))) for voice in voices) or 1.0
        noise_power = float(np.mean(np.square(noise))) or 1.0
        noise = noise * np.float32(np.sqrt(speech_power / noise_power) * db_to_gain(-snr_db))
        sources = {f"voice-{k + 1}": voice for k, voice in enumerate(voices)} | {OTHER: noise}
        return self._finish(MixedScene(sources, {}, self.sample_rate), rng)

    def let_one_begin(self, voices: list[Wave], rng: np.random.Generator) -> None:
        """Mute all voices but one at the start, in place; they keep at least half their energy."""
        s = self.speaking
        one = int(rng.integers(len(voices)))
        n_alone = int(rng.uniform(*s.alone) * self.n_samples)
        for voice in [voice for k, voice in enumerate(voices) if k != one]:
            energy = np.cumsum(np.square(voice))
            n_alone = min(n_alone, int(np.searchsorted(energy, energy[-1] / 2)))
        for k, voice in enumerate(voices):
            gain_db = rng.uniform(-1, 1) * s.alone_spread_db if k == one else -np.inf
            voice[:n_alone] *= np.float32(db_to_gain(gain_db))
            self._fade(voice[:n_alone], False, True, rng)
            self._fade(voice[n_alone:], True, False, rng)

    def _noise(self, rng: np.random.Generator) -> Wave:
        """Draw babble, or a sum of noises at levels that differ by a few dB."""
        s = self.speaking
        if rng.random() < s.babble_probability:
            return sum_of([self._place(SPEECH, 0.0, rng)[0] for _ in range(s.n_babblers)])
        noise = np.zeros(self.n_samples, np.float32)
        for _ in range(1 + int(rng.choice(len(s.n_noises), p=s.n_noises))):
            one = self._one_noise(rng)
            rms = float(np.sqrt(np.mean(np.square(one))))
            noise += one * np.float32(db_to_gain(self._spread(rng)) / max(rms, 1e-6))
        return noise

    def _one_noise(self, rng: np.random.Generator) -> Wave:
        s = self.speaking
        if rng.random() < s.steady_probability:
            return some_noise(self.settings.duration_s, self.sample_rate, rng)
        label = OTHER if rng.random() < 0.5 else str(rng.choice(self.noises))
        if rng.random() >= s.lasting_probability:
            return self._place(label, 0.0, rng)[0]
        wave, _ = self._vary(self.recordings.draw(label, rng), rng)
        return np.resize(np.roll(wave, -int(rng.integers(wave.size))), self.n_samples)
