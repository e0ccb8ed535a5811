"""Inspect the container of an audio file before it is decoded.

libsndfile silently shortens a truncated WAV, AIFF, AU, W64 or Ogg file (at times
a CAF too): it trusts the file size over the length in the header. So the two are
compared here. A writer into a pipe cannot seek back to write the length into its
header; where libsndfile does not handle the placeholder left there (RF64, W64,
CAF, and a WAV of length 0), the header is patched here. FLAC and MP3 store their
length in samples and are checked by decoding (see `echoic.audio.recording`).

References:
    Multimedia Programming Interface and Data Specifications 1.0 (1991), RIFF;
    EBU Tech 3306 (2009), RF64; Apple, Audio Interchange File Format 1.3 (1989);
    RFC 3533 (2003), Ogg; Apple, Core Audio Format 1.0 (2005).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

READABLE = "WAV, RF64, W64, FLAC, OGG (Vorbis, Opus), MP3, AIFF, AU and CAF"

# Placeholder data lengths, as left by a writer that cannot seek back (a pipe).
_UNKNOWN_LENGTHS = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
_UNKNOWN_AIFF_LENGTHS = (*_UNKNOWN_LENGTHS, range(0x7F000000 - 4096, 0x7F000009))  # SoX
_UNKNOWN_64 = 1 << 62
_MOST = (1 << 32) - 1  # largest 32-bit length
_MAX_CHUNKS = 4096  # before the samples; a damaged file can have millions, of 8 bytes each
MAX_HEAD_BYTES = 1 << 20
_MAX_HEADS = 4
_OGG_MAX_PAGE_BYTES = 27 + 255 + 255 * 255
_OGG_LAST_PAGE = 0x04


WAV_PCM, WAV_FLOAT, WAV_EXTENSIBLE = 1, 3, 0xFFFE


class WavFormat(NamedTuple):
    """Contents of the fmt chunk of a WAV.

    kind: Of the samples, such as `WAV_PCM`.
    frame_bytes: Bytes for one sample of every channel.
    n_bits: Of a sample.
    """

    kind: int
    n_channels: int
    sample_rate: int
    frame_bytes: int
    n_bits: int

    @classmethod
    def parse(cls, chunk: bytes) -> WavFormat | None:
        """Parse the content of the chunk; None if it is too short."""
        if len(chunk) < 16:
            return None
        kind, n_channels, sample_rate, _, frame_bytes, n_bits = struct.unpack("<HHIIHH", chunk[:16])
        if kind == WAV_EXTENSIBLE and len(chunk) >= 26:
            (kind,) = struct.unpack("<H", chunk[24:26])
        return cls(kind, n_channels, sample_rate, frame_bytes, n_bits)

    @property
    def pads_samples(self) -> bool:
        """Whether samples are wider than their number of bits requires.

        `arecord -f S24_LE` puts 24 bits into the lower bytes of 4. libsndfile reads such files
        in part as if samples were 3 bytes wide, which makes them noise.
        """
        is_pcm = self.kind in (WAV_PCM, WAV_EXTENSIBLE)
        return is_pcm and self.frame_bytes > self.n_channels * -(-self.n_bits // 8)


class Layout(NamedTuple):
    """How to read a file: `head`, then its bytes from `begin` to `end`.

    head: A patched header; empty where the file is read as it is.
    begin, end: In bytes from the start of the file.
    n_missing: Bytes that the header promises and the file does not hold. For an
        Ogg file whose last page is complete but not flagged as last, 1: an
        unknown number of bytes must follow.
    """

    head: bytes
    begin: int
    end: int
    n_missing: int


def _as_it_is(size: int, end: int) -> Layout:
    """Layout of a file that is read as it is; `end` is its end by the header, 0 if unknown."""
    return Layout(b"", 0, size, max(0, end - size))


def lay_out(file: BinaryIO, size: int) -> Layout:
    """Find where the samples of a file lie, and whether all of them are there.

    Args:
        file: A seekable file, opened for reading; its position changes.
        size: The length of the file in bytes.

    Example:
        >>> import io
        >>> header = b"RIFF" + struct.pack("<I", 104) + b"WAVEdata" + struct.pack("<I", 100)
        >>> lay_out(io.BytesIO(header), size=len(header)).n_missing
        100
    """
    file.seek(0)
    head = file.read(16)
    kind = head[:4]
    if kind in (b"RIFF", b"RIFX"):
        return _riff(file, size, order="<" if kind == b"RIFF" else ">")
    if kind in (b"RF64", b"BW64"):
        return _rf64(file, size)
    if kind == b"riff":
        return _w64(file, size)
    if kind == b"caff":
        return _caf(file, size)
    end = 0
    if kind == b"FORM":
        end = _ssnd_end(file, size)
    elif kind == b".snd" and len(head) >= 12:
        offset, length = struct.unpack(">II", head[4:12])
        end = offset + (0 if is_unknown_length(length) else length)
    elif kind == b"OggS":
        end = _ogg_end(file, size)
    return _as_it_is(size, end)


def read_wav_format(file: BinaryIO, size: int) -> WavFormat | None:
    """Read the fmt chunk of a WAV; None of any other file, or if there is no such chunk."""
    file.seek(0)
    if file.read(4) != b"RIFF":
        return None
    for chunk_id, _, length in _chunks(file, size, "<"):
        if chunk_id == b"fmt ":
            return WavFormat.parse(file.read(min(length, 40)))
    return None


def says_no_length(file: BinaryIO) -> bool:
    """Whether the length of an MP3 must be inferred: it has no Xing or Info header.

    Example:
        >>> import io
        >>> says_no_length(io.BytesIO(bytes.fromhex("fffb90c4") + bytes(32) + b"Info"))
        False
    """
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3" and len(head) == 10:  # its size: four bytes of seven bits
        file.seek(10 + sum((head[6 + k] & 0x7F) << (21 - 7 * k) for k in range(4)))
    else:
        file.seek(0)
    frame = file.read(1024)
    return b"Xing" not in frame and b"Info" not in frame


def describe_unreadable(head: bytes) -> str:
    """Describe why echoic cannot read a file that libsndfile does not recognise.

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


def is_unknown_length(length: int, unknown: tuple[range, ...] = _UNKNOWN_LENGTHS) -> bool:
    """Whether this is a placeholder data length, as left by a writer into a pipe."""
    return any(length in one for one in unknown)


def _chunks(file: BinaryIO, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Iterate over the chunks of a RIFF or AIFF file: id, offset and length of the content."""
    position = 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > size:
            return
        file.seek(position)
        chunk_id, length = struct.unpack(f"{order}4sI", file.read(8))
        yield chunk_id, position + 8, length
        position += 8 + length + length % 2  # chunks are padded to an even length


def _riff(file: BinaryIO, size: int, *, order: str) -> Layout:
    """WAV: if the writer was interrupted before it wrote any length, the rest is all samples."""
    number = f"{order}I"
    for chunk_id, start, length in _chunks(file, size, order):
        if chunk_id != b"data":
            continue
        file.seek(4)
        (of_all,) = struct.unpack(number, file.read(4))
        if length == 0 and of_all + 8 <= start < size:
            return _mended(
                file, size, start, start - 4, lambda n: struct.pack(number, min(n, _MOST))
            )
        return _as_it_is(size, 0 if is_unknown_length(length) else start + length)
    return _as_it_is(size, 0)


def _ssnd_end(file: BinaryIO, size: int) -> int:
    """Where the samples of an AIFF should end; 0 where the header leaves that open."""
    for chunk_id, start, length in _chunks(file, size, ">"):
        if chunk_id == b"SSND":
            return 0 if is_unknown_length(length, _UNKNOWN_AIFF_LENGTHS) else start + length
    return 0


def _rf64(file: BinaryIO, size: int) -> Layout:
    """RF64: the ds64 chunk holds the true lengths where 32 bits do not suffice."""
    length_64, field = None, 0
    for chunk_id, start, length in _chunks(file, size, "<"):
        if chunk_id == b"ds64":
            body = file.read(16)
            field = start + 8
            length_64 = struct.unpack("<QQ", body)[1] if len(body) == 16 else None
        if chunk_id != b"data":
            continue
        if length != 0xFFFFFFFF or length_64 is None:
            return _as_it_is(size, 0 if is_unknown_length(length) else start + length)
        if length_64 == 0 or length_64 >= _UNKNOWN_64:
            return _mended(file, size, start, field, lambda n: struct.pack("<Q", n))
        return _as_it_is(size, start + length_64)
    return _as_it_is(size, 0)


def _w64(file: BinaryIO, size: int) -> Layout:
    """Sony Wave64: 16-byte ids, 64-bit lengths that include the chunk header."""
    position = 40
    for _ in range(_MAX_CHUNKS):
        if position + 24 > size:
            break
        file.seek(position)
        chunk_id, length = struct.unpack("<16sQ", file.read(24))
        if chunk_id[:4] == b"data":
            if length <= 24 or length >= _UNKNOWN_64:
                return _mended(
                    file, size, position + 24, position + 16, lambda n: struct.pack("<Q", n + 24)
                )
            return _as_it_is(size, position + length)
        position += max(24, -(-length // 8) * 8)
    return _as_it_is(size, 0)


def _caf(file: BinaryIO, size: int) -> Layout:
    """Apple's CAF: 64-bit lengths; -1 leaves the length of the data open."""
    position = 8
    for _ in range(_MAX_CHUNKS):
        if position + 12 > size:
            break
        file.seek(position)
        chunk_id, length = struct.unpack(">4sq", file.read(12))
        if chunk_id == b"data" and not 4 < length < _UNKNOWN_64:  # 4: edit count only
            return _mended(
                file, size, position + 16, position + 4, lambda n: struct.pack(">q", n + 4)
            )
        if chunk_id == b"data" or length < 0:
            return _as_it_is(size, position + 12 + length)
        position += 12 + length
    return _as_it_is(size, 0)


def _mended(
    file: BinaryIO, size: int, start: int, field: int, packed: Callable[[int], bytes]
) -> Layout:
    """Fill in the data length that the header left open, from the size of the file.

    Args:
        file: The file.
        size: Its length in bytes.
        start: Where the samples start if the header occurs once.
        field: Offset of the length field in the header.
        packed: Number of bytes of samples -> the bytes of that field.
    """
    if not 16 <= start < min(size, MAX_HEAD_BYTES):
        return _as_it_is(size, 0)
    file.seek(0)
    head = bytearray(file.read(start))

    def is_head(position: int) -> bool:
        file.seek(position)
        return file.read(16) == head[:16]

    # SoX, which cannot seek back in a pipe, writes its header a second time: drop the copies.
    begin, end = start, size
    for _ in range(_MAX_HEADS):
        if begin + start <= end and is_head(begin):
            begin += start
        if begin + start <= end and is_head(end - start):
            end -= start
    content = packed(end - begin)
    head[field : field + len(content)] = content
    return Layout(bytes(head), begin, end, 0)


def _ogg_end(file: BinaryIO, size: int) -> int:
    """Where an Ogg file should end, from the last page in it."""
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
