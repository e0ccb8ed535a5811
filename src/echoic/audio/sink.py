"""Where the bytes of an encoder go."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from echoic.errors import AudioError


class Sink:
    """A file for libsndfile's callbacks that keeps what the system refused.

    An exception inside a callback would be printed and lost; libsndfile itself
    notices a failed header only sometimes. So every refusal ends here.

    Attributes:
        error: The first refusal, or None.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: OSError | None = None
        self._file = file

    @classmethod
    def to_file(cls, path: Path) -> Sink:
        """Write a file anew."""
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as refused:
            if error is None:
                raise refused

    def write(self, data: bytes) -> int:
        """Write, or keep the refusal and report 0 bytes."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek, or keep the refusal and report -1."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # what was buffered is written first
            self.error = self.error or error
            return -1

    def tell(self) -> int:
        """Say the position."""
        return self._file.tell()

    def read(self, n_bytes: int) -> bytes:
        """Read back, as some encoders do to finish their header."""
        return self._file.read(n_bytes)

    def flush(self) -> None:
        """Hand on what is buffered, or keep the refusal."""
        try:
            self._file.flush()
        except OSError as error:
            self.error = self.error or error
