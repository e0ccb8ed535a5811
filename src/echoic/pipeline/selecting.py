"""A part of a whole sound, picked out by a processor: what attending and denoising share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from echoic.audio import open_writer
from echoic.pipeline.sound import Sound, WaveSound, no_one
from echoic.streaming import Streaming, run

Wave = NDArray[np.float32]


class Selects(Streaming[Any, Wave], Protocol):
    """A processor that keeps a part of a wave: `Attend`, `Denoise`."""

    @property
    def separate(self) -> Streaming[Any, Wave]:
        """What gives the signals that it chooses among."""

    def divide(self, signals: Wave) -> tuple[Wave, Wave]:
        """What is kept of the signals, and what is not; both add up to the sound."""


def select(wave: NDArray[np.floating], module: Selects, *, sample_rate: int) -> Wave:
    """What a processor keeps of a whole wave, sample-aligned, same shape.

    Raises:
        ParameterError: not a wave.
    """
    sound = WaveSound(wave, sample_rate=sample_rate)
    whole = np.concatenate(list(run(module, sound.blocks())), axis=-1)
    return whole.reshape(np.shape(wave))


def select_into(
    path: str,
    sound: Sound,
    module: Selects,
    *,
    rest: str | None = None,
    force: bool = False,
    advance: Callable[[float], None] = no_one,
) -> None:
    """As `select`, of a sound that is read block by block, into files that appear whole.

    Args:
        path: Takes what is kept.
        sound: Read once.
        module: Made for the sound's rate.
        rest: Takes what is not kept, if it is wanted; both add up to the sound.
        force: Whether files that are there already may be replaced.
        advance: Takes the seconds that are done.
    """
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
