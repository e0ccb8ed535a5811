"""Test scenes of `bench/hear.py`, with known ground truth, from recordings not used in training.

A scene is 10 s, at 16 kHz unless stated, with one to four sounds of different labels and nothing
else. The sources of its sounds, all from the `dev` split:

    the fifty of ESC-50   fold 4 of ESC-10, fold 5 of the others, and ambiences that hold the label
    speech                the five dev readers of LibriSpeech
    music                 the one dev piece, and FluidSynth pieces of a seed not used in training

Each sound is the active part of one recording, at most 10 s of it, with a short fade at both ends,
at a random position in the scene and at −30 dBFS ± 6 dB, RMS over its active spans. The ground
truth is measured on each recording by itself. Everything is determined by (SEED, number of the
scene): scene 7 is the same among 10 scenes and among 100.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic.audio import resample
from echoic.events import Event
from echoic.labels import LABELS
from echoic.training.data import OTHER, Clip, load_clips, load_files, make_clip
from echoic.training.music import render_collection

SAMPLE_RATE = 16_000
TWELVE = LABELS[:12]  # the ten of ESC-10, speech and music
TEN = LABELS[:10]
FIFTY = tuple(label for label in LABELS if label not in {"speech", "music"})
SCENE_S = 10.0
SCENES_A_MINUTE = 6
MAX_SOUNDS = 4
SEED = 4711
MUSIC_SEED, N_MUSIC_PIECES = 9001, 16  # training uses seed 20
MUSIC_FOLDER = Path(__file__).parents[1] / "runs" / "bench-music"
LEVEL_DBFS, SPREAD_DB = -30.0, 6.0
PEAK = 0.98  # a scene that would clip in a file is attenuated as a whole
FADE_S = 0.05
MIN_EXCERPT_S = 4.0  # longer than any pause: an excerpt is never silent


@dataclass(frozen=True, eq=False)
class Scene:
    """A mixture and its ground truth.

    Attributes:
        name: For reports.
        mixture: (time,) float32, the sum of the references.
        references: label -> (time,) float32.
        events: Where each label sounds.
        sample_rate: Hz.
        clips: label -> its source clip.
    """

    name: str
    mixture: NDArray[np.float32]
    references: dict[str, NDArray[np.float32]]
    events: list[Event]
    sample_rate: int
    clips: dict[str, Clip]

    @property
    def duration_s(self) -> float:
        """Length."""
        return self.mixture.shape[-1] / self.sample_rate

    def activity(self, label: str) -> NDArray[np.bool_]:
        """(time,) mask of the samples within an event of the label."""
        active = np.zeros(self.mixture.shape[-1], np.bool_)
        for event in self.events:
            if event.label == label:
                on, off = (round(t * self.sample_rate) for t in (event.onset_s, event.offset_s))
                active[on:off] = True
        return active

    def overlap(self, label: str) -> NDArray[np.bool_]:
        """(time,) mask of the samples within an event of the label and one of another label."""
        others = [self.activity(other) for other in self.references if other != label]
        return self.activity(label) & np.any([np.zeros_like(self.activity(label)), *others], axis=0)


class Deck:
    """Cards in random order, drawn without replacement until all have been drawn."""

    def __init__(self, n_cards: int, rng: np.random.Generator) -> None:
        self.n_cards, self.rng = n_cards, rng
        self.cards: list[int] = []

    def draw(self, n: int = 1) -> list[int]:
        """Draw n different cards."""
        drawn: list[int] = []
        while len(drawn) < n:
            if not self.cards:
                # Cards of this draw go below the rest of the fresh deck, so that none repeats.
                fresh = [int(card) for card in self.rng.permutation(self.n_cards)]
                self.cards = sorted(fresh, key=lambda card: card in drawn)
            drawn.append(self.cards.pop(0))
        return drawn


@lru_cache(maxsize=2)
def dev_clips(sample_rate: int = SAMPLE_RATE) -> dict[str, list[Clip]]:
    """Read the recordings by label; render the music if it does not exist yet.

    The spoken digits are left out: they are speech of half a second at 8 kHz.
    """
    recorded = load_clips("dev", keep=lambda file: not file.startswith("fsdd/"))
    clips = by_label(recorded, sample_rate)
    rendered = render_collection(MUSIC_FOLDER, n_pieces=N_MUSIC_PIECES, seed=MUSIC_SEED)
    played = by_label(load_files(rendered, "music"), sample_rate)["music"]
    # A long recording is split, so that each of its excerpts counts as a recording.
    excerpts = [excerpt for clip in clips["music"] for excerpt in pieces(clip)]
    return {**clips, "music": excerpts + played}


def by_label(clips: Sequence[Clip], sample_rate: int) -> dict[str, list[Clip]]:
    """Group clips by label, resampled to the scene rate."""
    sorted_clips: dict[str, list[Clip]] = {}
    for clip in clips:
        wave = clip.wave
        if clip.sample_rate != sample_rate:
            wave = resample(wave, sample_rate=clip.sample_rate, to_sample_rate=sample_rate)
        moved = make_clip(clip.file, clip.label, wave, sample_rate)
        if moved is not None:
            sorted_clips.setdefault(clip.label, []).append(moved)
    return sorted_clips


def pieces(clip: Clip) -> list[Clip]:
    """Cut a recording into consecutive pieces as long as a scene; the remainder is dropped."""
    n_samples = round(SCENE_S * clip.sample_rate)
    cuts = (
        make_clip(
            f"{clip.file}@{start // clip.sample_rate}",
            clip.label,
            clip.wave[start:][:n_samples],
            clip.sample_rate,
        )
        for start in range(0, clip.wave.size - n_samples + 1, n_samples)
    )
    return [cut for cut in cuts if cut is not None]


def scenes(
    n_scenes: int = 100, names: Sequence[str] = TWELVE, *, sample_rate: int = SAMPLE_RATE
) -> Iterator[Scene]:
    """Generate scenes of the given labels, with one to four sounds in turn.

    Raises:
        ParameterError: no data folder.
        MissingExtraError: no FluidSynth to render music with.
    """
    clips = dev_clips(sample_rate)
    labels = Deck(len(names), np.random.default_rng([SEED, 1]))
    decks = {
        label: Deck(len(clips[label]), np.random.default_rng([SEED, 2, number]))
        for number, label in enumerate(names)
    }
    for number in range(n_scenes):
        drawn = [names[card] for card in labels.draw(1 + number % MAX_SOUNDS)]
        sounds = [clips[label][decks[label].draw()[0]] for label in drawn]
        yield make_scene(f"scene-{number:03d}", sounds, np.random.default_rng([SEED, 3, number]))


def minutes(n_scenes: int) -> Iterator[Scene]:
    """Scenes of all labels, up to six concatenated into one, to test long files."""
    parts = list(scenes(n_scenes, LABELS))
    for start in range(0, len(parts), SCENES_A_MINUTE):
        yield joined(parts[start : start + SCENES_A_MINUTE])


def joined(parts: Sequence[Scene]) -> Scene:
    """Concatenate scenes of equal length."""
    starts_s = [k * part.duration_s for k, part in enumerate(parts)]
    silence = np.zeros_like(parts[0].mixture)
    labels = dict.fromkeys(label for part in parts for label in part.references)
    return Scene(
        name=f"{parts[0].name} to {parts[-1].name}",
        mixture=np.concatenate([part.mixture for part in parts]),
        references={
            label: np.concatenate([part.references.get(label, silence) for part in parts])
            for label in labels
        },
        events=[
            Event(event.label, event.onset_s + start_s, event.offset_s + start_s)
            for part, start_s in zip(parts, starts_s, strict=True)
            for event in part.events
        ],
        sample_rate=parts[0].sample_rate,
        clips={label: clip for part in parts for label, clip in part.clips.items()},
    )


def other_scenes() -> Iterator[Scene]:
    """Every dev recording that holds none of the labels, alone; it must raise no event."""
    for number, clip in enumerate(by_label(load_clips("dev"), SAMPLE_RATE)[OTHER]):
        scene = make_scene(clip.recording, [clip], np.random.default_rng([SEED, 4, number]))
        yield replace(scene, references={}, events=[])


def with_examples(n_scenes: int) -> Iterator[tuple[Scene, dict[str, Clip]]]:
    """Scenes of all labels; for each label in one, a clip of another recording if there is one."""
    clips = dev_clips()
    for number, scene in enumerate(scenes(n_scenes, LABELS)):
        examples = {}
        for label, used in scene.clips.items():
            others = [clip for clip in clips[label] if clip.recording != used.recording]
            if others:
                examples[label] = others[number % len(others)]
        yield scene, examples


def lone_clips() -> Iterator[Clip]:
    """Every dev clip of the fifty labels, as recorded."""
    yield from (clip for clip in load_clips("dev") if clip.label in FIFTY)


def make_scene(name: str, sounds: Sequence[Clip], rng: np.random.Generator) -> Scene:
    """Mix the sounds, at positions and levels drawn from the generator."""
    references: dict[str, NDArray[np.float32]] = {}
    events: list[Event] = []
    for clip in sounds:
        level_dbfs = LEVEL_DBFS + rng.uniform(-SPREAD_DB, SPREAD_DB)
        references[clip.label], own = place(clip, level_dbfs, rng)
        events += own
    mixture = np.sum(list(references.values()), axis=0, dtype=np.float32)
    gain = np.float32(min(1.0, PEAK / np.max(np.abs(mixture))))
    references = {label: gain * reference for label, reference in references.items()}
    events.sort(key=lambda event: (event.onset_s, event.label))
    clips = {clip.label: clip for clip in sounds}
    return Scene(name, gain * mixture, references, events, sounds[0].sample_rate, clips)


def place(
    clip: Clip, level_dbfs: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[Event]]:
    """Return the reference of one sound, (time,), and its events."""
    rate = clip.sample_rate

    def samples(time_s: float) -> int:
        return round(time_s * rate)

    n_samples = samples(SCENE_S)
    start, stop = samples(clip.spans_s[0][0]), samples(clip.spans_s[-1][1])
    if stop - start > n_samples:
        # Excerpts of long recordings are of random length, so that they need not fill the scene.
        size = int(rng.integers(samples(MIN_EXCERPT_S), n_samples + 1))
        start = int(rng.integers(start, stop - size + 1))
        stop = start + size
    onset = int(rng.integers(0, n_samples - (stop - start) + 1))
    moved_s = (onset - start) / rate
    spans = [
        (max(on, start / rate) + moved_s, min(off, stop / rate) + moved_s)
        for on, off in clip.spans_s
        if off * rate > start + 1 and on * rate < stop - 1
    ]
    # The fades lie outside the active part, as far as recording and scene allow.
    before = min(samples(FADE_S), start, onset)
    after = min(samples(FADE_S), clip.wave.size - stop, n_samples - onset - (stop - start))
    reference = np.zeros(n_samples, np.float32)
    cut = clip.wave[start - before : stop + after].copy()
    cut[:before] *= np.linspace(0, 1, before, endpoint=False, dtype=np.float32)
    cut[cut.size - after :] *= np.linspace(1, 0, after, endpoint=False, dtype=np.float32)
    reference[onset - before : onset - before + cut.size] = cut
    active = [reference[samples(on) : samples(off)] for on, off in spans]
    rms = np.sqrt(np.mean(np.square(np.concatenate(active), dtype=np.float64)))
    reference *= np.float32(10 ** (level_dbfs / 20) / rms)
    return reference, [Event(clip.label, on, off) for on, off in spans]
