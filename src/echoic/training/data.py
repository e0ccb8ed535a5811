"""The recordings that networks learn from, found through ECHOIC_DATA.

The folder holds `splits.csv` (file, split, label, fold), which decides for
every file whether it may train (`train`) or only measure (`dev`). Nothing here
is shipped; what is learned from it is.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.audio.resample import resample
from echoic.errors import ParameterError
from echoic.synthesis.activity import active_spans

SAMPLE_RATE = 16_000
OTHER = "other"  # none of the labels: what must raise no event
_SKIPPED = ("unsure",)  # may hold labelled sounds: neither positive nor negative


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording, ready to be mixed.

    Attributes:
        file: Path below the data folder, for reports.
        label: One of `echoic.labels.LABELS` or "other".
        wave: (time,) float32 at 16 kHz.
        spans_s: Where it sounds, (onset, offset) pairs.
        level_rms: RMS over those spans.
    """

    file: str
    label: str
    wave: NDArray[np.float32]
    spans_s: tuple[tuple[float, float], ...]
    level_rms: float


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


def make_clip(file: str, label: str, wave: NDArray[np.float32]) -> Clip | None:
    """Measure where a recording sounds; None where it does not sound at all."""
    spans = tuple(active_spans(wave, sample_rate=SAMPLE_RATE))
    if not spans:
        return None
    sounding = np.concatenate(
        [wave[int(on * SAMPLE_RATE) : int(off * SAMPLE_RATE)] for on, off in spans]
    )
    level_rms = float(np.sqrt(np.mean(np.square(sounding))))
    return Clip(file, label, wave, spans, level_rms) if level_rms > 0 else None


def _read_clip(path: Path, file: str, label: str) -> Clip | None:
    wave, sample_rate = audio.read(path)
    mono = wave.mean(axis=0)
    if sample_rate != SAMPLE_RATE:
        mono = resample(mono, sample_rate=sample_rate, to_sample_rate=SAMPLE_RATE)
    return make_clip(file, label, np.ascontiguousarray(mono, dtype=np.float32))


def load_folder(folder: Path, label: str) -> list[Clip]:
    """Read every FLAC of a folder as clips of one label, such as rendered music."""
    clips = (_read_clip(path, path.name, label) for path in sorted(folder.glob("*.flac")))
    return [clip for clip in clips if clip is not None]


def load_clips(
    split: str,
    *,
    folder: Path | None = None,
    keep: Callable[[str], bool] = lambda file: True,
) -> dict[str, list[Clip]]:
    """Read all clips of a split, by label.

    Args:
        split: "train" or "dev".
        folder: Instead of the one that ECHOIC_DATA names.
        keep: Called with each file's path below the folder; leaves out what it denies.

    Raises:
        ParameterError: no data folder, or no file of that split.
        AudioError: a listed file is missing or cannot be read.
    """
    folder = folder or data_folder()
    with (folder / "splits.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split]
    rows = [r for r in rows if r["label"] not in _SKIPPED and keep(r["file"])]
    if not rows:
        raise ParameterError(f"split={split!r}: no file of it in {folder / 'splits.csv'}")
    with ThreadPoolExecutor(max_workers=2) as pool:
        clips = pool.map(lambda r: _read_clip(folder / r["file"], r["file"], r["label"]), rows)
    by_label: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip is not None:
            by_label[clip.label].append(clip)
    return dict(by_label)
