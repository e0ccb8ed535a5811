"""Tagging: what is in a clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echoic.processors.detect import smooth


def rank(
    probabilities: NDArray[np.float32], labels: tuple[str, ...], *, step_s: float
) -> list[tuple[str, float]]:
    """Labels with their confidence, best first: the highest smoothed probability.

    One bark makes a clip one with a bark: the maximum over time, not the mean.
    """
    if probabilities.shape[1] == 0:
        return [(label, 0.0) for label in labels]
    confidence = np.array([smooth(row[np.newaxis], step_s=step_s).max() for row in probabilities])
    order = np.argsort(-confidence, kind="stable")
    return [(labels[k], round(float(confidence[k]), 4)) for k in order]
