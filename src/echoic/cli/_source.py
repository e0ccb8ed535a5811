"""Inputs that are read block by block, once or repeatedly."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from echoic.cli._inputs import STDIN, named_folders
from echoic.cli._signals import first_interrupt

if TYPE_CHECKING:
    from echoic.audio import LiveWav, Pipe, Recording, Wave


def source_name(path: str) -> str:
    """Return the base name for results of a file: its stem, "stdin" for "-"."""
    return "stdin" if path == STDIN else Path(path).stem


def name_results(paths: Sequence[str], suffix: str, *, given: Sequence[str] = ()) -> dict[str, str]:
    """Return the name of each input's result: the input's name with another suffix.

    Inputs that differ in nothing but their suffix keep it in the result's name.

    Args:
        paths: The inputs.
        suffix: Of the results.
        given: The arguments as typed; files from a folder keep their path relative to it.

    Raises:
        typer.BadParameter: two results would have the same name, compared without case so
            that this also holds on case-insensitive file systems.

    Example:
        >>> name_results(["in/a.wav", "b.wav", "b.flac", "-"], ".png")
        {'in/a.wav': 'a.png', 'b.wav': 'b.wav.png', 'b.flac': 'b.flac.png', '-': 'stdin.png'}
    """
    folders = named_folders(given)

    def name_of(path: str, own: str) -> str:
        roots = [folder for folder in folders if path.startswith(os.path.join(folder, ""))]
        within = os.path.dirname(os.path.relpath(path, min(roots, key=len))) if roots else ""
        return os.path.join(within, own + suffix)

    names = {path: name_of(path, source_name(path)) for path in paths}
    n_alike = Counter(name.casefold() for name in names.values())
    first: dict[str, str] = {}
    for path, name in names.items():
        if n_alike[name.casefold()] > 1:
            name = names[path] = name_of(path, os.path.basename(path))
        if name.casefold() in first:
            raise typer.BadParameter(
                f"two inputs have the same name, {first[name.casefold()]} and {path}: "
                f"both would be written to {name}; give them one at a time"
            )
        first[name.casefold()] = path
    return names


class SourceOnce:
    """A file or pipe that is read once; a WAV in a pipe is decoded as it arrives.

    The first Ctrl-C ends a pipe whose length is not known, such as that of a recorder.

    Args:
        path: A file, a named pipe or "-".

    Raises:
        AudioError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        from echoic.audio import Recording, open_pipe

        self.path = path
        self._pipe = open_pipe(path)
        self._recording = Recording(path) if self._pipe is None else self._from_pipe(self._pipe)
        self.sample_rate = self._recording.sample_rate
        self.n_channels = self._recording.n_channels

    def _from_pipe(self, pipe: Pipe) -> LiveWav | Recording:
        from echoic.errors import AudioError

        try:
            with first_interrupt(pipe.end):
                return self._decode(pipe)
        except AudioError as error:
            if pipe.is_ended:  # too early
                raise KeyboardInterrupt from error
            raise

    def _decode(self, pipe: Pipe) -> LiveWav | Recording:
        from echoic.audio import decode_pipe

        return decode_pipe(pipe)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Close the pipe after the block, in which `blocks` is read."""
        if self._pipe is None:
            yield
            return
        is_open_ended = self.n_samples is None
        interruption = first_interrupt(self._pipe.end) if is_open_ended else nullcontext()
        with closing(self._pipe), interruption:
            yield

    @property
    def name(self) -> str:
        """Base name for results."""
        return source_name(self.path)

    @property
    def is_live(self) -> bool:
        """Whether it is decoded as it arrives."""
        from echoic.audio import LiveWav

        return isinstance(self._recording, LiveWav)

    @property
    def n_samples(self) -> int | None:
        """Samples per channel; None if unknown."""
        return self._recording.n_samples

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None if unknown."""
        return self._recording.duration_s

    def blocks(self, advance: Callable[[float], None] = lambda _amount: None) -> Iterator[Wave]:
        """Yield blocks from the beginning; a warning is not repeated.

        Args:
            advance: Called with the duration of each block in seconds, once it is consumed.
        """
        from echoic.streaming import block_samples

        n_samples = block_samples(self.sample_rate, self.n_channels)
        for block in self._recording.blocks(n_samples):
            yield block
            advance(block.shape[-1] / self.sample_rate)


class Source(SourceOnce):
    """A file or pipe that can be read repeatedly; the bytes of a pipe are kept in memory.

    Args:
        path: A file, a named pipe or "-".

    Raises:
        AudioError: it cannot be read.
    """

    _recording: Recording

    def _decode(self, pipe: Pipe) -> Recording:
        from echoic.audio import Recording

        with closing(pipe):
            return Recording(self.path, content=pipe.read_all())

    @property
    def file(self) -> Path | None:
        """Path of the file; None for a pipe."""
        return Path(self.path) if self._recording.is_file else None

    @property
    def n_samples(self) -> int:
        """Samples per channel."""
        return self._recording.n_samples

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._recording.duration_s
