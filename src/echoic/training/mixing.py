"""Scenes mixed on the fly from augmented clips, with their sources and events as the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from echoic.audio.levels import db_to_gain
from echoic.synthesis.noises import coloured_noise
from echoic.synthesis.room import room_response
from echoic.training.data import OTHER, Clip, Recordings, Wave, is_changed

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class MixingSettings:
    """Distributions that training scenes are drawn from; levels in dB, times in seconds."""

    duration_s: float = 4.0
    # Probability of 0, 1, 2 … labelled sounds in a scene.
    n_sounds: tuple[float, ...] = (0.12, 0.18, 0.3, 0.25, 0.15)
    sound_spread_db: float = 8.0
    background_probability: float = 0.6
    background_db: tuple[float, float] = (-35.0, -6.0)
    foreground_other_probability: float = 0.35
    crop_probability: float = 0.4
    shortest_crop: float = 0.5  # as a part of what fits the scene
    onset_probability: float = 0.5  # that a crop begins at an onset
    # Of a recording before its first and after its last sound, up to this much is used.
    longest_margin_s: float = 0.5
    speed_probability: float = 0.8
    max_speed_octaves: float = 0.4
    # Sounds without label are of unlimited kinds: they are varied further, and reversed.
    max_other_speed_octaves: float = 1.0
    reversed_other_probability: float = 0.3
    colour_db: float = 8.0
    room_probability: float = 0.3
    # Some recordings end at 4 kHz: any clip may, or the bandwidth would reveal the label.
    narrow_probability: float = 0.08
    narrow_hz: tuple[float, float] = (3300.0, 7000.0)
    # An utterance lasts seconds, a sneeze half of one: short sounds may be repeated,
    # from another recording.
    repeat_probability: float = 0.5
    # Files end, and are processed as if silence followed.
    silent_end_probability: float = 0.15
    scene_dbfs: tuple[float, float] = (-45.0, -12.0)


@dataclass(frozen=True, eq=False)
class MixedScene:
    """Sources that add up to the scene; at most one per label.

    Attributes:
        sources: label (or "other") -> (time,) float32.
        spans_s: label -> (onset, offset) pairs.
        sample_rate: Hz.
    """

    sources: dict[str, Wave]
    spans_s: dict[str, Spans]
    sample_rate: int

    @property
    def mixture(self) -> Wave:
        """The sum of all sources, (time,)."""
        return sum_of(self.sources.values())


def sum_of(arrays: Iterable[Wave]) -> Wave:
    """The sum of arrays of one shape; `np.sum` over a list of them copies it first."""
    first, *others = arrays
    total = first.copy()
    for other in others:
        total += other
    return total


def some_noise(duration_s: float, sample_rate: int, rng: np.random.Generator) -> Wave:
    """Noise with a random spectral slope, sometimes slowly modulated, RMS 1."""
    slope = rng.uniform(-8.0, 1.0)
    noise = coloured_noise(
        duration_s, sample_rate=sample_rate, rng=rng, slope_db_per_octave=slope, level_dbfs=0.0
    )
    if rng.random() < 0.3:
        t = np.arange(noise.size, dtype=np.float32) / sample_rate
        depth, rate_hz = rng.uniform(0, 0.9), np.exp(rng.uniform(np.log(0.1), np.log(20)))
        noise *= 1 + depth * np.sin(2 * np.pi * (rate_hz * t + rng.random()))
    return noise / np.sqrt(np.mean(noise**2))


def _of_unit_energy(response: Wave) -> Wave:
    """Normalise an impulse response to unit energy, so that white noise keeps its level."""
    return response / np.sqrt(np.sum(np.square(response)))


class SceneMixer:
    """Draw scenes from clips; each depends only on the random generator passed in.

    Args:
        recordings: Clips by label, "other" included.
        sample_rate: Hz, of the scenes. A clip is resampled from its own rate in the same
            step that varies its speed, so that slowing down keeps the top of the spectrum
            where the recording has it.
        rooms: Impulse responses and their sample rates.
        settings: Distributions of the scenes.
    """

    def __init__(
        self,
        recordings: Recordings,
        *,
        sample_rate: int,
        rooms: Sequence[tuple[Wave, int]] = (),
        settings: MixingSettings | None = None,
    ) -> None:
        """Resample the impulse responses to the scene rate, and normalise their energy."""
        self.recordings = recordings
        self.sample_rate = sample_rate
        self.settings = settings or MixingSettings()
        self.rooms = [
            _of_unit_energy(soxr.resample(room, rate, sample_rate)) for room, rate in rooms
        ]
        self.n_samples = round(self.settings.duration_s * sample_rate)

    def draw(self, labels: Sequence[str], rng: np.random.Generator) -> MixedScene:
        """Draw a scene of some of the labels, with unlabelled sounds and background noise."""
        s = self.settings
        n_sounds = min(int(rng.choice(len(s.n_sounds), p=s.n_sounds)), len(labels))
        sources: dict[str, Wave] = {}
        spans: dict[str, Spans] = {}
        for index in rng.choice(len(labels), size=n_sounds, replace=False):
            label = labels[index]
            sources[label], spans[label] = self._place(label, self._spread(rng), rng)
        other = np.zeros(self.n_samples, np.float32)
        if rng.random() < s.background_probability:
            other += self._background(rng.uniform(*s.background_db), rng)
        if rng.random() < s.foreground_other_probability or not n_sounds:
            other += self._place(OTHER, self._spread(rng), rng)[0]
        sources[OTHER] = other
        return self._finish(MixedScene(sources, spans, self.sample_rate), rng)

    def draw_alone(self, label: str, rng: np.random.Generator) -> MixedScene:
        """Draw a scene like a single clip: one sound, in half of them with some noise."""
        source, spans = self._place(label, 0.0, rng)
        other = np.zeros(self.n_samples, np.float32)
        if rng.random() < 0.5:
            other += self._background(rng.uniform(-45, -12), rng)
        scene = MixedScene({label: source, OTHER: other}, {label: spans}, self.sample_rate)
        return self._finish(scene, rng)

    def _spread(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(-1, 1) * self.settings.sound_spread_db)

    def _finish(self, scene: MixedScene, rng: np.random.Generator) -> MixedScene:
        """Scale the scene to a random level; end some scenes early."""
        s = self.settings
        rms = float(np.sqrt(np.mean(np.square(scene.mixture))))
        gain = np.float32(db_to_gain(rng.uniform(*s.scene_dbfs)) / max(rms, 1e-6))
        end_s = s.duration_s
        if rng.random() < s.silent_end_probability:
            end_s -= rng.uniform(0.3, 1.5)
        for source in scene.sources.values():
            source *= gain
            source[round(end_s * self.sample_rate) :] = 0
        spans = {
            label: [(on, min(off, end_s)) for on, off in own if on < end_s]
            for label, own in scene.spans_s.items()
        }
        return MixedScene(scene.sources, spans, self.sample_rate)

    def _background(self, gain_db: float, rng: np.random.Generator) -> Wave:
        s, gain = self.settings, np.float32(db_to_gain(gain_db))
        if rng.random() < 0.5:
            return gain * some_noise(s.duration_s, self.sample_rate, rng)
        clip = self.recordings.draw(OTHER, rng, changed=False)
        wave = np.resize(np.roll(clip.wave, -int(rng.integers(clip.wave.size))), self._length(clip))
        resampled = soxr.resample(wave, clip.sample_rate, self.sample_rate)
        return gain / np.float32(clip.level_rms) * np.resize(resampled, self.n_samples)

    def _length(self, clip: Clip) -> int:
        """Samples of a clip that fill a scene at normal speed."""
        return int(np.ceil(self.settings.duration_s * clip.sample_rate))

    def _place(self, label: str, gain_db: float, rng: np.random.Generator) -> tuple[Wave, Spans]:
        """Place an augmented clip in an empty scene; if it is short, perhaps others too."""
        s = self.settings
        out = np.zeros(self.n_samples, np.float32)
        spans: Spans = []
        while True:
            clip = self.recordings.draw(label, rng)
            wave, clip_spans = self._vary(clip, rng)
            wave = wave * np.float32(db_to_gain(gain_db) / clip.level_rms)
            # Most of a sound lies within the scene, but it may start before the scene.
            onset, offset = (
                round(at_s * self.sample_rate) for at_s in (clip_spans[0][0], clip_spans[-1][1])
            )
            half = self.n_samples // 2
            earliest = -(onset + (offset - onset) // 4)
            latest = self.n_samples - max(onset + min(offset - onset, half), min(wave.size, half))
            start = int(rng.integers(earliest, max(latest, earliest + 1)))
            wave = wave[max(0, -start) :][: self.n_samples - max(start, 0)]
            out[max(start, 0) : max(start, 0) + wave.size] += wave
            moved = [
                (on + start / self.sample_rate, off + start / self.sample_rate)
                for on, off in clip_spans
            ]
            spans += [
                (max(on, 0.0), min(off, s.duration_s))
                for on, off in moved
                if on < s.duration_s and off > 0
            ]
            sounding_s = sum(off - on for on, off in clip_spans)
            if sounding_s > 2.0 or rng.random() > s.repeat_probability:
                break
        return out, sorted(spans)

    def _vary(self, clip: Clip, rng: np.random.Generator) -> tuple[Wave, Spans]:
        """Crop a clip, change its speed and sample rate, colour it and apply a room."""
        s = self.settings
        speed = 1.0
        if rng.random() < s.speed_probability:
            # A further change of a clip that has been changed already could undo that.
            is_varied_further = clip.label == OTHER and not is_changed(clip.file)
            octaves = s.max_other_speed_octaves if is_varied_further else s.max_speed_octaves
            speed = 2 ** rng.uniform(-octaves, octaves)
        start, end = self._crop(clip, int(self._length(clip) * speed), rng)
        wave = clip.wave[start:end]
        start_s = start / clip.sample_rate
        is_cut = start > 0, end < clip.wave.size
        wave = soxr.resample(wave, clip.sample_rate * speed, self.sample_rate)
        self._fade(wave, *is_cut, rng)
        duration_s = wave.size / self.sample_rate
        spans = [
            (max((on - start_s) / speed, 0.0), min((off - start_s) / speed, duration_s))
            for on, off in clip.spans_s
        ]
        spans = [(on, off) for on, off in spans if off > on]
        if clip.label == OTHER and rng.random() < s.reversed_other_probability:
            wave = wave[::-1]
            spans = [(duration_s - off, duration_s - on) for on, off in spans[::-1]]
        return self._colour(wave, rng), spans

    def _crop(self, clip: Clip, longest: int, rng: np.random.Generator) -> tuple[int, int]:
        """Draw the first and the last sample (exclusive) of a piece of a clip that sounds.

        Args:
            clip: The clip.
            longest: The most samples that fit the scene.
            rng: Source of randomness.
        """
        s, rate = self.settings, clip.sample_rate
        before_s, after_s = rng.uniform(0, s.longest_margin_s, 2)
        first = max(0, int((clip.spans_s[0][0] - before_s) * rate))
        last = min(clip.wave.size, int(np.ceil((clip.spans_s[-1][1] + after_s) * rate)))
        size = last - first
        longest = min(longest, size)
        if size <= longest and (size <= rate or rng.random() >= s.crop_probability):
            return first, last
        length = int(rng.integers(int(s.shortest_crop * longest), longest + 1))
        onset_s, offset_s = clip.spans_s[int(rng.integers(len(clip.spans_s)))]
        if rng.random() < s.onset_probability:
            start = int((onset_s - rng.uniform(0, 0.1)) * rate)
        else:  # anywhere around a moment that sounds
            start = int(rng.uniform(onset_s, offset_s) * rate - rng.uniform(0.1, 0.9) * length)
        start = min(max(start, first), last - length)
        return start, start + length

    def _fade(self, wave: Wave, at_start: bool, at_end: bool, rng: np.random.Generator) -> None:
        """Fade the ends at which a recording was cropped, in place, over 5 to 50 ms."""
        for is_cut, own in ((at_start, wave), (at_end, wave[::-1])):
            n = min(int(rng.uniform(0.005, 0.05) * self.sample_rate), wave.size)
            if is_cut:
                own[:n] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n, dtype=np.float32) / max(n, 1))

    def _colour(self, wave: Wave, rng: np.random.Generator) -> Wave:
        """Apply a random smooth equaliser and, sometimes, a room or a low-pass, in one FFT.

        A room appends its decay, which may be cut where the scene ends.
        """
        s = self.settings
        room = self._room(rng) if rng.random() < s.room_probability else None
        n_out = wave.size if room is None else wave.size + room.size - 1
        n_fft = _good_size(max(n_out, wave.size + 255))
        octaves = _octaves(n_fft, self.sample_rate)
        knots = rng.uniform(-s.colour_db, s.colour_db, 8)
        gain_db = np.interp(octaves, np.arange(8) * 1.3, knots)
        if rng.random() < s.narrow_probability:
            corner = np.log2(rng.uniform(*s.narrow_hz) / 30)
            gain_db -= np.clip((octaves - corner) * 200, 0, 80)
        spectrum = np.fft.rfft(wave, n_fft) * db_to_gain(gain_db)
        if room is not None:
            spectrum *= np.fft.rfft(room, n_fft)
        return np.fft.irfft(spectrum, n_fft)[:n_out].astype(np.float32)

    def _room(self, rng: np.random.Generator) -> Wave:
        """The impulse response of a measured or of a synthesised room."""
        if self.rooms and rng.random() < 0.5:
            return self.rooms[int(rng.integers(len(self.rooms)))]
        response = room_response(
            sample_rate=self.sample_rate,
            rng=rng,
            rt60_s=rng.uniform(0.15, 0.8),
            predelay_s=rng.uniform(0.0, 0.02),
            direct_to_reverberant_db=rng.uniform(0, 15),
        )
        return _of_unit_energy(response)


def _good_size(n: int) -> int:
    """The smallest size from n on that is 2ᵏ or 3·2ᵏ, for a fast FFT."""
    power = 1 << (n - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= n else power


@lru_cache(maxsize=64)
def _octaves(n_fft: int, sample_rate: int) -> NDArray[np.float64]:
    """Octaves above 30 Hz of every bin."""
    octaves: NDArray[np.float64] = np.log2(
        np.maximum(np.arange(n_fft // 2 + 1) / n_fft * sample_rate, 30) / 30
    )
    return octaves
