"""RF64, the WAV of more than 4 GB, made an ordinary WAV where it turns out to be shorter."""

from __future__ import annotations

import os
import struct

from echoic.audio.sink import Sink

_HEADER_BYTES = 4096  # more than the chunks before the samples


def become_wav(sink: Sink) -> None:
    """Replace the header of a complete RF64 by that of a WAV.

    The sizes move into their 32-bit fields, and the chunk with the 64-bit sizes becomes padding;
    all samples stay where they are.

    Args:
        sink: The file, of less than 4 GB; libsndfile has written its header.

    References: EBU Tech 3306 (2018), "MBWF / RF64", section 3.3, in the other direction.
    """
    sink.seek(0)
    header = bytearray(sink.read(_HEADER_BYTES))
    riff_bytes, data_bytes = struct.unpack_from("<QQ", header, header.index(b"ds64") + 8)
    struct.pack_into("<4sI", header, 0, b"RIFF", riff_bytes)
    struct.pack_into("<4s", header, header.index(b"ds64"), b"JUNK")
    at_data = header.index(b"data", header.index(b"fmt "))  # the sizes before may spell it, too
    struct.pack_into("<I", header, at_data + 4, data_bytes)
    sink.seek(0)
    sink.write(bytes(header))
    sink.seek(0, os.SEEK_END)
