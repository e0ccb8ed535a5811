"""Sounds that are read from the beginning, block by block, once or repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_channels
from echoic.processors.conditioning import Conditioning, measure
from echoic.streaming import block_samples, in_blocks

Wave = NDArray[np.float32]


def ignore_progress(_amount: float) -> None:
    """A progress callback that does nothing."""


class SoundOnce(Protocol):
    """Interface of a sound that may be live, of unknown length and to be read once."""

    sample_rate: int
    n_channels: int

    @property
    def n_samples(self) -> int | None:
        """Samples per channel; None if unknown."""

    @property
    def is_live(self) -> bool:
        """Whether it is decoded as it arrives, and so cannot be read again."""

    def blocks(self, advance: Callable[[float], None] = ignore_progress) -> Iterator[Wave]:
        """Yield blocks (channel, time) from the beginning; report seconds done to `advance`."""


class Sound(SoundOnce, Protocol):
    """A sound that can be read repeatedly; the command line's `Source` reads files."""

    @property
    def n_samples(self) -> int:
        """Samples per channel."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""


class NamedSound(Sound, Protocol):
    """A sound with a name and, if it can be opened again, a file."""

    path: str

    @property
    def name(self) -> str:
        """Name from which results are named."""

    @property
    def file(self) -> Path | None:
        """File from which it can be read again, if any."""


class WaveSound:
    """A wave in memory.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz.

    Raises:
        ParameterError: not a wave.
    """

    is_live = False

    def __init__(self, wave: NDArray[np.floating], *, sample_rate: int) -> None:
        self.wave = as_channels(wave)
        self.sample_rate = sample_rate
        self.n_channels, self.n_samples = self.wave.shape

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def blocks(self, advance: Callable[[float], None] = ignore_progress) -> Iterator[Wave]:
        """Yield blocks from the beginning; report the seconds of each to `advance` when done."""
        n_samples = block_samples(self.sample_rate, self.n_channels)
        for block in in_blocks(self.wave, n_samples):
            yield block
            advance(block.shape[-1] / self.sample_rate)


def conditioning_of(sound: SoundOnce) -> Conditioning:
    """How a sound is to be changed for the networks; it is read for that, unless it is live."""
    return measure(() if sound.is_live else sound.blocks(), sample_rate=sound.sample_rate)
