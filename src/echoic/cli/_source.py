"""An input that is read block by block, once or more often."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from echoic.cli._inputs import STDIN

if TYPE_CHECKING:
    from echoic.audio import LiveWav, Recording, Wave


def source_name(path: str) -> str:
    """What results of a file or "-" are named after."""
    return "stdin" if path == STDIN else Path(path).stem


def name_results(paths: Sequence[str], suffix: str, *, given: Sequence[str] = ()) -> dict[str, str]:
    """What the result of each input is called: the input's name with another suffix.

    Args:
        paths: The inputs.
        suffix: Of the results.
        given: What the user named; what lies deeper in a folder of these keeps its folders.

    Raises:
        typer.BadParameter: two of them would be one file, on a system that does
            not tell capitals from small letters as well.

    Example:
        >>> name_results(["in/a.wav", "-"], ".png")
        {'in/a.wav': 'a.png', '-': 'stdin.png'}
    """
    folders = [folder for folder in given if os.path.isdir(folder)]
    names: dict[str, str] = {}
    first: dict[str, str] = {}
    for path in paths:
        roots = [folder for folder in folders if path.startswith(os.path.join(folder, ""))]
        within = os.path.dirname(os.path.relpath(path, roots[0])) if roots else ""
        name = names[path] = os.path.join(within, source_name(path) + suffix)
        if name.casefold() in first:
            raise typer.BadParameter(
                f"two inputs have the same name, {first[name.casefold()]} and {path}: "
                f"both would be written to {name}; give them one at a time"
            )
        first[name.casefold()] = path
    return names


class SourceOnce:
    """A file, or a pipe, that is read once: a WAV in a pipe while it comes.

    Args:
        path: A file, a named pipe or "-".

    Raises:
        AudioError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._recording = self._open()
        self.sample_rate = self._recording.sample_rate
        self.n_channels = self._recording.n_channels

    def _open(self) -> LiveWav | Recording:
        from echoic.audio import open_once

        return open_once(self.path)

    @property
    def name(self) -> str:
        """What results are named after."""
        return source_name(self.path)

    @property
    def n_samples(self) -> int | None:
        """Samples per channel; None if unknown."""
        return self._recording.n_samples

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None if unknown."""
        return self._recording.duration_s

    def blocks(self, advance: Callable[[float], None] = lambda _amount: None) -> Iterator[Wave]:
        """Read from the beginning; what was warned of once is not warned of again.

        Args:
            advance: Called with the seconds of each block when it has been used.
        """
        from echoic.streaming import block_samples

        n_samples = block_samples(self.sample_rate, self.n_channels)
        for block in self._recording.blocks(n_samples):
            yield block
            advance(block.shape[-1] / self.sample_rate)


class Source(SourceOnce):
    """A file, or a pipe, whose bytes are kept in memory because they come only once.

    Args:
        path: A file, a named pipe or "-".

    Raises:
        AudioError: it cannot be read.
    """

    _recording: Recording

    def _open(self) -> Recording:
        from echoic.audio import Recording

        return Recording(self.path)

    @property
    def file(self) -> Path | None:
        """Where it can be read again; None for what came through a pipe."""
        return Path(self.path) if self._recording.is_file else None

    @property
    def n_samples(self) -> int:
        """Samples per channel."""
        return self._recording.n_samples

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._recording.duration_s
