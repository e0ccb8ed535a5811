"""Calibration of confidence: of events of confidence 0.7, seven in ten should be true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from echoic.checks import check_count
from echoic.errors import ParameterError
from echoic.events import Event


class ReliabilityBin(NamedTuple):
    """Events of similar confidence: number, mean confidence, and fraction that is true."""

    n_events: int
    confidence: float
    precision: float


def is_true(event: Event, reference_events: Sequence[Event]) -> bool:
    """Whether the event's label is active in the reference for at least half of the event.

    An event without length is never true.

    Example:
        >>> is_true(Event("rain", 0.0, 2.0), [Event("rain", 1.0, 5.0)])
        True
    """
    own = (true for true in reference_events if true.label == event.label)
    shared_s, reached_s = 0.0, event.onset_s
    for true in sorted(own, key=lambda true: true.onset_s):
        stop_s = min(true.offset_s, event.offset_s)
        shared_s += max(0.0, stop_s - max(true.onset_s, reached_s))
        reached_s = max(reached_s, stop_s)
    return shared_s > 0 and shared_s >= 0.5 * (event.offset_s - event.onset_s)


def reliability(
    confidence: ArrayLike, true: ArrayLike, *, n_bins: int = 10
) -> list[ReliabilityBin]:
    """Reliability curve in bins of equal width; empty bins are omitted.

    Args:
        confidence: 0 to 1.
        true: Whether the event is true.
        n_bins: Number of bins of equal width.

    Shape:
        confidence (event,), true (event,).

    Raises:
        ParameterError: shapes differ, a confidence is not between 0 and 1, or there is no bin.

    References:
        DeGroot and Fienberg 1983.

    Example:
        >>> reliability([0.9, 0.9, 0.2], [True, False, False])[-1]
        ReliabilityBin(n_events=2, confidence=0.9, precision=0.5)
    """
    n_bins = check_count(n_bins, name="n_bins")
    confidence, true = np.asarray(confidence, np.float64), np.asarray(true, np.bool_)
    if confidence.ndim != 1 or confidence.shape != true.shape:
        raise ParameterError(f"confidence {confidence.shape}, true {true.shape}: not (event,)")
    if not np.all((confidence >= 0) & (confidence <= 1)):
        raise ParameterError("a confidence is not between 0 and 1")
    place = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    bins = [place == k for k in range(n_bins)]
    return [
        ReliabilityBin(int(own.sum()), float(confidence[own].mean()), float(true[own].mean()))
        for own in bins
        if own.any()
    ]


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean absolute difference of confidence and precision over all events; NaN if none.

    References:
        Naeini, Cooper, Hauskrecht 2015.

    Example:
        >>> expected_calibration_error([ReliabilityBin(2, 0.9, 0.5), ReliabilityBin(2, 0.3, 0.3)])
        0.2
    """
    n_events = sum(one.n_events for one in bins)
    if not n_events:
        return float("nan")
    return sum(one.n_events * abs(one.confidence - one.precision) for one in bins) / n_events
