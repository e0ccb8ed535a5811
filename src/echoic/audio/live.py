"""Decode a WAV from a pipe while it arrives."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.audio.containers import (
    MAX_HEAD_BYTES,
    WAV_FLOAT,
    WAV_PCM,
    WavFormat,
    is_unknown_length,
)
from echoic.audio.mending import Mending
from echoic.audio.opening import check_rate
from echoic.audio.pipe import Pipe
from echoic.audio.recording import Recording, Wave
from echoic.checks import MAX_CHANNELS, check_count
from echoic.errors import AudioError


class _Coding(NamedTuple):
    """kind: WAVE format tag; n_bytes: bytes per sample."""

    kind: int
    n_bytes: int


_CODINGS = [_Coding(WAV_PCM, n) for n in (1, 2, 3, 4)] + [_Coding(WAV_FLOAT, n) for n in (4, 8)]


def decode_pipe(pipe: Pipe) -> LiveWav | Recording:
    """Decode a pipe: a WAV as it arrives, all else once it has been read to its end.

    Raises:
        AudioError: as `Recording`.
    """
    with ExitStack() as stack:
        stack.callback(pipe.close)
        head = _Head(pipe)
        try:
            live = LiveWav(head, pipe)
        except _NotLiveError:
            return Recording(pipe.name, content=head.content + pipe.read_all())
        stack.pop_all()  # it stays open for the samples
        return live


class _NotLiveError(Exception):
    """The stream is not a plain WAV."""


class _Head:
    """The bytes read from the pipe so far."""

    def __init__(self, pipe: Pipe) -> None:
        self.content = b""
        self._pipe = pipe

    def read(self, n_bytes: int) -> bytes:
        """Read exactly `n_bytes` more.

        Raises:
            _NotLiveError: the pipe ends before, or the header would exceed 1 MiB.
        """
        if len(self.content) + n_bytes > MAX_HEAD_BYTES:
            raise _NotLiveError
        found = self._pipe.read(n_bytes)
        self.content += found
        if len(found) < n_bytes:
            raise _NotLiveError
        return found


class LiveWav:
    """A WAV in a pipe; samples are returned as they arrive, without waiting for more.

    Args:
        head: Reads and keeps the header.
        pipe: Source of the samples.

    Attributes:
        name: For error messages.
        sample_rate: Hz.
        n_channels: Number of channels.
        n_samples: Samples per channel according to the header; None if it leaves that open.

    Raises:
        AudioError: the sample rate is out of range.
    """

    def __init__(self, head: _Head, pipe: Pipe) -> None:
        """Read up to the first sample."""
        self.name = pipe.name
        self._pipe = pipe
        layout = b""
        riff = head.read(12)
        if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
            raise _NotLiveError
        while True:
            chunk_id, length = struct.unpack("<4sI", head.read(8))
            if chunk_id == b"data":
                break
            content = head.read(length + length % 2)
            if chunk_id == b"fmt ":
                layout = content
        if (found := WavFormat.parse(layout)) is None:
            raise _NotLiveError
        kind, self.n_channels, self.sample_rate, frame_bytes, n_bits = found
        self._coding = _Coding(kind, n_bits // 8)
        is_plain = n_bits % 8 == 0 and frame_bytes == self.n_channels * self._coding.n_bytes
        if self._coding not in _CODINGS or not is_plain or not 1 <= self.n_channels <= MAX_CHANNELS:
            raise _NotLiveError
        check_rate(self.sample_rate, self.name)
        (n_bytes,) = struct.unpack("<I", riff[4:8])
        # A recorder that is still running has not written any length yet.
        is_running = length == 0 and n_bytes + 8 <= len(head.content)
        is_open = is_running or is_unknown_length(length)
        self.n_samples = None if is_open else length // frame_bytes

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None if the header leaves it open."""
        return None if self.n_samples is None else self.n_samples / self.sample_rate

    def blocks(self, block_samples: int) -> Iterator[Wave]:
        """Decode samples as they arrive, once: (channel, time), at most `block_samples` each.

        NaN and infinities become 0, samples far above full scale are clipped; one warning is
        issued at the end.

        Raises:
            ParameterError: `block_samples` is below 1.
            AudioError: no samples arrive, or fewer than the header promises.
        """
        check_count(block_samples, name="block_samples")
        frame_bytes = self.n_channels * self._coding.n_bytes
        n_read, mending, open_frame = 0, Mending(), b""
        try:
            while n_left := min(block_samples, self._n_promised - n_read):
                came = self._pipe.read_some(int(n_left) * frame_bytes - len(open_frame))
                if not came:
                    break
                came = open_frame + came
                n_whole = len(came) // frame_bytes
                open_frame = came[n_whole * frame_bytes :]
                if n_whole:
                    n_read += n_whole
                    yield mending(self._decode(came[: n_whole * frame_bytes]))
            self._check_length(n_read)
            while self._pipe.read_some(1 << 16):
                pass  # drain what follows, so that the writer can finish
        finally:
            mending.warn(self.name)
            self._pipe.close()

    @property
    def _n_promised(self) -> float:
        return math.inf if self.n_samples is None else self.n_samples

    def _check_length(self, n_read: int) -> None:
        if n_read == 0:
            raise AudioError(f"{self.name}: holds no samples")
        if self.n_samples is not None and n_read < self.n_samples:
            raise AudioError(
                f"{self.name}: is truncated: its header promises {self.n_samples} samples, "
                f"{n_read} have come"
            )

    def _decode(self, content: bytes) -> NDArray[np.float32]:
        kind, n_bytes = self._coding
        samples: NDArray[np.floating]
        if kind == WAV_FLOAT:
            with np.errstate(over="ignore"):  # infinities are mended
                samples = np.frombuffer(content, f"<f{n_bytes}").astype(np.float32)
        elif n_bytes == 1:
            samples = (np.frombuffer(content, np.uint8).astype(np.float32) - 128) / 128
        else:  # into the most significant bytes of 32-bit integers
            padded = np.zeros((len(content) // n_bytes, 4), np.uint8)
            padded[:, 4 - n_bytes :] = np.frombuffer(content, np.uint8).reshape(-1, n_bytes)
            samples = padded.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
        return np.ascontiguousarray(samples.reshape(-1, self.n_channels).T, np.float32)
