"""Reading audio files: whole, block by block, or only what they are.

Samples come as float32 (channel, time), full scale at ±1, at the file's own
rate: nothing is resampled, mixed down or normalised. Integer samples are
divided by their full scale; 32-bit integers and 64-bit floats are rounded to
float32's 24 bits. Whatever cannot be read is one `AudioError` of one line.

A truncated file is an error, never a shorter sound. What can be known: WAV,
RF64, W64, AIFF, AU and Ogg are caught before a sample is decoded, FLAC, and MP3
with a Xing or Info header, by trying their last sample. An MP3 without that
header does not say how long it is: mpg123 infers it from the size of the file
and the bit rate of the first frame, so its truncation cannot be known, and one
of varying bit rate may end early.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile

from echoic.audio.opening import AudioPath, open_for_decoding
from echoic.errors import AudioError, AudioWarning, ParameterError

Wave: TypeAlias = npt.NDArray[np.float32]

_READ_BLOCK_SAMPLES = 1 << 18


@dataclass(frozen=True)
class AudioInfo:
    """What a file is, without its samples.

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

    NaN and infinite samples are replaced by 0, with one `AudioWarning` that
    names the file and their count.

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
            outside of 8 to 192 kHz.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/two.wav"
        >>> write(path, np.zeros((2, 800), np.float32), sample_rate=16_000)
        >>> wave, sample_rate = read(path)
        >>> wave.shape, sample_rate
        ((2, 800), 16000)
    """
    with open_for_decoding(path) as sound:
        parts = list(_finite_blocks(sound, str(path), _READ_BLOCK_SAMPLES))
        return np.concatenate(parts, axis=1), int(sound.samplerate)


def info(path: AudioPath) -> AudioInfo:
    """Say what an audio file is, without decoding it.

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
    with open_for_decoding(path) as sound:
        return AudioInfo(
            path=str(path),
            format=sound.format,
            subtype=sound.subtype,
            sample_rate=int(sound.samplerate),
            channels=int(sound.channels),
            frames=int(sound.frames),
            duration_s=sound.frames / sound.samplerate,
        )


def blocks(path: AudioPath, block_samples: int) -> Iterator[Wave]:
    """Read an audio file block by block, in memory that does not grow with it.

    The blocks joined are what `read` returns; only the last may be shorter.
    NaN and infinities are mended as `read` does, warned of once, at the end.

    Args:
        path: As for `read`.
        block_samples: Samples per channel in a block, at least 1.

    Shape:
        Each block (channel, time), float32.

    Raises:
        ParameterError: `block_samples` is below 1.
        AudioError: As for `read`, when the first block is asked for; a file
            damaged in its middle, when the damage is reached.

    Example:
        >>> import tempfile
        >>> from echoic.audio import write
        >>> path = tempfile.mkdtemp() + "/one.wav"
        >>> write(path, np.zeros((1, 800), np.float32), sample_rate=16_000)
        >>> [block.shape for block in blocks(path, 500)]
        [(1, 500), (1, 300)]
    """
    if block_samples < 1:
        raise ParameterError(f"block_samples={block_samples} is not an integer >= 1")
    return _blocks(path, block_samples)


def _blocks(path: AudioPath, block_samples: int) -> Iterator[Wave]:
    with open_for_decoding(path) as sound:
        yield from _finite_blocks(sound, str(path), block_samples)


def _finite_blocks(sound: soundfile.SoundFile, name: str, block_samples: int) -> Iterator[Wave]:
    """Decode to the end; mend what is not finite; miss nothing that was promised."""
    n_read = n_mended = 0
    try:
        while n_read < sound.frames:
            try:
                block = sound.read(block_samples, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise _damaged(name, n_read, sound.frames) from error
            if not len(block):
                raise _damaged(name, n_read, sound.frames)
            n_read += len(block)
            wave: Wave = np.ascontiguousarray(block.T)
            finite = np.isfinite(wave)
            if not finite.all():
                n_mended += int(finite.size - np.count_nonzero(finite))
                wave[~finite] = 0.0
            yield wave
    finally:
        if n_mended:
            message = f"{name}: {n_mended} samples are NaN or infinite; they are replaced by 0"
            warnings.warn(message, AudioWarning, stacklevel=4)


def _damaged(name: str, n_read: int, n_promised: int) -> AudioError:
    return AudioError(
        f"{name}: is truncated or damaged: its header promises {n_promised} samples, "
        f"{n_read} can be read"
    )
