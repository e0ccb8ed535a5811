"""The notes of procedural music: songs, and the roles of the parts that play them.

A song is a key, a mode, a metre and a chord progression. A role is a rule by which a part plays
over it: melody, chords, arpeggio, bass or drums. ``music`` converts the notes to MIDI and audio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
MIXOLYDIAN, DORIAN = (0, 2, 4, 5, 7, 9, 10), (0, 2, 3, 5, 7, 9, 10)
MODES = (  # semitones above the tonic: (of the melody, of the harmony)
    *((MAJOR, MAJOR),) * 3,
    *((MINOR, MINOR),) * 3,
    (DORIAN, DORIAN),
    (MIXOLYDIAN, MIXOLYDIAN),
    ((0, 1, 3, 5, 7, 8, 10),) * 2,  # phrygian
    ((0, 2, 4, 6, 7, 9, 11),) * 2,  # lydian
    ((0, 2, 3, 5, 7, 8, 11),) * 2,  # harmonic minor
    ((0, 2, 4, 6, 8, 10),) * 2,  # whole tone
    ((0, 2, 4, 7, 9), MAJOR),  # pentatonic
    ((0, 3, 5, 7, 10), MINOR),
    ((0, 3, 5, 6, 7, 10), MIXOLYDIAN),  # blues
)
BLUES = (0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4)
PROGRESSIONS = (  # degrees of the scale, the tonic being 0
    *((0, 4, 5, 3), (0, 3, 4, 0), (1, 4, 0, 0), (5, 3, 0, 4), (0, 5, 3, 4), (0, 6, 5, 4), BLUES),
    *((0, 3, 0, 4), (0, 3), (0, 6), (0,), (0, 4, 5, 2, 3, 0, 3, 4), (0, 2, 3, 4), (1, 4, 0, 5)),
)
# General MIDI programs from 0, and the lowest and highest note they play.
FAMILIES: dict[str, tuple[Sequence[int], int, int]] = {
    "piano": (range(0, 8), 36, 96),
    "chromatic": (range(8, 16), 55, 96),
    "organ": (range(16, 24), 40, 88),
    "guitar": (range(24, 32), 40, 84),
    "bass": (range(32, 40), 28, 55),
    # No contrabass (43): soundfonts have only its low notes; higher ones are silent.
    "strings": ((40, 41, 42, 42, 44, 45, 46), 40, 93),
    "ensemble": (range(48, 55), 40, 88),
    "brass": (range(56, 64), 40, 82),
    "reed": (range(64, 72), 44, 86),
    "pipe": (range(72, 80), 60, 96),
    "lead": (range(80, 88), 48, 88),
    "pad": (range(88, 96), 43, 84),
    "ethnic": (range(104, 112), 48, 84),
}
DRUM_KITS = (0, 0, 0, 8, 16, 24, 25, 32, 40)
KICK, STICK, SNARE, CLAP, CLOSED_HAT, OPEN_HAT, RIDE = 36, 37, 38, 39, 42, 46, 51
TOMS, PERCUSSION = (41, 43, 45, 47, 48, 50), (54, 56, 60, 61, 62, 63, 64, 67, 69, 70, 75, 82)
DRUM_STYLES: tuple[dict[int, str], ...] = (  # sixteenths of a bar; a 3/4 bar takes the first 12
    {KICK: "x.......x.......", SNARE: "....x.......x...", CLOSED_HAT: "x.x.x.x.x.x.x.x."},
    {KICK: "x..x..x...x.....", SNARE: "....x..x.x..x...", CLOSED_HAT: "xxxxxxxxxxxxxx.."},
    {KICK: "x...x...x...x...", CLAP: "....x.......x...", OPEN_HAT: "..x...x...x...x."},
    {KICK: "x.........x.....", STICK: "...x..x...x..x..", RIDE: "x...x.x.x...x.x."},
    {KICK: "x.........xx....", SNARE: "........x.......", CLOSED_HAT: "x...x...x...x..."},
    {KICK: "x...............", SNARE: "....x...x.......", RIDE: "x...x...x...x..."},
    {
        62: "x..x..x.x..x..x.",
        64: "..x....x..x....x",
        70: "xxxxxxxxxxxxxxxx",
        75: "x..x..x...x.x...",
    },
    {TOMS[0]: "x..x..x.x.x.....", TOMS[3]: "..x..x..........", TOMS[5]: "............x.xx"},
)


class Note(NamedTuple):
    """One note; times in beats."""

    start: float
    length: float
    pitch: int
    velocity: float = 1.0  # relative to the level of its part


@dataclass(frozen=True)
class Song:
    """The properties that all parts of a piece share."""

    tonic: int
    melody_scale: tuple[int, ...]
    harmony_scale: tuple[int, ...]
    progression: tuple[int, ...]
    beats_per_chord: float
    beats_per_bar: int
    n_bars: int
    swing: float  # beats by which the second half of each beat is delayed

    def chord(self, beat: float, n_tones: int = 3) -> list[int]:
        """Thirds stacked on the degree that sounds at ``beat``, as MIDI pitches near 60."""
        degree = self.progression[int(beat / self.beats_per_chord) % len(self.progression)]
        return [self.tonic + _semitones(self.harmony_scale, degree + 2 * i) for i in range(n_tones)]


Role = Callable[[np.random.Generator, Song, int, int], list[Note]]  # the ints: lowest, highest


def _semitones(scale: Sequence[int], degree: int) -> int:
    octave, step = divmod(degree, len(scale))
    return 12 * octave + scale[step]


def _fold(pitch: int, low: int, high: int) -> int:
    """Move a pitch by octaves into ``low`` to ``high``, which span an octave or more."""
    if pitch < low:
        return pitch + 12 * -((pitch - low) // 12)
    return pitch - 12 * -((high - pitch) // 12) if pitch > high else pitch


def _rhythm(rng: np.random.Generator, n_beats: float, density: float) -> list[float]:
    """Note lengths that fill ``n_beats``; the higher the density, 0 to 1, the shorter."""
    lengths, left = [], n_beats
    odds = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.3]) * density ** np.array([4, 2, 1, 0, -0.3, -0.7])
    triplets = rng.random() < 0.12
    while left > 1e-6:
        short = 1 / 3 if triplets else 0.25
        choices = np.array([short, 2 * short, 0.5 if triplets else 0.75, 1.0, 1.5, 2.0])
        lengths.append(min(float(rng.choice(choices, p=odds / odds.sum())), left))
        left -= lengths[-1]
    return lengths


def _melody(rng: np.random.Generator, song: Song, low: int, high: int) -> list[Note]:
    """A random walk over the scale; each bar uses one of two or three motifs."""
    density, legato = rng.uniform(0.25, 1.0), rng.uniform(0.45, 1.05)
    rest = rng.choice([0.0, 0.08, 0.2])
    centre = rng.integers(low + 6, high - 5)
    motifs = []
    for _ in range(rng.integers(2, 4)):
        rhythm = _rhythm(rng, song.beats_per_bar, density)
        motifs.append((rhythm, rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4], size=len(rhythm))))
    notes, degree = [], 0
    for bar in range(song.n_bars):
        rhythm, steps = motifs[int(rng.integers(len(motifs)))]
        if rng.random() < 0.2:  # sometimes the same rhythm with its steps permuted
            steps = rng.permutation(steps)
        beat = float(bar * song.beats_per_bar)
        for length, step in zip(rhythm, steps, strict=True):
            degree = degree + int(step) if abs(degree + step) <= 7 else degree - int(step)
            pitch = song.tonic + _semitones(song.melody_scale, degree)
            if beat % 1 == 0 and rng.random() < 0.5:  # on the beat, the nearest tone of the chord
                pitch = min(song.chord(beat), key=lambda tone: abs((tone - pitch + 6) % 12 - 6))
            if rng.random() >= rest:
                pitch = _fold(pitch, max(low, int(centre) - 10), min(high, int(centre) + 10))
                notes.append(Note(beat, length * legato, pitch))
            beat += length
    return notes


def _chords(rng: np.random.Generator, song: Song, low: int, high: int) -> list[Note]:
    """Chords held, pulsed, off the beat or in a rhythm of their own; strummed at times."""
    style = rng.choice(["held", "pulse", "offbeat", "rhythm"])
    n_tones, strum = int(rng.integers(2, 5)), rng.choice([0.0, 0.0, 0.03, 0.08])
    legato, floor = rng.uniform(0.3, 1.0), int(rng.integers(low, max(low + 1, high - 24)))
    own = np.cumsum([0.0, *_rhythm(rng, song.beats_per_bar, 0.5)])
    starts = {
        "held": np.arange(0.0, song.beats_per_bar, min(song.beats_per_chord, song.beats_per_bar)),
        "pulse": np.arange(0.0, song.beats_per_bar, rng.choice([0.5, 1.0])),
        "offbeat": np.arange(0.5, song.beats_per_bar, 1.0),
        "rhythm": own[:-1],
    }[str(style)]
    lengths = np.diff(starts, append=song.beats_per_bar) * (0.98 if style == "held" else legato)
    return [
        Note(beat + i * strum, float(length), _fold(pitch, floor, floor + 19))
        for bar in range(song.n_bars)
        for beat, length in zip(bar * song.beats_per_bar + starts, lengths, strict=True)
        for i, pitch in enumerate(song.chord(beat, n_tones))
    ]


def _arpeggio(rng: np.random.Generator, song: Song, low: int, high: int) -> list[Note]:
    """The tones of the chord in turn, in one pattern throughout."""
    step, legato = float(rng.choice([0.25, 1 / 3, 0.5])), rng.uniform(0.5, 2.0)
    pattern = list(rng.integers(0, 6, size=rng.integers(3, 9)))
    if rng.random() < 0.6:
        pattern = [[0, 1, 2, 3], [0, 2, 1, 2], [0, 1, 2, 3, 2, 1], [3, 2, 1, 0]][rng.integers(4)]
    floor = int(rng.integers(low, max(low + 1, high - 30)))
    notes = []
    for i in range(round(song.n_bars * song.beats_per_bar / step)):
        octave, tone = divmod(int(pattern[i % len(pattern)]), 3)
        pitch = _fold(song.chord(i * step)[tone], floor, floor + 14) + 12 * octave
        notes.append(Note(i * step, step * legato, min(pitch, 108)))
    return notes


def _bass(rng: np.random.Generator, song: Song, low: int, high: int) -> list[Note]:
    """Roots alone, roots and fifths, an octave pulse, or a walk through the chord."""
    step, legato = float(rng.choice([0.5, 1.0, 1.0, 2.0])), rng.uniform(0.4, 1.0)
    tones = [[0], [0, 2], [0, 0, 0, 2], [0, 1, 2, 3], [0, 3]][rng.integers(5)]
    notes = []
    for i in range(int(song.n_bars * song.beats_per_bar / step)):
        root, third, fifth = (_fold(p, low, low + 14) for p in song.chord(i * step))
        pitch = (root, third, fifth, root + 12)[tones[i % len(tones)]]
        notes.append(Note(i * step, step * legato, min(pitch, high)))
    return notes


def play_drums(rng: np.random.Generator, song: Song) -> list[Note]:
    """One pattern, slightly altered, perhaps with percussion; often a fill in fourth bars."""
    n_steps, notes = 4 * song.beats_per_bar, []
    hits = [
        (drum, i)
        for drum, line in DRUM_STYLES[rng.integers(len(DRUM_STYLES))].items()
        for i, mark in enumerate(line[:n_steps])
        if (mark == "x") != (rng.random() < 0.06)
    ]
    if rng.random() < 0.4:
        drum = int(rng.choice(PERCUSSION))
        hits += [(drum, int(i)) for i in np.flatnonzero(rng.random(n_steps) < 0.35)]
    for bar in range(song.n_bars):
        fill = bar % 4 == 3 and rng.random() < 0.6
        toms = [(int(rng.choice((SNARE, *TOMS))), i) for i in range(n_steps - 4, n_steps)]
        for drum, i in [hit for hit in hits if hit[1] < n_steps - 4] + toms if fill else hits:
            loudness = rng.uniform(0.6, 0.85) + 0.2 * (i % 4 == 0)
            notes.append(Note(bar * song.beats_per_bar + i / 4, 0.2, drum, loudness))
    return notes


def draw_cast(rng: np.random.Generator) -> list[tuple[str, Role]]:
    """Draw family and role of each part except drums; no part where drums play alone."""
    form, families = rng.random(), list(FAMILIES)
    if form < 0.05:
        return []
    if form < 0.22:  # one instrument, one line
        return [(str(rng.choice(families)), _melody)]
    if form < 0.34:  # two hands on one instrument, whose family the two parts share
        hands = (_melody, (_chords, _arpeggio, _bass)[rng.integers(3)])
        family = str(rng.choice(["piano", "piano", "guitar", "organ", "chromatic", "strings"]))
        return [(family, role) for role in hands]
    parts: list[tuple[str, Role]] = [("bass", _bass)] if rng.random() < 0.75 else []
    roles: tuple[Role, ...] = (_melody, _chords, _arpeggio, _chords, _melody, _arpeggio)
    first = int(rng.integers(3)) if rng.random() < 0.3 else 0
    upper = [family for family in families if family != "bass"]
    n_upper = int(rng.integers(1, 6))
    return parts + [
        (str(rng.choice(upper)), roles[(first + i) % len(roles)]) for i in range(n_upper)
    ]


def draw_song(rng: np.random.Generator, end_beats: float) -> Song:
    """Draw key, mode, metre, progression and swing; a little longer than ``end_beats``."""
    melody_scale, harmony_scale = MODES[rng.integers(len(MODES))]
    beats_per_bar = int(rng.choice([3, 4, 4, 4]))
    progression: tuple[int, ...] = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    if rng.random() < 0.15:
        progression = (0, *(int(d) for d in rng.integers(0, 7, size=rng.integers(2, 8))))
    return Song(
        tonic=int(rng.integers(54, 66)),
        melody_scale=melody_scale,
        harmony_scale=harmony_scale,
        progression=progression,
        beats_per_chord=beats_per_bar * float(rng.choice([0.5, 1.0, 1.0, 1.0, 2.0])),
        beats_per_bar=beats_per_bar,
        n_bars=int(end_beats / beats_per_bar) + 3,  # spare bars, as notes are shifted to the first
        swing=float(rng.choice([0.0, 0.0, 0.0, 0.1, 1 / 6])),
    )
