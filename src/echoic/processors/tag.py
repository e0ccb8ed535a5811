"""Tagging: what is in a clip."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from echoic.processors.attend import as_channels
from echoic.processors.detect import Detect, smooth


def detect_blocks(
    blocks: Iterable[NDArray[np.float32]], *, sample_rate: float, model: str = "hear"
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Probabilities over a file read in blocks, the delay taken off.

    Args:
        blocks: (channel, time) each.
        sample_rate: Hz.
        model: Name of the network.

    Returns:
        (label, step) and the labels of the rows.
    """
    detect = Detect(sample_rate=sample_rate, model=model)
    parts, state = [], None
    for block in blocks:
        probabilities, state = detect(block, state)
        parts.append(probabilities)
    if state is not None:
        parts.append(detect.finish(state))
    return np.concatenate(parts, axis=-1)[:, detect.delay :], detect.labels


def rank(probabilities: NDArray[np.float32], labels: tuple[str, ...]) -> list[tuple[str, float]]:
    """Labels with their confidence, best first: the highest smoothed probability.

    One bark makes a clip one with a bark: the maximum over time, not the mean.
    """
    if probabilities.shape[1] == 0:
        return [(label, 0.0) for label in labels]
    confidence = smooth(probabilities).max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    return [(labels[k], round(float(confidence[k]), 4)) for k in order]


def tag(
    wave: NDArray[np.floating], *, sample_rate: float, model: str = "hear"
) -> list[tuple[str, float]]:
    """What is in a clip: every label with its confidence, best first.

    Args:
        wave: (time,) or (channel, time).
        sample_rate: Hz, 8 to 192 kHz.
        model: Name of the network.

    Raises:
        ParameterError: not a wave.

    Example:
        >>> silence = np.zeros(8000, np.float32)
        >>> len(tag(silence, sample_rate=16000))
        12
    """
    return rank(*detect_blocks([as_channels(wave)], sample_rate=sample_rate, model=model))
