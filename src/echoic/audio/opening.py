"""Open an audio file, and detect whatever can fail before decoding.

The bytes always go through a Python file object, so that an OS error keeps its
reason, and pipes and files share one code path.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

import soundfile

from echoic.audio.containers import READABLE, describe_unreadable
from echoic.audio.view import View
from echoic.checks import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from echoic.errors import AudioError, ParameterError
from echoic.outputs import describe_os_error

AudioPath: TypeAlias = str | os.PathLike[str]

STDIN = "-"

_MAX_FRAMES = 1 << 48  # libsndfile's value for "unknown" is above this


def check_path(path: object) -> str:
    """Return the path as a string.

    Raises:
        ParameterError: it is neither a string nor a path object.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise ParameterError(f"path is a {type(path).__name__}, neither text nor a path")
    return str(path)


@contextmanager
def open_bytes(name: str, content: bytes | None) -> Iterator[BinaryIO]:
    """Open a seekable stream: a file on disk, or the bytes read from a pipe.

    Raises:
        AudioError: the file cannot be opened.
    """
    try:
        # Closed below, so that errors in the caller's block are not caught here.
        file: BinaryIO = io.BytesIO(content) if content is not None else open(name, "rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    with file:
        yield file


def unreadable(name: str, error: Exception) -> AudioError:
    """Convert a failure to open or read into an `AudioError` that names the file."""
    if isinstance(error, AudioError):
        return error
    # A ValueError means a NUL in the name.
    words = describe_os_error(error) if isinstance(error, OSError) else str(error)
    return AudioError(f"{name}: cannot be read: {words}")


def open_decoder(view: View, name: str) -> soundfile.SoundFile:
    """Open a decoder at the first sample.

    Raises:
        AudioError: libsndfile does not know the format, or the start is damaged.
    """
    view.seek(0)
    try:
        return soundfile.SoundFile(view)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        if view.error is not None:
            raise unreadable(name, view.error) from view.error
        code = getattr(error, "code", 1)
        view.seek(0)
        if code == 1:  # SF_ERR_UNRECOGNISED_FORMAT, or no header at all (.raw)
            raise AudioError(f"{name}: {describe_unreadable(view.read(256))}") from error
        if code in (3, 7):  # SF_ERR_MALFORMED_FILE, SFE_BAD_FILE: known, but ends too early
            raise AudioError(f"{name}: is truncated or damaged: no sample can be read") from error
        words = getattr(error, "error_string", str(error)).rstrip(". ")
        raise AudioError(f"{name}: cannot be decoded ({words}); echoic reads {READABLE}") from error


def check_header(sound: soundfile.SoundFile, name: str) -> None:
    """Reject unusable audio before a sample is decoded.

    Raises:
        AudioError: the sample rate is out of range, or there are no samples.
    """
    check_rate(sound.samplerate, name)
    if sound.frames == 0:
        raise AudioError(f"{name}: holds no samples")


def check_rate(sample_rate: int, name: str) -> None:
    """Reject a sample rate outside the supported range.

    Raises:
        AudioError: it is out of range.
    """
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"{name}: sample rate {sample_rate} Hz is outside of "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz"
        )


def says_its_length(sound: soundfile.SoundFile) -> bool:
    """Whether the header gives the length of the sound."""
    return 0 < sound.frames <= _MAX_FRAMES


def has_last_sample(sound: soundfile.SoundFile) -> bool:
    """Whether the last sample that the header promises can be decoded."""
    try:
        sound.seek(sound.frames - 1)
        return len(sound.read(1, dtype="float32")) > 0
    except (soundfile.LibsndfileError, ValueError):
        return False
