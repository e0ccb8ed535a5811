"""Tagging: what is in a clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.processors.detect import detect_blocks, smooth
from echoic.streaming import as_channels, in_blocks


def rank(probabilities: NDArray[np.float32], labels: tuple[str, ...]) -> list[tuple[str, float]]:
    """Labels with their confidence, best first: the highest smoothed probability.

    One bark makes a clip one with a bark: the maximum over time, not the mean.
    """
    if probabilities.shape[1] == 0:
        return [(label, 0.0) for label in labels]
    confidence = np.array([smooth(row[np.newaxis]).max() for row in probabilities])
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
    return rank(*detect_blocks(in_blocks(as_channels(wave)), sample_rate=sample_rate, model=model))
