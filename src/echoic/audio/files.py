"""Read audio files: whole, block by block, or only their properties.

Samples come as float32 (channel, time), full scale at ±1, at the file's own
rate: nothing is resampled, mixed down or normalised. Integer samples are
divided by their full scale; 32-bit integers and 64-bit floats are rounded to
float32's 24 bits. Anything unreadable raises an `AudioError` of one line.

A truncated file is an error, never a shorter sound. Truncated WAV, RF64, W64,
AIFF, AU, CAF and Ogg are detected before a sample is decoded; FLAC, and MP3 with
a Xing or Info header, by decoding their last sample. If a writer into a pipe left
the length open, the file is taken to be complete. FLAC without a length and MP3
without that header are decoded to their end to count samples: an MP3 that stops
within a frame is rejected, one that stops between two frames cannot be told from
a complete one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from echoic.audio.opening import AudioPath
from echoic.audio.recording import READ_BLOCK_SAMPLES, Recording, Wave
from echoic.checks import check_count


@dataclass(frozen=True)
class AudioInfo:
    """Properties of an audio file.

    Attributes:
        path: As given.
        format: Container, such as "WAV".
        subtype: Coding of the samples, such as "PCM_16".
        sample_rate: Hz.
        channels: Number of channels.
        frames: Samples per channel.
        duration_s: Seconds.
    """

    path: str
    format: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int
    duration_s: float


def read(path: AudioPath) -> tuple[Wave, int]:
    """Read a whole audio file, or standard input ("-").

    NaN and infinite samples are replaced by 0, and samples above 10¹⁰ times full
    scale are clipped, with one `AudioWarning` that gives the file and their number.

    Args:
        path: A file, a named pipe, or "-" for standard input; the last two are
            first read into memory, since containers need seeking.

    Returns:
        The samples, float32, and the sample rate in Hz.

    Shape:
        wave (channel, time).

    Raises:
        AudioError: The file is missing, a folder, unreadable, empty,
            truncated, not audio, holds no sample, or its sample rate lies
            outside 8 to 192 kHz.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/two.wav"
        >>> write(path, np.zeros((2, 800), np.float32), sample_rate=16_000)
        >>> wave, sample_rate = read(path)
        >>> wave.shape, sample_rate
        ((2, 800), 16000)
    """
    recording = Recording(path)
    parts = list(recording.blocks(READ_BLOCK_SAMPLES))
    return np.concatenate(parts, axis=1), recording.sample_rate


def info(path: AudioPath) -> AudioInfo:
    """Return the properties of an audio file.

    They come from the header; only a file whose header does not give its length
    is decoded to its end: an MP3 without a Xing or Info header, some FLAC.

    Args:
        path: As for `read`.

    Raises:
        AudioError: As for `read`.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/one.wav"
        >>> write(path, np.zeros((1, 800), np.float32), sample_rate=16_000)
        >>> info(path).subtype, info(path).duration_s
        ('FLOAT', 0.05)
    """
    found = Recording(path)
    return AudioInfo(
        path=found.name,
        format=found.format,
        subtype=found.subtype,
        sample_rate=found.sample_rate,
        channels=found.n_channels,
        frames=found.n_samples,
        duration_s=found.duration_s,
    )


def blocks(path: AudioPath, block_samples: int) -> Iterator[Wave]:
    """Read an audio file block by block; memory does not grow with its length.

    Concatenated, the blocks equal what `read` returns; only the last may be
    shorter. NaN and infinities are replaced as in `read`; the warning comes at
    the end.

    Args:
        path: As for `read`.
        block_samples: Samples per channel in a block, at least 1.

    Shape:
        Each block (channel, time), float32.

    Raises:
        ParameterError: `block_samples` is below 1.
        AudioError: As for `read`, when the first block is requested; if the file
            is damaged in the middle, when the damage is reached.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/one.wav"
        >>> write(path, np.zeros((1, 800), np.float32), sample_rate=16_000)
        >>> [block.shape for block in blocks(path, 500)]
        [(1, 500), (1, 300)]
    """
    check_count(block_samples, name="block_samples")
    return _blocks(path, block_samples)


def _blocks(path: AudioPath, block_samples: int) -> Iterator[Wave]:
    yield from Recording(path).blocks(block_samples)
