"""Speech enhancement of a whole sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.dividing import divided
from echoic.processors.denoise import Denoise
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S


def denoise(
    wave: NDArray[np.floating],
    *,
    sample_rate: int,
    floor_db: float | None = None,
    look_ahead_s: float = WHOLE_LOOK_AHEAD_S,
    model: str = "denoise",
) -> NDArray[np.float32]:
    """Keep the speech of a whole wave, sample-aligned, same shape.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz.
        floor_db: Gain in dB to which everything but speech is attenuated, below 0; complete
            attenuation if None.
        look_ahead_s: As for `Denoise`; 0 gives what a stream gives, but waves that peak below
            −20 dBFS are amplified for the network, and an offset is taken away.
        model: Name of the model.

    Raises:
        ParameterError: not a wave, or a floor that is not below 0.
        ModelError: there is no such model.

    Example:
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> denoise(noise, sample_rate=16000).shape
        (8000,)
    """
    module = Denoise(
        sample_rate=sample_rate, floor_db=floor_db, look_ahead_s=look_ahead_s, model=model
    )
    kept, _ = divided(wave, module, sample_rate=sample_rate)
    return kept
