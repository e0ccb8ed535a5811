"""Soundscapes with ground truth: a mixture of clips, its stems and its events.

A scene is a sum of clips and keeps its parts: one reference stem for every label, a background,
and the true events, measured on each clip alone (see `activity`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from echoic.audio.activity import active_level_dbfs, active_spans
from echoic.audio.levels import db_to_gain
from echoic.checks import check_floats, check_whole
from echoic.errors import ParameterError
from echoic.events import BRIDGE_S, Event
from echoic.synthesis.dsp import Wave, count_samples


@dataclass(frozen=True, eq=False)
class Clip:
    """One sound, with its onset and gain in a scene.

    Attributes:
        wave: (time,) or (channel, time), float32; mono goes into every channel of the scene.
        label: Class of the sound; None adds it to the background, which has no events.
        onset_s: Time of its first sample, at least 0 s.
        gain_db: Gain on the wave as it is, or on top of `snr_db`.
        snr_db: If given, level re the first clip of the scene, both measured as RMS over the
            active spans; ignored on the first clip itself.
    """

    wave: NDArray[np.float32]
    label: str | None
    onset_s: float = 0.0
    gain_db: float = 0.0
    snr_db: float | None = None


@dataclass(frozen=True, eq=False)
class Soundscape:
    """A mixture and its ground truth.

    Attributes:
        mixture: (time,) or (channel, time), float32: the sum of `references` and `background`,
            to float32 rounding. It may exceed full scale.
        references: One stem for every label, each of the shape of the mixture.
        background: The sum of all unlabelled sound, of the shape of the mixture.
        events: True events, in order of onset.
        sample_rate: Hz.
    """

    mixture: Wave
    references: dict[str, Wave]
    background: Wave
    events: tuple[Event, ...]
    sample_rate: float = field(kw_only=True)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.mixture.shape[-1] / self.sample_rate


def bridged(spans: Sequence[tuple[float, float]], bridge_s: float) -> list[tuple[float, float]]:
    """Merge spans that overlap or lie less than bridge_s apart.

    Args:
        spans: (onset, offset) in any order, in seconds.
        bridge_s: Gaps below this are bridged.
    Example:
        >>> bridged([(2.0, 3.0), (0.0, 1.0), (3.2, 4.0)], 0.4)
        [(0.0, 1.0), (2.0, 4.0)]
    """
    merged: list[tuple[float, float]] = []
    for onset, offset in sorted(spans):
        if merged and onset - merged[-1][1] < bridge_s:
            merged[-1] = (merged[-1][0], max(offset, merged[-1][1]))
        else:
            merged.append((onset, offset))
    return merged


def _placed(clip: Clip, sample_rate: float, n_samples: int) -> tuple[int, NDArray[np.float32]]:
    """Return the first sample of a clip in the scene, and the part of it that fits."""
    wave = np.asarray(clip.wave, np.float32)
    start = round(clip.onset_s * sample_rate)
    if not 0 <= start < n_samples:
        scene_s = n_samples / sample_rate
        raise ParameterError(f"onset_s={clip.onset_s} is not within the scene of {scene_s} s")
    return start, wave[..., : n_samples - start]


def _gains_db(clips: Sequence[Clip], sample_rate: float) -> list[float]:
    """Return the gain of every clip in dB, including that which sets its `snr_db`."""
    gains_db = [clip.gain_db for clip in clips]
    if all(clip.snr_db is None for clip in clips[1:]):
        return gains_db
    anchor_dbfs = clips[0].gain_db + active_level_dbfs(clips[0].wave, sample_rate=sample_rate)
    for number, clip in enumerate(clips[1:], start=1):
        if clip.snr_db is not None:
            own_dbfs = active_level_dbfs(clip.wave, sample_rate=sample_rate)
            gains_db[number] += anchor_dbfs + clip.snr_db - own_dbfs
    return gains_db


def _shape(clips: Sequence[Clip], background: Wave | None, n_samples: int) -> tuple[int, ...]:
    """Return the shape of the scene: as many channels as the clip with the most."""
    waves = [clip.wave for clip in clips] + ([] if background is None else [background])
    counts = {np.shape(wave)[0] for wave in waves if np.ndim(wave) == 2}
    if len(counts) > 1:
        raise ParameterError(f"clips have {sorted(counts)} channels; one count or mono, please")
    return (*counts, n_samples)


def _events(spans: dict[str, list[tuple[float, float]]]) -> tuple[Event, ...]:
    """Return the events of all labels, bridged within each label, in order of onset."""
    events = [
        Event(label, onset_s, offset_s)
        for label, own in spans.items()
        for onset_s, offset_s in bridged(own, BRIDGE_S)
    ]
    return tuple(sorted(events, key=lambda event: (event.onset_s, event.label)))


def compose(
    clips: Iterable[Clip],
    *,
    sample_rate: float,
    duration_s: float,
    background: NDArray[np.float32] | None = None,
) -> Soundscape:
    """Mix clips into a scene, with its stems and true events.

    Events are measured on every clip alone, at its own level, on the part that lies within the
    scene: quiet leading and trailing parts do not count. Clips of one label share a stem, and
    their events are bridged where less than 0.4 s apart.

    Args:
        clips: The sounds; the first is the reference of every `snr_db`.
        sample_rate: Hz, of all clips; nothing is resampled.
        duration_s: Length of the scene; clips are cut at its end.
        background: Further unlabelled sound, from the start; cut at the end of the scene.
    Shape:
        (time,) where everything is mono, else (channel, time).
    Raises:
        ParameterError: a clip lies outside of the scene, has another channel count, more
            channels than samples, as when its axes are exchanged, is silent where a level is
            needed, or is not finite floats.
    Example:
        >>> from echoic.synthesis import tone, white_noise
        >>> beep = Clip(tone(1000, 0.5, sample_rate=16000), "beep", onset_s=1.0)
        >>> hiss = white_noise(2.0, sample_rate=16000, rng=np.random.default_rng(0))
        >>> scene = compose([beep, Clip(hiss, None, snr_db=-20)], sample_rate=16000, duration_s=2)
        >>> scene.events
        (Event(label='beep', onset_s=1.0, offset_s=1.5, confidence=1.0),)
    """
    n_samples = count_samples(duration_s, sample_rate)
    clips = list(clips)
    sounds = [(f"clip {clip.label!r}", clip.wave) for clip in clips]
    if background is not None:
        sounds.append(("background", background))
    for name, sound in sounds:
        check_whole(check_floats(sound, name=name).shape, name=name)
    shape = _shape(clips, background, n_samples)
    rest = np.zeros(shape)
    if background is not None:
        rest[..., : np.shape(background)[-1]] += background[..., :n_samples]
    stems: dict[str, NDArray[np.float64]] = {}
    spans: dict[str, list[tuple[float, float]]] = {}
    for clip, gain_db in zip(clips, _gains_db(clips, sample_rate), strict=True):
        start, wave = _placed(clip, sample_rate, n_samples)
        stem = rest if clip.label is None else stems.setdefault(clip.label, np.zeros(shape))
        stem[..., start : start + wave.shape[-1]] += wave * db_to_gain(gain_db)
        if clip.label is not None:
            found = active_spans(wave, sample_rate=sample_rate, bridge_s=BRIDGE_S)
            moved = [(start / sample_rate + on, start / sample_rate + off) for on, off in found]
            spans.setdefault(clip.label, []).extend(moved)
    mixture = sum(stems.values(), rest)
    if not np.all(np.isfinite(mixture)):
        raise ParameterError("a clip or the background holds values that are not finite")
    return Soundscape(
        mixture.astype(np.float32),
        {label: stem.astype(np.float32) for label, stem in stems.items()},
        rest.astype(np.float32),
        _events(spans),
        sample_rate=sample_rate,
    )
