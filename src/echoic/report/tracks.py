"""Stems made ready for a browser: how loud they are over time, and their sound as MP3."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from echoic import audio
from echoic.errors import ParameterError
from echoic.report.meter import ColumnMeter

MAX_EMBEDDED_S = 600.0
N_CURVE_POINTS = 600
CURVE_RANGE_DB = 60.0

_MP3_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
MP3_LIMIT = 8.0  # 18 dB above full scale; players clip at full scale
_BLOCK_SAMPLES = 1 << 18
_N_ENCODERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class Track:
    """One sound that the page shows and may play.

    Attributes:
        level_db: (column,) level over time, dB re a full-scale constant.
        mp3: The sound as MP3, or None where it is not embedded.
    """

    level_db: NDArray[np.float64]
    mp3: bytes | None


def load_tracks(stems: Sequence[Path], original: Path | None) -> tuple[Track, list[Track]]:
    """Read every file; embed all of them, or none if they are long together.

    Args:
        stems: Audio files of one shape, which add up to the mixture.
        original: The mixture as a file; None: the stems are summed for its
            curve, and played together for its sound.

    Returns:
        The mixture, and a track for each stem.

    Raises:
        ParameterError: There is no file at all, or the stems differ in shape.
        AudioError: A file cannot be read.
    """
    files = [*stems, *([] if original is None else [original])]
    if not files:
        raise ParameterError("stems is empty and original is None: there is nothing to play")
    found = [audio.info(path) for path in files]
    shapes = {(one.sample_rate, one.channels, one.frames) for one in found[: len(stems)]}
    if len(shapes) > 1:
        raise ParameterError(f"stems differ in (sample rate, channels, samples): {sorted(shapes)}")
    if sum(one.duration_s for one in found) <= MAX_EMBEDDED_S:
        # Encoding takes most of the time, outside of Python's lock.
        with ThreadPoolExecutor(_N_ENCODERS) as encoders:
            mp3s: list[bytes | None] = list(encoders.map(encode_mp3, files))
    else:
        mp3s = [None] * len(files)
    tracks = [Track(_level_curve_db([path]), mp3) for path, mp3 in zip(files, mp3s, strict=True)]
    if original is None:
        return Track(_level_curve_db(stems), None), tracks
    return tracks[-1], tracks[:-1]


def _level_curve_db(files: Sequence[Path]) -> NDArray[np.float64]:
    """Mean power of the channels of the files' sum, in memory that does not grow with them."""
    meter = ColumnMeter(audio.info(files[0]).frames, N_CURVE_POINTS, n_bands=1)
    for blocks in zip(*(audio.blocks(path, _BLOCK_SAMPLES) for path in files), strict=True):
        total = np.sum(blocks, axis=0)
        meter.add(np.sqrt(np.mean(np.square(total), axis=0, keepdims=True)))
    return meter.level_db()[0]


def encode_mp3(path: Path) -> bytes:
    """A whole audio file as MP3, which every browser decodes.

    The encoder writes the Info tag, by which decoders cut off its delay and
    padding: measured in Chromium's decodeAudioData at all nine rates, the
    length is exact and the sound where it was, to a few samples. (Ogg Vorbis
    lost up to 256 samples at the end.)

    More than two channels become their mean, and rates that MP3 does not know
    the next higher one, or 48 kHz.
    """
    about = audio.info(path)
    wave = np.concatenate(
        [
            block.mean(axis=0, keepdims=True) if about.channels > 2 else block
            for block in audio.blocks(path, _BLOCK_SAMPLES)
        ],
        axis=1,
    )
    mp3_rate = next(
        (rate for rate in _MP3_RATES_HZ if rate >= about.sample_rate), _MP3_RATES_HZ[-1]
    )
    wave = audio.resample(wave, sample_rate=about.sample_rate, to_sample_rate=mp3_rate)
    np.clip(wave, -MP3_LIMIT, MP3_LIMIT, out=wave)  # far beyond, the encoder ends the process
    mp3 = BytesIO()
    soundfile.write(
        mp3,
        wave.T,
        mp3_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=0.2,  # LAME's V2: stems alone must bear close listening
        bitrate_mode="VARIABLE",
    )
    return mp3.getvalue()


def curve_path(level_db: Sequence[float] | NDArray[Any], highest_db: float) -> str:
    """A level curve as the path of an area in a box of 600 by 100, for SVG.

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
