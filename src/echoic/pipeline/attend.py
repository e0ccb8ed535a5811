"""Selective attention to a whole sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.dividing import divided
from echoic.processors.attend import Attend
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S


def attend(
    wave: NDArray[np.floating],
    *,
    keep: Iterable[str] | None = None,
    mute: Iterable[str] | None = None,
    like: NDArray[np.floating] | None = None,
    sample_rate: int,
    like_sample_rate: int | None = None,
    look_ahead_s: float = WHOLE_LOOK_AHEAD_S,
    model: str = "hear",
) -> NDArray[np.float32]:
    """Keep or mute sounds of a whole wave, sample-aligned, same shape.

    Args:
        wave: (time,) or (channel, time).
        keep: Labels to keep; everything else is removed.
        mute: Labels to mute; everything else is kept.
        like: A few seconds of a sound alone, (time,) or (channel, time), to keep what sounds
            like it; if it is a voice, that talker. Only its first minute counts. Exactly one of
            the three is given.
        sample_rate: Hz, 8 to 192 kHz.
        like_sample_rate: Hz, of the example; `sample_rate` if None.
        look_ahead_s: As for `Attend`; 0 gives what a stream gives, but waves that peak below
            −20 dBFS are amplified for the network, and an offset is taken away.
        model: Name of the model.

    Raises:
        ParameterError: not one of keep, mute and like; not a wave; a silent example.
        LabelError: an unknown label.
        ModelError: there is no such model.

    Example:
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> attend(noise, mute=["speech"], sample_rate=16000).shape
        (8000,)
    """
    module = Attend(
        keep=keep,
        mute=mute,
        like=like,
        sample_rate=sample_rate,
        like_sample_rate=like_sample_rate,
        look_ahead_s=look_ahead_s,
        model=model,
    )
    kept, _ = divided(wave, module, sample_rate=sample_rate)
    return kept
