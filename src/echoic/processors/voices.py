"""Separation of two talkers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.processors.unmix import Unmix


class Voices(Unmix):
    """Separate a wave into two talkers and the background, which add up to it.

    The order of the talkers is arbitrary, but kept throughout a stream. While only one of them
    talks, the other's signal is nearly silent.

    Args:
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        look_ahead_s: Additional delay in s, which improves the separation; 0 to 1.
        model: Name of the model.

    Shape:
        wave (channel, time) -> (3, channel, time), in the order of `parts`.

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
    Hop: 1.

    Raises:
        ModelError: there is no such model, or it does not separate talkers.
    """

    parts = ("voice-1", "voice-2", "background")

    def __init__(
        self, *, sample_rate: float, look_ahead_s: float = 0.0, model: str = "voices"
    ) -> None:
        super().__init__(
            model=model, kind="talkers", sample_rate=sample_rate, look_ahead_s=look_ahead_s
        )

    @property
    def separate(self) -> Unmix:
        """Module that computes the signals: this one."""
        return self

    def divide(self, signals: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Return the signals, which are the parts."""
        return tuple(signals)
