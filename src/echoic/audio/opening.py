"""Opening an audio file or pipe, and everything that may be wrong before decoding.

The bytes always go through a Python file, so that a refusal of the system
comes with its reason, and pipes and files take one path.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

import soundfile

from echoic.audio.containers import READABLE, describe_unreadable, missing_bytes
from echoic.errors import AudioError
from echoic.outputs import describe_os_error

AudioPath: TypeAlias = str | os.PathLike[str]

MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 192_000
STDIN = "-"

_MAX_FRAMES = 1 << 48


@contextmanager
def open_for_decoding(path: AudioPath) -> Iterator[soundfile.SoundFile]:
    """Open a file for decoding, after every check that needs no decoding.

    Args:
        path: A file, a named pipe, or "-" for standard input.

    Yields:
        The decoder, at the first sample.

    Raises:
        AudioError: Whatever `echoic.audio.read` documents.
    """
    name = str(path)
    with _raw(path) as raw:
        size = raw.seek(0, os.SEEK_END)
        if size == 0:
            raise AudioError(f"{name}: is empty (0 bytes)")
        n_missing = missing_bytes(raw, size)
        if n_missing:
            raise AudioError(
                f"{name}: is truncated: it holds {size} bytes of {size + n_missing} or more"
            )
        with _decoder(raw, name) as sound:
            _check_header(sound, name)
            if sound.format in ("FLAC", "MP3"):
                _check_last_sample(sound, name)
        # A failed or fuzzy seek leaves a decoder in no state to go on: read with a new one.
        with _decoder(raw, name) as sound:
            # soundfile seeks to where it already is after every read, and an MP3 decoder loses
            # its overlap with the frame before by that. We only read on, so we say it cannot seek.
            sound._info.seekable = 0
            yield sound


def _decoder(raw: BinaryIO, name: str) -> soundfile.SoundFile:
    raw.seek(0)
    try:
        return soundfile.SoundFile(raw)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        code = getattr(error, "code", 1)
        raw.seek(0)
        if code == 1:  # SF_ERR_UNRECOGNISED_FORMAT, or no header at all (.raw)
            raise AudioError(f"{name}: {describe_unreadable(raw.read(256))}") from error
        if code in (3, 7):  # SF_ERR_MALFORMED_FILE, SFE_BAD_FILE: known, but ends too early
            raise AudioError(f"{name}: is truncated or damaged: no sample can be read") from error
        words = getattr(error, "error_string", str(error)).rstrip(". ")
        raise AudioError(f"{name}: cannot be decoded ({words}); echoic reads {READABLE}") from error


def _check_header(sound: soundfile.SoundFile, name: str) -> None:
    if not MIN_SAMPLE_RATE <= sound.samplerate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"{name}: sample rate {sound.samplerate} Hz is outside of "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz"
        )
    if sound.frames == 0:
        raise AudioError(f"{name}: holds no samples")
    if sound.frames > _MAX_FRAMES:  # libsndfile's sign for "unknown"
        raise AudioError(
            f"{name}: its header does not say how long it is (was it written to a pipe?); "
            "write it anew with a tool that can"
        )


def _check_last_sample(sound: soundfile.SoundFile, name: str) -> None:
    try:
        sound.seek(sound.frames - 1)
        n_read = len(sound.read(1, dtype="float32"))
    except soundfile.LibsndfileError:
        n_read = 0
    if n_read == 0:
        raise AudioError(
            f"{name}: is truncated or damaged: the last of its {sound.frames} samples "
            "cannot be read"
        )


@contextmanager
def _raw(path: AudioPath) -> Iterator[BinaryIO]:
    """The bytes of the file, seekable: from the disk, or for a pipe from memory."""
    name = str(path)
    try:
        if name == STDIN:
            if sys.stdin is None or sys.stdin.isatty():
                raise AudioError("-: standard input is a terminal; pipe an audio file into it")
            file: BinaryIO = io.BytesIO(sys.stdin.buffer.read())
        else:
            mode = os.stat(path).st_mode
            if stat.S_ISDIR(mode):
                raise AudioError(f"{name}: is a folder, not an audio file")
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise AudioError(f"{name}: is not a plain file")
            file = open(path, "rb")  # noqa: SIM115 - closed below, after the checks of the caller
            if stat.S_ISFIFO(mode):
                with file:
                    file = io.BytesIO(file.read())
    except AudioError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        words = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise AudioError(f"{name}: cannot be read: {words}") from error
    with file:
        yield file
