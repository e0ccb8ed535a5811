"""Selective attention to a whole sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

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
    like: NDArray[np.floating] | None = None,
    sample_rate: int,
    like_sample_rate: int | None = None,
    model: str = "hear",
) -> NDArray[np.float32]:
    """Keep or mute sounds of a whole wave, sample-aligned, same shape.

    Args:
        wave: (time,) or (channel, time).
        keep: Labels to keep; all else goes.
        mute: Labels to mute; all else stays.
        like: A few seconds of a sound, (time,) or (channel, time), to keep what is like it.
            Exactly one of the three is given.
        sample_rate: Hz, 8 to 192 kHz.
        like_sample_rate: Hz, of the example; `sample_rate` if None.
        model: Name of the model.

    Raises:
        ParameterError: not one of keep, mute and like; not a wave; a silent example.
        LabelError: an unknown label.
        ModelError: the model can be asked for labels only.

    Example:
        >>> noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
        >>> attend(noise, mute=["speech"], sample_rate=16000).shape
        (8000,)
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    module = Attend(
        keep=keep,
        mute=mute,
        like=like,
        sample_rate=sample_rate,
        like_sample_rate=like_sample_rate,
        model=model,
    )
    whole = np.concatenate(list(run(module, sound.blocks())), axis=-1)
    return whole.reshape(np.shape(wave))


def attend_into(
    path: str,
    sound: Sound,
    *,
    rest: str | None = None,
    force: bool = False,
    advance: Callable[[float], None] = no_one,
    **selection: Any,
) -> None:
    """As `attend`, of a sound that is read block by block, into files that appear whole.

    Args:
        path: Takes what is attended to.
        sound: Read once.
        rest: Takes what is not, if it is wanted; both add up to the sound.
        force: Whether files that are there already may be replaced.
        advance: Takes the seconds that are done.
        selection: Options of `Attend`: keep, mute, like, model.
    """
    module = Attend(sample_rate=sound.sample_rate, **selection)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                open_writer(
                    one,
                    sample_rate=sound.sample_rate,
                    channels=sound.n_channels,
                    frames=sound.n_samples,
                    force=force,
                )
            )
            for one in ([path] if rest is None else [path, rest])
        ]
        for signals in run(module.separate, sound.blocks(advance)):
            for writer, signal in zip(writers, module.divide(signals), strict=False):
                writer.write(signal)
