"""A disk-backed buffer of float16 frames, written by a first pass and read by a second."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic.errors import FileError
from echoic.outputs import describe_os_error

_IN_MEMORY = 1 << 25  # bytes; a larger buffer goes to an unnamed temporary file


class Spool:
    """Arrays (…, step) stored as float16 in a temporary file, read back by step.

    Memory does not grow with them, and the file is deleted with the `with` block.

    Args:
        folder: Folder of the temporary file; the system's default if None.

    Raises:
        FileError: the file cannot be written, for example because the disk is full.

    Example:
        >>> with Spool() as spool:
        ...     spool.append(np.arange(6.0).reshape(2, 3))
        ...     spool.append(np.ones((2, 1)))
        ...     spool.read(1, 4).tolist()
        [[1.0, 2.0, 1.0], [4.0, 5.0, 1.0]]
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed in __exit__
            _IN_MEMORY, dir=str(folder) if folder else None
        )
        self._shape: tuple[int, ...] = ()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, values: NDArray[np.floating]) -> None:
        """Append the next steps."""
        self._shape = values.shape[:-1]
        by_step = np.ascontiguousarray(np.moveaxis(values, -1, 0), dtype=np.float16)
        try:
            self._file.write(by_step.tobytes())
        except OSError as error:
            where = self._folder or tempfile.gettempdir()
            words = describe_os_error(error)
            raise FileError(f"{where}: a temporary file cannot be written: {words}") from error

    def read(self, start: int, stop: int) -> NDArray[np.float16]:
        """Return steps [start, stop), (…, step)."""
        n_bytes = 2 * int(np.prod(self._shape))
        self._file.seek(start * n_bytes)
        by_step = np.frombuffer(self._file.read((stop - start) * n_bytes), np.float16)
        return np.moveaxis(by_step.reshape(stop - start, *self._shape), 0, -1)
