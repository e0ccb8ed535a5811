"""Selective attention to a whole sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from echoic.audio import open_writer
from echoic.pipeline.sound import Sound, WaveSound, no_one
from echoic.processors.attend import Attend
from echoic.streaming import run


def attend(
    wave: NDArray[np.floating],
    *,
    keep: Sequence[str] = (),
    mute: Sequence[str] = (),
    sample_rate: int,
    model: str = "hear",
) -> NDArray[np.float32]:
    """Keep or mute sounds of a whole wave, sample-aligned, same shape.

    Args:
        wave: (time,) or (channel, time).
        keep: Labels to keep; all else goes.
        mute: Labels to mute; all else stays. Exactly one of both is given.
        sample_rate: Hz, 8 to 192 kHz.
        model: Name of the model.

    Raises:
        ParameterError: both or none of keep and mute, or not a wave.
        LabelError: an unknown label.

    Example:
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> attend(noise, mute=["speech"], sample_rate=16000).shape
        (8000,)
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    module = Attend(keep=keep, mute=mute, sample_rate=sample_rate, model=model)
    whole = np.concatenate(list(run(module, sound.blocks())), axis=-1)
    return whole.reshape(np.shape(wave))


def attend_into(
    path: str,
    sound: Sound,
    *,
    keep: Sequence[str] = (),
    mute: Sequence[str] = (),
    model: str = "hear",
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """As `attend`, of a sound that is read block by block, into a file that appears whole."""
    module = Attend(keep=keep, mute=mute, sample_rate=sound.sample_rate, model=model)
    with open_writer(
        path,
        sample_rate=sound.sample_rate,
        channels=sound.n_channels,
        frames=sound.n_samples,
        force=force,
    ) as writer:
        for block in run(module, sound.blocks(advance)):
            writer.write(block)
