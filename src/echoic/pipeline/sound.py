"""A sound that can be read from its beginning, block by block, once or more often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_channels
from echoic.streaming import block_samples, in_blocks

Wave = NDArray[np.float32]


def no_one(_amount: float) -> None:
    """Take no notice of the progress."""


class SoundOnce(Protocol):
    """What the pipeline asks of a sound that it reads once; of a live one nobody knows the end."""

    sample_rate: int
    n_channels: int

    @property
    def n_samples(self) -> int | None:
        """Samples per channel; None if unknown."""

    def blocks(self, advance: Callable[[float], None] = no_one) -> Iterator[Wave]:
        """Read from the beginning, (channel, time) each; `advance` gets the seconds done."""


class Sound(SoundOnce, Protocol):
    """One that can be read again; files are read by the command line's `Source`."""

    @property
    def n_samples(self) -> int:
        """Samples per channel."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""


class NamedSound(Sound, Protocol):
    """A sound that has a name and, if it can be opened again, a file."""

    path: str

    @property
    def name(self) -> str:
        """What results are named after."""

    @property
    def file(self) -> Path | None:
        """Where it can be read again."""


class WaveSound:
    """A wave in memory.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz.

    Raises:
        ParameterError: not a wave.
    """

    def __init__(self, wave: NDArray[np.floating], *, sample_rate: int) -> None:
        self.wave = as_channels(wave)
        self.sample_rate = sample_rate
        self.n_channels, self.n_samples = self.wave.shape

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def blocks(self, advance: Callable[[float], None] = no_one) -> Iterator[Wave]:
        """Read from the beginning; `advance` gets the seconds of each block when it is done."""
        n_samples = block_samples(self.sample_rate, self.n_channels)
        for block in in_blocks(self.wave, n_samples):
            yield block
            advance(block.shape[-1] / self.sample_rate)
