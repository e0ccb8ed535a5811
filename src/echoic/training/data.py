"""The training recordings, located through the variable ECHOIC_DATA.

The folder contains `splits.csv` (file, split, label, fold), which assigns every
file to training (`train`) or to evaluation only (`dev`). The recordings are not
shipped, only networks trained on them. Clips keep the sample rate of their recording.
"""

from __future__ import annotations

import csv
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.audio.activity import active_spans, within
from echoic.errors import ParameterError

Wave = NDArray[np.float32]
OTHER = "other"  # none of the labels: must raise no event
ROOM = "room"  # an impulse response
SYNTHESISED = "synthetic/"  # prefix of the names of synthesised clips
CHANGED = "changed/"  # prefix of the names of clips changed beyond recognition
_MADE_PROBABILITY = 0.25
_CHANGED_PROBABILITY = 0.2
UNSURE = "unsure"  # may hold labelled sounds: neither positive nor negative
_KEPT_ASIDE = 10  # one recording in this many is held out for validation


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording, ready to be mixed.

    Attributes:
        file: Path below the data folder, for reports.
        label: One of `echoic.labels.LABELS` or "other".
        recording: Identifier that the takes of one recording share.
        wave: (time,) float32.
        sample_rate: Hz, that of the recording.
        spans_s: Active spans, (onset, offset) pairs.
        level_rms: RMS over those spans.
    """

    file: str
    label: str
    recording: str
    wave: NDArray[np.float32]
    sample_rate: int
    spans_s: tuple[tuple[float, float], ...]
    level_rms: float


class _Group(NamedTuple):
    """Takes of every real, synthesised and changed recording of a label."""

    real: list[list[Clip]]
    made: list[list[Clip]]
    changed: list[list[Clip]]


class Recordings:
    """Clips by label and, within a label, by recording.

    Draws are uniform over recordings: five takes of one clock count as one. Where a label
    has real recordings and synthesised clips, one draw in four is synthesised; where it has
    clips changed beyond recognition (`hard_negatives`), one in five is one of these.

    Args:
        clips: Clips of any labels.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> takes = [make_clip(f"clock-{k}.wav", "clock_tick", noise, 8000) for k in range(5)]
        >>> Recordings(takes).n_recordings("clock_tick")
        1
    """

    def __init__(self, clips: Iterable[Clip]) -> None:
        """Group the clips."""
        grouped: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
        for clip in clips:
            grouped[clip.label][clip.recording].append(clip)
        self._by_label = {label: _Group([], [], []) for label in grouped}
        for label, own in grouped.items():
            real, made, changed = self._by_label[label]
            for takes in own.values():
                file = takes[0].file
                group = made if is_synthesised(file) else changed if is_changed(file) else real
                group.append(takes)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that have clips."""
        return tuple(self._by_label)

    def n_recordings(self, label: str) -> int:
        """Number of recordings of a label."""
        return sum(map(len, self._by_label.get(label, ())))

    def draw(self, label: str, rng: np.random.Generator, *, changed: bool = True) -> Clip:
        """Draw a clip of a label.

        Args:
            label: Of the clip.
            rng: Source of randomness.
            changed: Whether it may be a changed clip.

        Raises:
            ParameterError: no clip of that label.
        """
        if label not in self._by_label:
            raise ParameterError(f"label={label!r}: no clip of it to draw")
        group = self._by_label[label]
        recordings = group.real or group.made or group.changed
        kind = rng.random()
        if group.real and group.made and kind < _MADE_PROBABILITY:
            recordings = group.made
        elif group.real and group.changed and changed and kind > 1 - _CHANGED_PROBABILITY:
            recordings = group.changed
        takes = recordings[int(rng.integers(len(recordings)))]
        return takes[int(rng.integers(len(takes)))]


def is_synthesised(file: str) -> bool:
    """Whether a clip's name marks it as synthesised."""
    return file.startswith(SYNTHESISED)


def is_changed(file: str) -> bool:
    """Whether a clip's name marks it as changed beyond recognition, see `hard_negatives`."""
    return file.startswith(CHANGED)


def data_folder() -> Path:
    """The folder that ECHOIC_DATA names.

    Raises:
        ParameterError: the variable is not set, or there is no splits.csv.
    """
    name = os.environ.get("ECHOIC_DATA")
    if not name:
        raise ParameterError("ECHOIC_DATA is not set: it must name the folder with splits.csv")
    folder = Path(name)
    if not (folder / "splits.csv").is_file():
        raise ParameterError(f"ECHOIC_DATA={name}: no splits.csv there")
    return folder


def recording_of(file: str) -> str:
    """Identifier shared by the takes of one recording, as far as file names tell.

    ESC-50 clips contain the number of the sound they were cut from, spoken digits their
    speaker, and LibriSpeech names are kept; elsewhere a trailing take number is removed.

    Example:
        >>> recording_of("esc10/audio/1-100032-A.ogg"), recording_of("fsdd/3_jackson_17.wav")
        ('esc:100032', 'fsdd:jackson')
        >>> recording_of("extra/noises/games/door-open-02.ogg")
        'extra/noises/games/door-open'
    """
    stem = re.sub(r"\.[^.]*$", "", file)
    esc = re.search(r"(?:^|-)[1-5]-(\d+)-[a-zA-Z]$", stem.rsplit("/", 1)[-1])
    if esc:
        return f"esc:{esc[1]}"
    if file.startswith("fsdd/"):
        return f"fsdd:{stem.split('_')[1]}"
    return re.sub(r"[-_ ]*\d+$", "", stem) if not file.startswith("librispeech") else stem


def is_kept_aside(recording: str) -> bool:
    """Whether a recording of the train split is held out: one in ten, by a hash of its name.

    Example:
        >>> sum(is_kept_aside(f"esc:{number}") for number in range(1000))
        123
    """
    return zlib.crc32(recording.encode()) % _KEPT_ASIDE == 0


def make_clip(file: str, label: str, wave: NDArray[np.float32], sample_rate: int) -> Clip | None:
    """Make a clip from a wave (time,): find its active spans; None if it has none."""
    spans = tuple(active_spans(wave, sample_rate=sample_rate))
    if not spans:
        return None
    sounding = within(wave, spans, sample_rate=sample_rate)
    level_rms = float(np.sqrt(np.mean(np.square(sounding))))
    if not level_rms > 0:
        return None
    return Clip(file, label, recording_of(file), wave, sample_rate, spans, level_rms)


def _read_clip(path: Path, file: str, label: str) -> Clip | None:
    wave, sample_rate = audio.read(path)
    mono = np.ascontiguousarray(wave.mean(axis=0), dtype=np.float32)
    return make_clip(file, label, mono, sample_rate)


def _read_all(
    rows: Sequence[tuple[Path, str, str]],
) -> list[Clip]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        clips = pool.map(lambda row: _read_clip(*row), rows)
        return [clip for clip in clips if clip is not None]


def load_files(paths: Sequence[Path], label: str) -> list[Clip]:
    """Load files as clips of one label, such as rendered music, each as a separate recording."""
    # The x keeps a number at the end of a name from being a take number, see `recording_of`.
    return _read_all([(path, f"{path.stem}x", label) for path in paths])


def _rows(split: str, folder: Path) -> Sequence[Mapping[str, str]]:
    with (folder / "splits.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    if not rows:
        raise ParameterError(f"split={split!r}: no file of it in {folder / 'splits.csv'}")
    return rows


def load_clips(
    split: str,
    *,
    folder: Path | None = None,
    keep: Callable[[str], bool] = lambda file: True,
    unsure_as_other: bool = False,
) -> list[Clip]:
    """Load all clips of a split that have a label or certainly have none.

    Args:
        split: "train" or "dev".
        folder: Data folder, instead of that in ECHOIC_DATA.
        keep: Called with each file's path below the folder; False leaves the file out.
        unsure_as_other: Also load clips that may contain anything, as sounds without label.

    Raises:
        ParameterError: no data folder, or no file of that split.
        AudioError: a listed file is missing or cannot be read.
    """
    folder = folder or data_folder()
    left_out = {ROOM} if unsure_as_other else {ROOM, UNSURE}
    rows = [
        (folder / row["file"], row["file"], OTHER if row["label"] == UNSURE else row["label"])
        for row in _rows(split, folder)
        if row["label"] not in left_out and keep(row["file"])
    ]
    return _read_all(rows)


def load_rooms(*, folder: Path | None = None) -> list[tuple[NDArray[np.float32], int]]:
    """Load room impulse responses, (time,) with the direct sound first, and their rates."""
    folder = folder or data_folder()
    rooms = []
    for row in _rows("train", folder):
        if row["label"] == ROOM:
            wave, sample_rate = audio.read(folder / row["file"])
            rooms.append((wave.mean(axis=0) / np.abs(wave).max(), sample_rate))
    return rooms
