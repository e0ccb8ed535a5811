"""An input that is read more than once, block by block."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from echoic.cli._inputs import STDIN
from echoic.errors import EchoicWarning

if TYPE_CHECKING:
    from echoic.audio.files import Wave


def source_name(path: str) -> str:
    """What results of a file or "-" are named after."""
    return "stdin" if path == STDIN else Path(path).stem


class Source:
    """A file, or standard input, which is kept in memory because it comes only once.

    Args:
        path: A file or "-".

    Raises:
        AudioError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        from echoic.audio import info, read

        self.path = path
        self._wave: Wave | None = None
        self._was_read = False
        if path == STDIN:
            self._wave, self.sample_rate = read(path)
            self.n_channels, self.n_samples = self._wave.shape
        else:
            found = info(path)
            self.sample_rate = found.sample_rate
            self.n_channels, self.n_samples = found.channels, found.frames

    @property
    def name(self) -> str:
        """What results are named after."""
        return source_name(self.path)

    @property
    def file(self) -> Path | None:
        """Where it can be read again; None for what came through a pipe."""
        return None if self.path == STDIN else Path(self.path)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def blocks(self, advance: Callable[[float], None] = lambda _amount: None) -> Iterator[Wave]:
        """Read from the beginning; what was warned of once is not warned of again.

        Args:
            advance: Called with the seconds of each block when it has been used.
        """
        with warnings.catch_warnings():
            if self._was_read:
                warnings.simplefilter("ignore", EchoicWarning)
            for block in self._read():
                yield block
                advance(block.shape[-1] / self.sample_rate)
        self._was_read = True

    def _read(self) -> Iterator[Wave]:
        from echoic.audio import blocks
        from echoic.streaming import BLOCK_SAMPLES, in_blocks

        if self._wave is None:
            yield from blocks(self.path, BLOCK_SAMPLES)
            return
        yield from in_blocks(self._wave)
