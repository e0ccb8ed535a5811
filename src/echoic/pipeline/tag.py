"""Tagging a whole sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from echoic.pipeline.sound import Sound, WaveSound, conditioning_of, ignore_progress
from echoic.processors.detect import Detect
from echoic.processors.tag import rank
from echoic.streaming import run


def tag(
    wave: NDArray[np.floating], *, sample_rate: int, model: str = "hear"
) -> list[tuple[str, float]]:
    """Tag a clip: every label with its confidence, best first.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz.
        model: Name of the model.

    Raises:
        ParameterError: not a wave.
        ModelError: there is no such model.

    Example:
        >>> silence = np.zeros(8000, np.float32)
        >>> tags = tag(silence, sample_rate=16000)
        >>> "speech" in dict(tags)
        True
    """
    return tag_sound(WaveSound(wave, sample_rate=sample_rate), model=model)


def tag_sound(
    sound: Sound, *, model: str = "hear", advance: Callable[[float], None] = ignore_progress
) -> list[tuple[str, float]]:
    """As `tag`, for a sound that is read block by block."""
    detect = Detect(sample_rate=sound.sample_rate, model=model)
    blocks = conditioning_of(sound).prepared(sound.blocks(advance))
    return rank(run(detect, blocks), detect.labels, step_s=detect.step_s)
