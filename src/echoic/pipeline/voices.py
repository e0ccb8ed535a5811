"""Separation of two talkers in a whole sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.dividing import divided
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S
from echoic.processors.voices import Voices


def voices(
    wave: NDArray[np.floating],
    *,
    sample_rate: int,
    look_ahead_s: float = WHOLE_LOOK_AHEAD_S,
    model: str = "voices",
) -> NDArray[np.float32]:
    """Separate two talkers and the background of a whole wave, sample-aligned.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz.
        look_ahead_s: As for `Voices`; 0 gives what a stream gives, but waves that peak below
            −20 dBFS are amplified for the network, and an offset is taken away.
        model: Name of the model.

    Returns:
        (3, time) or (3, channel, time): the talkers, in arbitrary order, and the background.
        They add up to the wave.

    Raises:
        ParameterError: not a wave.
        ModelError: there is no such model.

    Example:
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> one, other, background = voices(noise, sample_rate=16000)
        >>> one.shape
        (8000,)
    """
    module = Voices(sample_rate=sample_rate, look_ahead_s=look_ahead_s, model=model)
    return np.stack(divided(wave, module, sample_rate=sample_rate))
