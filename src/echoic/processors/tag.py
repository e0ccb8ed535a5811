"""Tagging: what is in a clip."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from echoic.processors.events import Smoother


def rank(
    probabilities: Iterable[NDArray[np.float32]], labels: tuple[str, ...], *, step_s: float
) -> list[tuple[str, float]]:
    """Labels with their confidence, best first: the highest smoothed probability.

    One bark makes a clip one with a bark: the maximum over time, not the mean.

    Args:
        probabilities: (label, step), block by block.
        labels: Of the rows.
        step_s: Seconds a step.
    """
    smoother = Smoother(step_s=step_s)
    confidence = np.zeros(len(labels), np.float32)
    for block in probabilities:
        confidence = np.maximum(confidence, smoother.add(block).max(axis=1, initial=0))
    last = smoother.finish()
    if last.size:
        confidence = np.maximum(confidence, last.max(axis=1))
    order = np.argsort(-confidence, kind="stable")
    return [(labels[k], round(float(confidence[k]), 4)) for k in order]
