"""The scenes that `bench/hear.py` measures on: recordings that no training has seen, fully known.

A scene is 10 s at 16 kHz with one to four sounds of different labels and nothing else. Where its
sounds come from, all of them from the `dev` split:

    the ten of ESC-10   fold 4, and ambiences that hold the label
    speech              the five dev readers of LibriSpeech
    music               the one dev piece, and FluidSynth pieces of a seed that training never uses

Each sound is the sounding part of one recording, at most 10 s of it, with a short fade at both
ends, at a random place in the scene; it is laid at −30 dBFS ± 6 dB, RMS over where it sounds. The
truth is measured on each recording by itself. Everything follows from (SEED, number of the
scene): scene 7 is the same among 10 scenes and among 100.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic.audio import resample
from echoic.events import Event
from echoic.labels import LABELS
from echoic.training.data import OTHER, Clip, load_clips, load_folder, make_clip
from echoic.training.music import render_collection

SAMPLE_RATE = 16_000
TWELVE = LABELS[:12]  # the ten of ESC-10, speech and music
SCENE_S = 10.0
MAX_SOUNDS = 4
SEED = 4711
MUSIC_SEED, N_MUSIC_PIECES = 9001, 16  # training plays from seed 20
MUSIC_FOLDER = Path(__file__).parents[1] / "runs" / "bench-music"
LEVEL_DBFS, SPREAD_DB = -30.0, 6.0
PEAK = 0.98  # a scene that would clip in a file is turned down as a whole
FADE_S = 0.05
MIN_EXCERPT_S = 4.0  # longer than any pause: an excerpt always sounds
N_SAMPLES = round(SCENE_S * SAMPLE_RATE)


@dataclass(frozen=True, eq=False)
class Scene:
    """A mixture and all that is in it.

    Attributes:
        name: For reports.
        mixture: (time,) float32, the sum of the references.
        references: label -> (time,) float32.
        events: Where each label sounds.
    """

    name: str
    mixture: NDArray[np.float32]
    references: dict[str, NDArray[np.float32]]
    events: list[Event]

    def activity(self, label: str) -> NDArray[np.bool_]:
        """(time,) samples within an event of the label."""
        active = np.zeros(self.mixture.shape[-1], np.bool_)
        for event in self.events:
            if event.label == label:
                active[samples(event.onset_s) : samples(event.offset_s)] = True
        return active

    def overlap(self, label: str) -> NDArray[np.bool_]:
        """(time,) samples within an event of the label and one of another label as well."""
        others = [self.activity(other) for other in self.references if other != label]
        return self.activity(label) & np.any([np.zeros(N_SAMPLES, np.bool_), *others], axis=0)


def samples(time_s: float) -> int:
    return round(time_s * SAMPLE_RATE)


class Deck:
    """Cards in random order, every one drawn before any comes again."""

    def __init__(self, n_cards: int, rng: np.random.Generator) -> None:
        self.n_cards, self.rng = n_cards, rng
        self.cards: list[int] = []

    def draw(self, n: int = 1) -> list[int]:
        """Draw n different cards."""
        drawn: list[int] = []
        while len(drawn) < n:
            if not self.cards:
                # What is in the hand already goes below the rest of the fresh deck.
                fresh = [int(card) for card in self.rng.permutation(self.n_cards)]
                self.cards = sorted(fresh, key=lambda card: card in drawn)
            drawn.append(self.cards.pop(0))
        return drawn


def dev_clips() -> dict[str, list[Clip]]:
    """Read the recordings by label, music rendered where it is not there yet.

    The spoken digits stay out: they are speech of 8 kHz and half a second.
    """
    clips = by_label(load_clips("dev", keep=lambda file: not file.startswith("fsdd/")))
    render_collection(MUSIC_FOLDER, n_pieces=N_MUSIC_PIECES, seed=MUSIC_SEED)
    played = by_label(load_folder(MUSIC_FOLDER, "music"))["music"]
    played = [clip for clip in played if clip.file.startswith(f"{MUSIC_SEED}-")]
    # One long recording weighs as much as its excerpts would, if each came by itself.
    recorded = [excerpt for clip in clips["music"] for excerpt in pieces(clip)]
    return {**clips, "music": recorded + played[:N_MUSIC_PIECES]}


def by_label(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Sort clips, brought to the rate of the scenes."""
    sorted_clips: dict[str, list[Clip]] = {}
    for clip in clips:
        wave = clip.wave
        if clip.sample_rate != SAMPLE_RATE:
            wave = resample(wave, sample_rate=clip.sample_rate, to_sample_rate=SAMPLE_RATE)
        moved = make_clip(clip.file, clip.label, wave, SAMPLE_RATE)
        if moved is not None:
            sorted_clips.setdefault(clip.label, []).append(moved)
    return sorted_clips


def pieces(clip: Clip, n_most: int | None = None) -> list[Clip]:
    """Cut a recording into consecutive pieces as long as a scene; what is left over stays out."""
    starts = range(0, clip.wave.size - N_SAMPLES + 1, N_SAMPLES)[:n_most]
    cuts = (
        make_clip(
            f"{clip.file}@{start // SAMPLE_RATE}",
            clip.label,
            clip.wave[start:][:N_SAMPLES],
            SAMPLE_RATE,
        )
        for start in starts
    )
    return [cut for cut in cuts if cut is not None]


def scenes(n_scenes: int = 100, names: Sequence[str] = TWELVE) -> Iterator[Scene]:
    """Make scenes of some labels one after another, with one to four sounds in turn.

    Raises:
        ParameterError: no data folder.
        MissingExtraError: no FluidSynth to render music with.
    """
    clips = dev_clips()
    labels = Deck(len(names), np.random.default_rng([SEED, 1]))
    decks = {
        label: Deck(len(clips[label]), np.random.default_rng([SEED, 2, number]))
        for number, label in enumerate(names)
    }
    for number in range(n_scenes):
        drawn = [names[card] for card in labels.draw(1 + number % MAX_SOUNDS)]
        sounds = [clips[label][decks[label].draw()[0]] for label in drawn]
        yield make_scene(f"scene-{number:03d}", sounds, np.random.default_rng([SEED, 3, number]))


def other_scenes() -> Iterator[Scene]:
    """Cut every dev ambience that holds none of the labels: what must raise no event."""
    ambiences = load_clips("dev", keep=lambda file: file.startswith("ambience/"))
    for ambience in by_label(ambiences)[OTHER]:
        for piece in pieces(ambience, 3):
            yield Scene(piece.file, piece.wave, {}, [])


def make_scene(name: str, sounds: Sequence[Clip], rng: np.random.Generator) -> Scene:
    """Lay each sound somewhere into the scene; the generator decides where and how loud."""
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
    return Scene(name, gain * mixture, references, events)


def place(
    clip: Clip, level_dbfs: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[Event]]:
    """Give the reference of one sound, (time,), and its events."""
    start, stop = samples(clip.spans_s[0][0]), samples(clip.spans_s[-1][1])
    if stop - start > N_SAMPLES:
        # Excerpts of long recordings leave the scene some room before or after.
        size = int(rng.integers(samples(MIN_EXCERPT_S), N_SAMPLES + 1))
        start = int(rng.integers(start, stop - size + 1))
        stop = start + size
    onset = int(rng.integers(0, N_SAMPLES - (stop - start) + 1))
    moved_s = (onset - start) / SAMPLE_RATE
    spans = [
        (max(on, start / SAMPLE_RATE) + moved_s, min(off, stop / SAMPLE_RATE) + moved_s)
        for on, off in clip.spans_s
        if off * SAMPLE_RATE > start + 1 and on * SAMPLE_RATE < stop - 1
    ]
    # The fades lie outside of what sounds, as far as recording and scene reach.
    before = min(samples(FADE_S), start, onset)
    after = min(samples(FADE_S), clip.wave.size - stop, N_SAMPLES - onset - (stop - start))
    reference = np.zeros(N_SAMPLES, np.float32)
    cut = clip.wave[start - before : stop + after].copy()
    cut[:before] *= np.linspace(0, 1, before, endpoint=False, dtype=np.float32)
    cut[cut.size - after :] *= np.linspace(1, 0, after, endpoint=False, dtype=np.float32)
    reference[onset - before : onset - before + cut.size] = cut
    active = [reference[samples(on) : samples(off)] for on, off in spans]
    rms = np.sqrt(np.mean(np.square(np.concatenate(active), dtype=np.float64)))
    reference *= np.float32(10 ** (level_dbfs / 20) / rms)
    return reference, [Event(clip.label, on, off) for on, off in spans]
