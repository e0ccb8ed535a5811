"""Output file of an encoder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from echoic.errors import AudioError


class Sink:
    """A file for libsndfile's callbacks that keeps OS errors.

    An exception inside a callback would be printed and lost, and libsndfile itself
    notices a failed header only sometimes. So every OS error is kept here.

    Attributes:
        error: The first OS error, or None.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: OSError | None = None
        self._file = file

    @classmethod
    def to_file(cls, path: Path) -> Sink:
        """Create or overwrite a file."""
        return cls(open(path, "w+b", buffering=1 << 18))

    @classmethod
    def to_stdout(cls) -> Sink:
        """Write to standard output.

        Raises:
            AudioError: it is a terminal, or closed.
        """
        if sys.stdout is None or sys.stdout.isatty():
            raise AudioError("-: standard output is a terminal; pipe it into a program or a file")
        sys.stdout.flush()
        return cls(os.fdopen(os.dup(sys.stdout.fileno()), "wb"))

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            self._file.close()
        except OSError as refused:
            if error is None:
                raise refused

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._file.closed

    def write(self, data: bytes) -> int:
        """Write; on an OS error, keep it and return 0 bytes."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek; on an OS error, keep it and return -1."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # seeking writes the buffer first
            self.error = self.error or error
            return -1

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def read(self, n_bytes: int) -> bytes:
        """Read back, as some encoders do to finish their header."""
        return self._file.read(n_bytes)

    def flush(self) -> None:
        """Write the buffer; keep an OS error."""
        try:
            self._file.flush()
        except OSError as error:
            self.error = self.error or error
