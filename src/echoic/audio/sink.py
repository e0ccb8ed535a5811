"""Where the bytes of an encoder go."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType


class Sink:
    """A file for libsndfile's callbacks that keeps what the system refused.

    An exception inside a callback would be printed and lost; libsndfile itself
    notices a failed header only sometimes. So every refusal ends here.

    Attributes:
        error: The first refusal, or None.
    """

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self._file = open(path, "w+b", buffering=1 << 18)  # noqa: SIM115 - closed in __exit__

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
        """Hand on what is buffered."""
        self._file.flush()
