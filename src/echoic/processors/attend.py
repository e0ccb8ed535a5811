"""Selective attention: only these sounds, or all but these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.processors.separate import Separate, SeparateState


class Attend:
    """Keep only some sounds of a wave, or mute some.

    Args:
        keep: Labels to keep; all else goes.
        mute: Labels to mute; all else stays. Exactly one of both is given.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        model: Name of the model.

    Shape:
        wave (channel, time) -> (channel, time).

    Delay: `delay` samples, 8 ms; as many samples come out of each call as went in.
    Hop: 1.

    Raises:
        ParameterError: both or none of keep and mute.
        LabelError: an unknown label.
        ModelError: there is no such model.
    """

    hop = 1

    def __init__(
        self,
        *,
        keep: Sequence[str] = (),
        mute: Sequence[str] = (),
        sample_rate: float,
        model: str = "hear",
    ) -> None:
        """Load the model."""
        if bool(keep) == bool(mute):
            raise ParameterError(f"give either keep or mute, got keep={keep!r}, mute={mute!r}")
        self.keeps = bool(keep)
        self.separate = Separate(labels=keep or mute, sample_rate=sample_rate, model=model)
        self.delay = self.separate.delay

    def _select(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        kept = signals[:-1].sum(axis=0) if self.keeps else signals[-1]
        return np.asarray(kept, dtype=np.float32)

    def __call__(
        self, wave: NDArray[np.floating], state: SeparateState | None = None
    ) -> tuple[NDArray[np.float32], SeparateState]:
        """Attend to the next chunk."""
        signals, state = self.separate(wave, state)
        return self._select(signals), state

    def finish(self, state: SeparateState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self._select(self.separate.finish(state))
