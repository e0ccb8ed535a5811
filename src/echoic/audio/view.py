"""The bytes of a file as a decoder sees them: a patched header, then the samples."""

from __future__ import annotations

import os
from typing import BinaryIO

# An MP3 whose header gives no length is decoded to its end if it seems longer than it is.
_SEEMS_TIMES = 64
_ID3_BYTES = 128  # decoders look for a tag at the apparent end


class View:
    """A read-only file for libsndfile's callbacks: `head`, then file[begin:end].

    An exception inside a callback would be printed and lost, so a seek to a
    negative position, as from a damaged header, only returns −1, and OS errors
    are kept.

    Args:
        file: Seekable, opened for reading.
        head: Replaces the bytes before `begin`.
        begin: Where the rest starts in the file.
        end: Where it stops.
        seems_longer: Whether to report a larger size than the true one: a decoder
            that infers the length from the size then overestimates it, and finds
            the end by reading.

    Attributes:
        error: The first OS error, or None.

    Example:
        >>> import io
        >>> view = View(io.BytesIO(b"headsamplestail"), b"HEAD", 4, 11)
        >>> view.seek(2), view.read(99), view.seek(-9)
        (2, b'ADsamples', -1)
    """

    def __init__(
        self, file: BinaryIO, head: bytes, begin: int, end: int, *, seems_longer: bool = False
    ) -> None:
        self.error: OSError | None = None
        self._file, self._head, self._begin = file, head, begin
        self._size = len(head) + end - begin
        self._seems = self._size * _SEEMS_TIMES if seems_longer else self._size
        self._position = 0
        self._is_lost = False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move and return the position; −1 if it would be negative."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._seems}[whence]
        self._is_lost = origin + offset < 0
        if not self._is_lost:
            self._position = origin + offset
        return self.tell()

    def tell(self) -> int:
        """Return the position; −1 after a failed seek."""
        return -1 if self._is_lost else self._position

    def read(self, n_bytes: int) -> bytes:
        """Read at most `n_bytes`; on an OS error, keep it and return what was read before it."""
        if n_bytes <= 0 or self._is_lost:
            return b""
        start, stop = self._position, min(self._position + n_bytes, self._size)
        if start >= self._size:
            n_hidden = self._seems - start
            content = bytes(max(0, min(n_bytes, n_hidden))) if n_hidden <= _ID3_BYTES else b""
        else:
            content = self._head[start:stop]
            try:
                n_more = stop - start - len(content)
                if n_more:
                    self._file.seek(self._begin + start + len(content) - len(self._head))
                    content += self._file.read(n_more)
            except OSError as refused:
                self.error = self.error or refused
        self._position += len(content)
        return content
