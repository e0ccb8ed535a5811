"""Prepare sounds for a browser: level curves, and copies encoded as FLAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from echoic.audio import Recording, Wave
from echoic.audio.codings import flac_holds_rate
from echoic.errors import ParameterError
from echoic.report.meter import ColumnMeter

MAX_EMBEDDED_S = 600.0
MAX_EMBEDDED_BYTES = 48 << 20
NOT_PLAYED = (
    "The sounds cannot be played within this page: together they last more than "
    f"{MAX_EMBEDDED_S / 60:.0f} minutes or take more than {MAX_EMBEDDED_BYTES >> 20} MB, or FLAC "
    "does not hold their sample rate"
)
N_CURVE_POINTS = 600
CURVE_RANGE_DB = 60.0

_BLOCK_SAMPLES = 1 << 18


class Copy(NamedTuple):
    """A sound as FLAC, which every browser decodes sample-accurately and which encodes fast.

    flac: 16 bits, scaled so that a peak above 1 becomes full scale.
    gain: The factor that restores the original level.
    """

    flac: bytes
    gain: float


@dataclass(frozen=True, eq=False)
class Track:
    """One sound that the page shows and may play.

    Attributes:
        level_db: (column,) level over time, dB re full-scale DC.
        copy: The sound, or None if it is not embedded.
    """

    level_db: NDArray[np.float64]
    copy: Copy | None


def load_tracks(stems: Sequence[Path], original: Path | None) -> tuple[Track | None, list[Track]]:
    """Load every file; embed all of them, or none as in `copies_of`.

    Args:
        stems: Audio files of the same rate, channels and length, which add up to the mixture.
        original: The mixture as a file; None: the stems are summed for its
            curve, and played together for its sound.

    Returns:
        The mixture, None if there is no file at all, and a track for each stem.

    Raises:
        ParameterError: The stems differ in rate, channels or length.
        AudioError: A file cannot be read.
    """
    files = [Recording(path) for path in (*stems, *([] if original is None else [original]))]
    if not files:
        return None, []
    parts = files[: len(stems)]
    shapes = {(one.sample_rate, one.n_channels, one.n_samples) for one in parts}
    if len(shapes) > 1:
        raise ParameterError(f"stems differ in (sample rate, channels, samples): {sorted(shapes)}")
    tracks = [
        Track(_level_curve_db([file]), copy)
        for file, copy in zip(files, copies_of(files), strict=True)
    ]
    if original is None:
        return Track(_level_curve_db(parts), None), tracks
    return tracks[-1], tracks[:-1]


def copies_of(files: Sequence[Recording]) -> list[Copy | None]:
    """Encode every file, or none: if the total is too long or large, or FLAC lacks a rate."""
    held = all(flac_holds_rate(one.sample_rate) for one in files)
    if held and sum(one.duration_s for one in files) <= MAX_EMBEDDED_S:
        encoded = [encode_flac(one) for one in files]
        if sum(len(copy.flac) for copy in encoded) <= MAX_EMBEDDED_BYTES:
            return [*encoded]
    return [None] * len(files)


def _level_curve_db(files: Sequence[Recording]) -> NDArray[np.float64]:
    """Level of the sum of the files, from the mean power over channels, in constant memory."""
    meter = ColumnMeter(files[0].n_samples, N_CURVE_POINTS, n_bands=1)
    for parts in zip(*(file.blocks(_BLOCK_SAMPLES) for file in files), strict=True):
        total = np.sum(parts, axis=0)
        meter.add(np.sqrt(np.mean(np.square(total), axis=0, keepdims=True)))
    return meter.level_db()[0]


def encode_flac(file: Recording) -> Copy:
    """Encode a whole audio file as FLAC; more than two channels are averaged to one."""
    peak = max((float(np.max(np.abs(block), initial=0)) for block in _playable(file)), default=0)
    gain = max(peak, 1.0)
    flac = BytesIO()
    n_channels = file.n_channels if file.n_channels <= 2 else 1
    with soundfile.SoundFile(
        flac, "w", file.sample_rate, n_channels, subtype="PCM_16", format="FLAC"
    ) as out:
        for block in _playable(file):
            out.write(block.T / np.float32(gain))
    return Copy(flac.getvalue(), gain)


def _playable(file: Recording) -> Iterator[Wave]:
    for block in file.blocks(_BLOCK_SAMPLES):
        yield block.mean(axis=0, keepdims=True) if len(block) > 2 else block


def curve_path(level_db: Sequence[float] | NDArray[Any], highest_db: float) -> str:
    """A level curve as the SVG path of an area in a box of 600 by 100.

    Args:
        level_db: Levels, evenly spaced over the width.
        highest_db: The level at the top; `CURVE_RANGE_DB` below it is the bottom.

    Example:
        >>> curve_path([0.0, -30.0, -np.inf], 0.0)
        'M0 100V0H200V50H400V100H600V100Z'
    """
    depth = np.clip((highest_db - np.asarray(level_db)) / CURVE_RANGE_DB, 0, 1) * 100
    right = np.arange(1, depth.size + 1) * (N_CURVE_POINTS / depth.size)
    steps = "".join(f"V{y:.3g}H{x:.4g}" for x, y in zip(right, depth, strict=True))
    return f"M0 100{steps}V100Z"
