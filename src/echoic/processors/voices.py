"""Two talkers apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.processors.unmix import Unmix


class Voices(Unmix):
    """Two talkers and the background, each by itself; they add up to the wave.

    The talkers come in no order, but keep theirs as long as the stream lasts. Where one talks
    alone, the other's signal is nearly silent.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the model.

    Shape:
        wave (channel, time) -> (3, channel, time), in the order of `parts`.

    Delay: `delay` samples, 8 ms; as many samples come out of each call as went in.
    Hop: 1.

    Raises:
        ModelError: there is no such model, or it does not tell talkers apart.
    """

    parts = ("voice-1", "voice-2", "background")

    def __init__(self, *, sample_rate: float, model: str = "voices") -> None:
        super().__init__(model=model, kind="talkers", sample_rate=sample_rate)

    @property
    def separate(self) -> Unmix:
        """What gives the signals: itself."""
        return self

    def divide(self, signals: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The signals are the parts."""
        return tuple(signals)
