"""Tagging: rank the labels of a clip."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from echoic.processors.events import Smoother


def rank(
    probabilities: Iterable[NDArray[np.float32]], labels: tuple[str, ...], *, step_s: float
) -> list[tuple[str, float]]:
    """Rank labels by confidence, the highest smoothed probability, best first.

    The maximum over time, not the mean, since a single bark is enough to tag a clip.

    Args:
        probabilities: (label, step), block by block.
        labels: Labels of the rows.
        step_s: Seconds per step.
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
