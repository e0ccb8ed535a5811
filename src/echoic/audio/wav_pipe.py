"""Write WAV into a pipe, which does not allow seeking back to complete the header."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from echoic.audio.codings import WAV_MAX_BYTES
from echoic.audio.containers import WAV_FLOAT
from echoic.audio.sink import Sink

_UNKNOWN_BYTES = 0xFFFFFFFF  # the customary placeholder for an unknown length


class WavPipe:
    """Stream a WAV of 32-bit floats; stands in for a `soundfile.SoundFile`.

    Args:
        sink: Output.
        sample_rate: Hz.
        channels: Number of channels.
        n_samples: Samples per channel to come; the header leaves the length open
            if it is None or too large for 32 bits.
    """

    format = "WAV (pipe)"  # not limited to 4 GB
    subtype = "FLOAT"

    def __init__(
        self, sink: Sink, *, sample_rate: int, channels: int, n_samples: int | None
    ) -> None:
        """Write the header."""
        self.channels = channels
        self._sink = sink
        frame_bytes = 4 * channels
        n_bytes = (n_samples or 0) * frame_bytes
        is_open = n_samples is None or n_bytes > WAV_MAX_BYTES
        layout = struct.pack(
            "<HHIIHHH",
            WAV_FLOAT,
            channels,
            sample_rate,
            sample_rate * frame_bytes,
            frame_bytes,
            32,
            0,
        )
        fact = struct.pack("<I", _UNKNOWN_BYTES if is_open else n_samples)
        body = b"WAVE" + _chunk(b"fmt ", layout) + _chunk(b"fact", fact) + b"data"
        riff_bytes = _UNKNOWN_BYTES if is_open else len(body) + 4 + n_bytes
        data_bytes = _UNKNOWN_BYTES if is_open else n_bytes
        sink.write(b"RIFF" + struct.pack("<I", riff_bytes) + body + struct.pack("<I", data_bytes))

    def write(self, frames: npt.NDArray[np.floating[Any]]) -> None:
        """Append samples (time, channel)."""
        self._sink.write(np.ascontiguousarray(frames, dtype="<f4").tobytes())
        self._sink.flush()

    def close(self) -> None:
        """Do nothing; everything is written already."""


def _chunk(chunk_id: bytes, content: bytes) -> bytes:
    return chunk_id + struct.pack("<I", len(content)) + content
