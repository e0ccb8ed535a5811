"""Standard input and named pipes, which can be read only once."""

from __future__ import annotations

import io
import math
import os
import select
import stat
import sys
import time
from contextlib import closing
from typing import BinaryIO

from echoic.audio.opening import STDIN, unreadable
from echoic.errors import AudioError

_LAST_WORDS_S = 0.5  # a recorder that gets the same Ctrl-C writes what it still holds


class Pipe:
    """A pipe that is read, and may be ended before its writer does; created by `open_pipe`.

    Attributes:
        name: For error messages.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file
        self._ends_at_s = math.inf

    @property
    def is_ended(self) -> bool:
        """Whether `end` was called."""
        return self._ends_at_s < math.inf

    def read(self, n_bytes: int) -> bytes:
        """Read `n_bytes`, fewer only at the end.

        Raises:
            AudioError: reading fails.
        """
        try:
            return self._file.read(n_bytes) or b""
        except (OSError, ValueError) as error:
            raise unreadable(self.name, error) from error

    def read_some(self, n_bytes: int) -> bytes:
        """Return 1 to `n_bytes` bytes as soon as any are available; none at the end.

        Raises:
            AudioError: reading fails.
        """
        try:
            came: bytes = self._file.read1(n_bytes)  # type: ignore[attr-defined]
            if not came and self.is_ended:
                left_s = max(0.0, self._ends_at_s - time.monotonic())
                select.select([self._file], [], [], left_s)
                came = self._file.read1(n_bytes)  # type: ignore[attr-defined]
            return came or b""
        except (OSError, ValueError) as error:
            raise unreadable(self.name, error) from error

    def read_all(self) -> bytes:
        """Read to the end.

        Raises:
            AudioError: reading fails.
        """
        content = io.BytesIO()
        # A single read for all would notice a signal only while it waits for more.
        while came := self.read_some(1 << 16):
            content.write(came)
        return content.getvalue()

    def end(self) -> None:
        """End the pipe after what its writer adds in half a second; for signal handlers.

        A system call that waits for more is repeated after a signal, and then no longer waits.
        """
        self._ends_at_s = time.monotonic() + _LAST_WORDS_S
        if not self._file.closed:
            os.set_blocking(self._file.fileno(), False)

    def close(self) -> None:
        """Close a named pipe; standard input is left open, as it belongs to the process."""
        if self.is_ended and not self._file.closed:
            os.set_blocking(self._file.fileno(), True)  # a setting that other processes share
        if self._file is not getattr(sys.stdin, "buffer", None):
            self._file.close()


def open_pipe(name: str) -> Pipe | None:
    """Open standard input or a named pipe; None for a file.

    Raises:
        AudioError: it does not exist, is a folder or a device, or cannot be opened.
    """
    try:
        if name == STDIN:
            if sys.stdin is None:
                raise AudioError("-: standard input is closed; pipe an audio file into it")
            if sys.stdin.isatty():
                raise AudioError("-: standard input is a terminal; pipe an audio file into it")
            return Pipe(name, sys.stdin.buffer)
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f"{name}: is a folder, not an audio file")
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise AudioError(f"{name}: is not a plain file")
        return Pipe(name, open(name, "rb")) if stat.S_ISFIFO(mode) else None
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error


def read_pipe(name: str) -> bytes | None:
    """Read all bytes of standard input or a named pipe; None for a file.

    Raises:
        AudioError: as `open_pipe`, or reading fails.
    """
    pipe = open_pipe(name)
    if pipe is None:
        return None
    with closing(pipe):
        return pipe.read_all()
