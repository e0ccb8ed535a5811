"""Read content and style from files, in the form that methods use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.audio.recording import READ_BLOCK_SAMPLES, Recording
from echoic.errors import AudioError, ParameterError
from echoic.style.styling import MIN_CONTENT_S, MIN_STYLE_S, check_sound
from echoic.style.windows import Waves, mono_of

MAX_STYLE_S = 10.0  # a longer style adds computation but no information


@dataclass(frozen=True, eq=False)
class Pair:
    """Content and style in the form that methods use.

    Attributes:
        content: The content's name.
        waves: (channel, time), the content.
        shown: (time,), the part of the style that methods use, at the content's rate.
        unseen: (time,), up to as much of the style that follows, held out; may be empty.
        sample_rate: Hz.
    """

    content: str
    waves: Waves
    shown: NDArray[np.float32]
    unseen: NDArray[np.float32]
    sample_rate: int


def read_pair(content: str, style: str, *, seconds: float | None = None) -> Pair:
    """Read the content, or its first seconds, and the shown and unseen parts of the style.

    Raises:
        AudioError: a file cannot be read, is silent or too short.
    """
    waves, rate = read_first(content, np.inf if seconds is None else seconds)
    manner, manner_rate = read_first(style, 2 * MAX_STYLE_S)
    n_shown = round(MAX_STYLE_S * manner_rate)
    parts = shown_of(manner, manner_rate, style), mono_of(manner[:, n_shown : 2 * n_shown])
    with _about(content):
        check_sound(mono_of(waves), rate, MIN_CONTENT_S, name="the content")
    shown, unseen = (
        audio.resample(part, sample_rate=manner_rate, to_sample_rate=rate) for part in parts
    )
    return Pair(content, waves, shown, unseen, rate)


def shown_of(waves: Waves, rate: int, path: str) -> NDArray[np.float32]:
    """The part of a style that methods use, (time,): the first ten seconds, channels averaged.

    Raises:
        AudioError: it is silent or too short.
    """
    wave = mono_of(waves[:, : round(MAX_STYLE_S * rate)])
    with _about(path):
        check_sound(wave, rate, MIN_STYLE_S, name="the style")
    return wave


def read_first(path: str, seconds: float) -> tuple[Waves, int]:
    """Read the first seconds of a file, (channel, time), and its sample rate; no more is decoded.

    Raises:
        AudioError: as for `audio.read`.
    """
    recording = Recording(path)
    n_wanted = min(seconds * recording.sample_rate, recording.n_samples)
    waves = np.empty((recording.n_channels, round(n_wanted)), np.float32)
    n_read = 0
    for block in recording.blocks(READ_BLOCK_SAMPLES):
        part = block[:, : waves.shape[1] - n_read]
        waves[:, n_read : n_read + part.shape[1]] = part
        n_read += part.shape[1]
        if n_read == waves.shape[1] < recording.n_samples:
            break
    return waves, recording.sample_rate


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Turn a ParameterError about a sound into an AudioError that names its file."""
    try:
        yield
    except ParameterError as error:
        raise AudioError(f"{path}: {error}") from error
