"""Streaming detection of events in probabilities: memory does not grow with the sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echoic.events import BRIDGE_S, Event

SHORTEST_EVENT_S = 0.1
_SMOOTHING_S = 0.09  # rounded to an odd number of steps, so that the window has a centre
# Fractions of the threshold: an event lasts while the probability stays above the first, and has
# its edges where it first exceeds the second and last the third. Tuned on held-out recordings.
_HOLD, _ONSET, _OFFSET = 0.05, 0.1, 0.3


class Smoother:
    """Centred moving average over 0.09 s, of (label, step) block by block.

    At the edges, the first and the last step are repeated.

    Args:
        step_s: Seconds per step.

    Example:
        >>> smoother = Smoother(step_s=0.03)
        >>> first = smoother.add(np.array([[0.0, 3.0]], np.float32))
        >>> np.concatenate([first, smoother.finish()], axis=1).tolist()
        [[1.0, 2.0]]
    """

    def __init__(self, *, step_s: float) -> None:
        self._half = round((_SMOOTHING_S / step_s - 1) / 2)
        self._recent: NDArray[np.float32] | None = None

    def add(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add the next steps; return those that can be smoothed now, half a window late."""
        if not probabilities.shape[1]:
            return probabilities
        if self._recent is None:
            self._recent = np.repeat(probabilities[:, :1], self._half, axis=1)
        joined = np.concatenate([self._recent, probabilities], axis=1)
        width = 2 * self._half + 1
        self._recent = joined[:, max(joined.shape[1] - width + 1, 0) :]
        if joined.shape[1] < width:
            return joined[:, :0]
        sums = np.cumsum(np.pad(joined, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
        return np.asarray((sums[:, width:] - sums[:, :-width]) / width, dtype=np.float32)

    def finish(self) -> NDArray[np.float32]:
        """The last half window of smoothed steps."""
        if self._recent is None:
            return np.zeros((0, 0), np.float32)
        if not self._recent.shape[1]:  # steps longer than the window
            return self._recent
        return self.add(np.repeat(self._recent[:, -1:], self._half, axis=1))


@dataclass
class _Span:
    """Steps [start, stop), which are -1 while not known, and their highest probability."""

    start: int = -1
    stop: int = -1
    peak: float = 0.0

    def add(self, smoothed: NDArray[np.float32], first: int, threshold: float) -> None:
        """Add the probabilities of the next steps, the number of the first of which is given."""
        self.peak = max(self.peak, float(smoothed.max()))
        begun = np.flatnonzero(smoothed >= _ONSET * threshold)
        lasting = np.flatnonzero(smoothed >= _OFFSET * threshold)
        if self.start < 0 and begun.size:
            self.start = first + int(begun[0])
        if lasting.size:
            self.stop = first + int(lasting[-1]) + 1


class EventFinder:
    """Find the events in probabilities that arrive block by block.

    An event begins where the smoothed probability first exceeds a tenth of its
    threshold and ends where it last exceeds three tenths, if it reaches the whole
    threshold and nowhere falls below a twentieth in between. Gaps under 0.4 s are
    bridged, events under 0.1 s dropped. Its confidence is the highest smoothed
    probability in it.

    Args:
        labels: Labels of the rows.
        threshold: Per label.
        step_s: Seconds per step.

    Example:
        >>> finder = EventFinder(labels=["rain"], threshold={"rain": 0.5}, step_s=0.02)
        >>> finder.add(np.repeat(np.float32([[0.0, 0.9, 0.0]]), 50, axis=1))
        >>> finder.finish(duration_s=3.0)
        [Event(label='rain', onset_s=1.0, offset_s=2.0, confidence=0.9)]
    """

    def __init__(
        self, *, labels: Sequence[str], threshold: Mapping[str, float], step_s: float
    ) -> None:
        self.labels = tuple(labels)
        self.step_s = step_s
        self._threshold = np.array([threshold[label] for label in labels], np.float32)
        self._smoother = Smoother(step_s=step_s)
        self._n_steps = 0
        self._open: dict[int, _Span] = {}  # row -> span that lasts
        self._found: dict[int, list[_Span]] = {}

    def add(self, probabilities: NDArray[np.float32]) -> None:
        """Add the next steps.

        Args:
            probabilities: (label, step), with the delay already removed.
        """
        self._take(self._smoother.add(probabilities))

    def finish(self, *, duration_s: float) -> list[Event]:
        """All events, in order of onset.

        Args:
            duration_s: Duration of the sound; events are cut off at its end.
        """
        self._take(self._smoother.finish())
        for row, span in self._open.items():
            self._close(row, span)
        self._open.clear()
        events = [
            event
            for row, spans in self._found.items()
            for span in spans
            if (event := self._event(self.labels[row], span, duration_s)) is not None
        ]
        return sorted(events, key=lambda event: (event.onset_s, event.label))

    def _take(self, smoothed: NDArray[np.float32]) -> None:
        """Update the spans with smoothed probabilities (label, step)."""
        if not smoothed.size:
            return
        held = smoothed >= _HOLD * self._threshold[:, np.newaxis]
        n_steps = smoothed.shape[1]
        for row in set(np.flatnonzero(held.any(axis=1)).tolist()) | set(self._open):
            if row in self._open and not held[row, 0]:
                self._close(row, self._open.pop(row))
            for start, stop in runs(held[row]):
                span = self._open.pop(row, None) or _Span()
                threshold = float(self._threshold[row])
                span.add(smoothed[row, start:stop], self._n_steps + start, threshold)
                if stop == n_steps:
                    self._open[row] = span
                else:
                    self._close(row, span)
        self._n_steps += n_steps

    def _close(self, row: int, span: _Span) -> None:
        """Keep a span that reaches its threshold; merge it with the one before a short gap."""
        if span.peak < self._threshold[row]:
            return
        spans = self._found.setdefault(row, [])
        if spans and (span.start - spans[-1].stop) * self.step_s < BRIDGE_S:
            spans[-1].stop, spans[-1].peak = span.stop, max(spans[-1].peak, span.peak)
        else:
            spans.append(span)

    def _event(self, label: str, span: _Span, duration_s: float) -> Event | None:
        onset_s, offset_s = span.start * self.step_s, min(span.stop * self.step_s, duration_s)
        # Rounded: 0.24 − 0.14 is less than 0.1 in float64.
        if round(offset_s - onset_s, 9) < SHORTEST_EVENT_S:
            return None
        return Event(label, round(onset_s, 3), round(offset_s, 3), round(span.peak, 3))


def runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as (start, stop), the stop exclusive.

    Example:
        >>> runs(np.array([True, False, True, True]))
        [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def find_events(
    probabilities: NDArray[np.float32],
    *,
    labels: Sequence[str],
    threshold: Mapping[str, float],
    step_s: float,
    duration_s: float,
) -> list[Event]:
    """Find the events in the probabilities (label, step) of a whole sound; see `EventFinder`."""
    finder = EventFinder(labels=labels, threshold=threshold, step_s=step_s)
    finder.add(probabilities)
    return finder.finish(duration_s=duration_s)
