"""F1 of events at three granularities: the labels of a scene, its segments, single events.

Each measure returns counts; counts of several scenes add up, and F1 is computed from the sum:

    total = sum(segment_f1(…) for scene in scenes)
    total.f1, total.f1_of("rain"), total.macro_f1

Undefined values, such as the F1 of a label that neither occurs nor is ever detected, are NaN.
The `confidence` of an estimated event is ignored.

References:
    Mesaros, Heittola, Virtanen (2016), "Metrics for polyphonic sound event detection", Applied
    Sciences 6(6), and their sed_eval.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from echoic.errors import LabelError, ParameterError
from echoic.events import Event
from echoic.labels import distinct_labels

_SLACK = 1e-9  # an event that ends at 3 · 0.1 s does not reach the segment from 0.3 s on


@dataclass(frozen=True)
class DetectionCounts:
    """True positives, false positives and false negatives per label; counts can be added.

    Attributes:
        labels: The labels evaluated; the order of the counts.
        tp: True positives: detected and present.
        fp: False positives: detected but not present.
        fn: False negatives: present but not detected.

    Example:
        >>> counts = DetectionCounts(("rain", "dog_bark"), (3, 0), (1, 2), (0, 0))
        >>> counts += counts
        >>> counts.tp, round(counts.f1, 2), round(counts.f1_of("rain"), 2)
        ((6, 0), 0.67, 0.86)
    """

    labels: tuple[str, ...]
    tp: tuple[int, ...]
    fp: tuple[int, ...]
    fn: tuple[int, ...]

    def __radd__(self, zero: int) -> DetectionCounts:
        return self if zero == 0 else NotImplemented  # `sum` starts from 0

    def __add__(self, other: DetectionCounts) -> DetectionCounts:
        if other.labels != self.labels:
            raise ParameterError(f"counts of {other.labels} cannot be added to {self.labels}")
        pairs = ((self.tp, other.tp), (self.fp, other.fp), (self.fn, other.fn))
        tp, fp, fn = (tuple(a + b for a, b in zip(*pair, strict=True)) for pair in pairs)
        return DetectionCounts(self.labels, tp, fp, fn)

    @property
    def precision(self) -> float:
        """Fraction of detections that are true; over all labels."""
        return _ratio(sum(self.tp), sum(self.tp) + sum(self.fp))

    @property
    def recall(self) -> float:
        """Fraction of the reference that was detected; over all labels."""
        return _ratio(sum(self.tp), sum(self.tp) + sum(self.fn))

    @property
    def f1(self) -> float:
        """Micro average: F1 of the counts summed over labels."""
        return _ratio(2 * sum(self.tp), 2 * sum(self.tp) + sum(self.fp) + sum(self.fn))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the labels that have one."""
        defined = [f1 for f1 in map(self.f1_of, self.labels) if not math.isnan(f1)]
        return _ratio(sum(defined), len(defined))

    def f1_of(self, label: str) -> float:
        """F1 of one label.

        Raises:
            LabelError: the label was not evaluated.
        """
        if label not in self.labels:
            raise LabelError(f"label {label!r} is not one of {self.labels}")
        k = self.labels.index(label)
        return _ratio(2 * self.tp[k], 2 * self.tp[k] + self.fp[k] + self.fn[k])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _count(
    reference: Sequence[Event],
    estimated: Sequence[Event],
    labels: Iterable[str],
    compare: Callable[[list[Event], list[Event]], tuple[int, int, int]],
) -> DetectionCounts:
    """Count per label; `compare` returns the numbers of matches, reference and estimated items."""
    labels = distinct_labels(labels)
    for event in (*reference, *estimated):
        if event.label not in labels:
            raise LabelError(f"event label {event.label!r} is not one of {labels}")
        if not 0 <= event.onset_s <= event.offset_s < math.inf:
            raise ParameterError(f"{event} is not within 0 <= onset_s <= offset_s < infinity")
    rows = []
    for label in labels:
        own = ([event for event in side if event.label == label] for side in (reference, estimated))
        n_both, n_reference, n_estimated = compare(*own)
        rows.append((n_both, n_estimated - n_both, n_reference - n_both))
    tp, fp, fn = zip(*rows, strict=True) if rows else ((), (), ())
    return DetectionCounts(labels, tp, fp, fn)


def label_set_f1(
    reference_events: Sequence[Event],
    estimated_events: Sequence[Event],
    *,
    labels: Iterable[str],
) -> DetectionCounts:
    """Compare the labels present in a scene, at whatever time: each label counts once.

    Args:
        reference_events: True events.
        estimated_events: Detected events.
        labels: The labels to evaluate, or a single one.
    Raises:
        LabelError: an event of another label, or a label given twice.
        ParameterError: an event that begins before 0 or ends before it starts.
    Example:
        >>> truth = [Event("rain", 0.0, 1.0), Event("rain", 3.0, 4.0)]
        >>> found = [Event("rain", 6.0, 9.0), Event("rooster", 0.0, 1.0)]
        >>> label_set_f1(truth, found, labels=["rain", "rooster"]).precision
        0.5
    """

    def compare(reference: list[Event], estimated: list[Event]) -> tuple[int, int, int]:
        return int(bool(reference and estimated)), int(bool(reference)), int(bool(estimated))

    return _count(reference_events, estimated_events, labels, compare)


def segment_f1(
    reference_events: Sequence[Event],
    estimated_events: Sequence[Event],
    *,
    labels: Iterable[str],
    duration_s: float,
    segment_s: float = 1.0,
) -> DetectionCounts:
    """Compare activity per segment: a label is active where any of its events overlaps.

    Args:
        reference_events: True events.
        estimated_events: Detected events.
        labels: The labels to evaluate, or a single one.
        duration_s: Length of the scene; nothing counts beyond it. The last segment may be shorter.
        segment_s: Length of a segment.
    Raises:
        LabelError: an event of another label, or a label given twice.
        ParameterError: a length is not above 0, or an event begins before 0 or ends before it
            starts.
    Example:
        >>> truth, found = [Event("rain", 0.0, 2.0)], [Event("rain", 1.5, 2.5)]
        >>> segment_f1(truth, found, labels=["rain"], duration_s=10.0)
        DetectionCounts(labels=('rain',), tp=(1,), fp=(1,), fn=(1,))
    """
    if not (0 < duration_s < math.inf and 0 < segment_s < math.inf):
        raise ParameterError(f"duration_s={duration_s} and segment_s={segment_s} must be above 0 s")

    def active(events: Iterable[Event]) -> set[int]:
        segments: set[int] = set()
        for event in events:
            if event.onset_s == event.offset_s:
                continue  # without length, it overlaps no segment
            first = math.floor(event.onset_s / segment_s + _SLACK)
            end_s = min(event.offset_s, duration_s)
            segments.update(range(first, math.ceil(end_s / segment_s - _SLACK)))
        return segments

    def compare(reference: list[Event], estimated: list[Event]) -> tuple[int, int, int]:
        there, found = active(reference), active(estimated)
        return len(there & found), len(there), len(found)

    return _count(reference_events, estimated_events, labels, compare)


def event_f1(
    reference_events: Sequence[Event],
    estimated_events: Sequence[Event],
    *,
    labels: Iterable[str],
    collar_s: float = 0.2,
    offset_fraction: float = 0.2,
) -> DetectionCounts:
    """Compare single events: label, onset and offset must match.

    Onsets may differ by the collar; offsets by the collar or by a fraction of the length of the
    reference event, whichever is larger. Each event is used once, in a maximum matching: no
    other pairing of the events would give more hits.

    Args:
        reference_events: True events.
        estimated_events: Detected events.
        labels: The labels to evaluate, or a single one.
        collar_s: At least 0 s.
        offset_fraction: At least 0, of the length of the reference event.
    Raises:
        LabelError: an event of another label, or a label given twice.
        ParameterError: a tolerance is below 0, or an event begins before 0 or ends before it
            starts.
    Example:
        >>> truth, found = [Event("rain", 0.0, 5.0)], [Event("rain", 0.1, 5.9)]
        >>> event_f1(truth, found, labels=["rain"]).f1
        1.0
    """
    if not (collar_s >= 0 and offset_fraction >= 0):
        raise ParameterError(f"collar_s={collar_s} or offset_fraction={offset_fraction} is below 0")

    def compare(reference: list[Event], estimated: list[Event]) -> tuple[int, int, int]:
        found = sorted(estimated, key=lambda event: event.onset_s)
        onsets_s = [event.onset_s for event in found]

        def fitting(truth: Event) -> list[int]:
            reach_s = max(collar_s, offset_fraction * (truth.offset_s - truth.onset_s)) + _SLACK
            first = bisect_left(onsets_s, truth.onset_s - collar_s - _SLACK)
            last = bisect_right(onsets_s, truth.onset_s + collar_s + _SLACK)
            return [
                k for k in range(first, last) if abs(found[k].offset_s - truth.offset_s) <= reach_s
            ]

        return _n_matched([fitting(truth) for truth in reference]), len(reference), len(estimated)

    return _count(reference_events, estimated_events, labels, compare)


def _n_matched(choices: Sequence[Sequence[int]]) -> int:
    """Return the size of a maximum bipartite matching, by augmenting paths (Kuhn 1955)."""
    taken_by: dict[int, int] = {}  # column -> row
    takes: dict[int, int] = {}  # row -> column
    for first in range(len(choices)):
        # Breadth-first search from an unmatched row: a taken column can be freed if its row
        # finds another.
        rows, reached_from, free = [first], dict[int, int](), None
        for row in rows:
            for column in choices[row]:
                if column not in reached_from:
                    reached_from[column] = row
                    if column in taken_by:
                        rows.append(taken_by[column])
                    else:
                        free = column
                        break
            if free is not None:
                break
        while free is not None:
            row = reached_from[free]
            taken_by[free], takes[row], free = row, free, takes.get(row)
    return len(taken_by)
