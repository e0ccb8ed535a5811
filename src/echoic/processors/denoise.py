"""Speech enhancement: keep the speech of a wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.audio.levels import db_to_gain
from echoic.checks import check_number
from echoic.errors import ParameterError
from echoic.processors.unmix import Unmix, UnmixState


class Denoise:
    """Keep the speech of a wave.

    An instance with another floor may continue from its state; the new floor is reached
    within 15 ms, without a click.

    Args:
        floor_db: Gain in dB to which everything but speech is attenuated, below 0; the
            residual sounds natural. Complete attenuation if None.
        sample_rate: Hz, 8 to 192 kHz; nothing is resampled.
        look_ahead_s: Additional delay in s, which improves the separation; 0 to 1.
        model: Name of the model.

    Shape:
        wave (channel, time) -> (channel, time).

    Delay: `delay` samples, 8 ms and the look-ahead; each call returns as many samples as it was
    given.
    Hop: 1.

    Raises:
        ParameterError: a floor that is not below 0.
        ModelError: there is no such model, or it does not separate speech.
    """

    hop = 1
    parts = ("kept", "left out")

    def __init__(
        self,
        *,
        sample_rate: float,
        floor_db: float | None = None,
        look_ahead_s: float = 0.0,
        model: str = "denoise",
    ) -> None:
        """Load the model."""
        floor = 0.0
        if floor_db is not None:
            check_number(floor_db, name="floor_db")
            if not floor_db < 0:
                raise ParameterError(f"floor_db={floor_db:g} is not below 0")
            floor = float(db_to_gain(floor_db))
        self.separate = Unmix(
            model=model,
            kind="speech",
            sample_rate=sample_rate,
            look_ahead_s=look_ahead_s,
            floor=floor,
        )
        self.delay = self.separate.delay

    def divide(
        self, signals: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Split the signals of `separate` into what is kept and what is left out."""
        kept, left_out = signals
        return kept, left_out

    def __call__(
        self, wave: NDArray[np.floating], state: UnmixState | None = None
    ) -> tuple[NDArray[np.float32], UnmixState]:
        """Denoise the next chunk."""
        signals, state = self.separate(wave, state)
        return self.divide(signals)[0], state

    def finish(self, state: UnmixState) -> NDArray[np.float32]:
        """The last `delay` samples."""
        return self.divide(self.separate.finish(state))[0]
