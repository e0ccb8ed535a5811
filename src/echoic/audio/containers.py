"""What the bytes of an audio file say before anything decodes them.

libsndfile shortens a truncated WAV, AIFF, AU, W64 or Ogg file without a word:
it trusts the length of the file over the length in the header (of CAF, at
times). So the two are compared here. FLAC and MP3 say their length in samples and are checked by
decoding (see `echoic.audio.files`).

References:
    Multimedia Programming Interface and Data Specifications 1.0 (1991), RIFF;
    EBU Tech 3306 (2009), RF64; Apple, Audio Interchange File Format 1.3 (1989);
    RFC 3533 (2003), Ogg; Apple, Core Audio
    Format 1.0 (2005).
"""

from __future__ import annotations

import struct
from typing import BinaryIO

READABLE = "WAV, RF64, W64, FLAC, OGG (Vorbis, Opus), MP3, AIFF, AU and CAF"

# A writer that cannot seek back (a pipe) leaves one of these as the length of the data.
_UNKNOWN_LENGTHS = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
_OGG_MAX_PAGE_BYTES = 27 + 255 + 255 * 255
_OGG_LAST_PAGE = 0x04


def missing_bytes(file: BinaryIO, size: int) -> int:
    """Count the bytes that the header promises and the file does not hold.

    Args:
        file: A seekable file, opened for reading; its position is lost.
        size: The length of the file in bytes.

    Returns:
        0 when the file is complete, when its length is left open by a writer
        that could not seek, or when the container is none of those above. For
        an Ogg file whose last page is whole but not marked as last, 1: more
        must follow, nobody knows how much.

    Example:
        >>> import io
        >>> header = b"RIFF" + struct.pack("<I", 104) + b"WAVEdata" + struct.pack("<I", 100)
        >>> missing_bytes(io.BytesIO(header), size=len(header))
        100
    """
    file.seek(0)
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        end = _chunk_end(file, size, order="<", data_id=b"data")
    elif head[:4] == b"RIFX":
        end = _chunk_end(file, size, order=">", data_id=b"data")
    elif head[:4] == b"FORM":
        end = _chunk_end(file, size, order=">", data_id=b"SSND")
    elif head[:4] == b"riff":
        end = _w64_end(file, size)
    elif head[:4] == b"caff":
        end = _caf_end(file, size)
    elif head[:4] == b".snd" and len(head) >= 12:
        offset, length = struct.unpack(">II", head[4:12])
        end = offset + _known(length)
    elif head[:4] == b"OggS":
        end = _ogg_end(file, size)
    else:
        end = 0
    return max(0, end - size)


def describe_unreadable(head: bytes) -> str:
    """Say why a file that libsndfile does not recognise is no audio for echoic.

    Args:
        head: The first bytes of the file, a few hundred at most.

    Example:
        >>> describe_unreadable(b"dear diary, today I heard a dog")
        'is a text file, not audio'
    """
    if head[4:8] == b"ftyp":
        return f"is an MP4 or M4A (AAC) file; echoic reads {READABLE}"
    if head[:4] == b"\x1aE\xdf\xa3":
        return f"is a WebM or Matroska file; echoic reads {READABLE}"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return f"is an AAC file; echoic reads {READABLE}"
    if head and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        return "is a text file, not audio"
    return f"is not audio that echoic reads ({READABLE})"


def _known(length: int) -> int:
    return 0 if any(length in unknown for unknown in _UNKNOWN_LENGTHS) else length


def _chunk_end(file: BinaryIO, size: int, *, order: str, data_id: bytes) -> int:
    """Where the samples of a RIFF or AIFF file should end, in bytes from its start."""
    position, length_64 = 12, None
    while position + 8 <= size:
        file.seek(position)
        chunk_id, length = struct.unpack(f"{order}4sI", file.read(8))
        if chunk_id == b"ds64":  # RF64: the true lengths, where 32 bits do not suffice
            body = file.read(16)
            length_64 = struct.unpack("<QQ", body)[1] if len(body) == 16 else None
        if chunk_id == data_id:
            if length == 0xFFFFFFFF and length_64 is not None:
                return position + 8 + int(length_64)
            return position + 8 + _known(length)
        position += 8 + length + length % 2  # chunks are padded to an even length
    return 0


def _w64_end(file: BinaryIO, size: int) -> int:
    """The same for Sony Wave64: 16-byte ids, 64-bit lengths that count their own header."""
    position = 40
    while position + 24 <= size:
        file.seek(position)
        chunk_id, length = struct.unpack("<16sQ", file.read(24))
        if chunk_id[:4] == b"data":
            return position + int(length)
        position += max(24, -(-length // 8) * 8)
    return 0


def _caf_end(file: BinaryIO, size: int) -> int:
    """The same for Apple's CAF: 64-bit lengths, of which -1 leaves the data open."""
    position = 8
    while position + 12 <= size:
        file.seek(position)
        chunk_id, length = struct.unpack(">4sq", file.read(12))
        if chunk_id == b"data" or length < 0:
            return position + 12 + max(0, int(length))
        position += 12 + length
    return 0


def _ogg_end(file: BinaryIO, size: int) -> int:
    """Where an Ogg file should end, from the last page that it holds."""
    start = max(0, size - 2 * _OGG_MAX_PAGE_BYTES)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return size + 1
    n_segments = page[26]
    end = start + at + 27 + n_segments + sum(page[27 : 27 + n_segments])
    return end if end > size or page[5] & _OGG_LAST_PAGE else size + 1
