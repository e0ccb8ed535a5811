"""Detection: which labels sound, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from echoic.events import BRIDGE_S, Event
from echoic.processors.listen import Listen, ListenState
from echoic.processors.model import load_model

SHORTEST_EVENT_S = 0.1
_SMOOTHING_S = 0.18  # made an odd number of steps, so that it has a middle
# An event goes on while the probability stays above this part of the threshold
# it had to pass to begin.
_HOLD = 0.5


class Detect:
    """Probability of every label, step by step.

    Answers come `delay` steps late, when more has been heard.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        model: Name of the model.

    Attributes:
        labels: Of the rows.
        step_s: Seconds a step.

    Shape:
        wave (channel, time) -> probabilities (label, step).

    Delay: `delay` steps. Hop: `step_s`.

    Raises:
        ModelError: there is no such model.
    """

    def __init__(self, *, sample_rate: float, model: str = "hear") -> None:
        """Load the model."""
        self.model = load_model(model)
        self.listen = Listen(self.model, sample_rate=sample_rate, want_masks=False)
        self.labels = self.model.labels
        self.step_s = self.model.answer_s
        self.delay = self.model.look_ahead_steps
        self.hop = self.listen.hop * self.model.frames_per_answer

    def __call__(
        self, wave: NDArray[np.floating], state: ListenState | None = None
    ) -> tuple[NDArray[np.float32], ListenState]:
        """Hear the next chunk."""
        heard, state = self.listen(wave, state)
        return heard.probabilities, state

    def finish(self, state: ListenState) -> NDArray[np.float32]:
        """The answers still owed, as if silence followed; (label, step)."""
        return self.listen.finish(state).probabilities


def smooth(probabilities: NDArray[np.float32], *, step_s: float) -> NDArray[np.float32]:
    """Centred moving average over 0.18 s, (label, step) -> (label, step)."""
    if probabilities.shape[1] == 0:
        return probabilities
    half = round((_SMOOTHING_S / step_s - 1) / 2)
    padded = np.pad(probabilities.astype(np.float64), ((0, 0), (half + 1, half)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    width = 2 * half + 1
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width, dtype=np.float32)


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as (first, past the last)."""
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
    """Turn probabilities into events, in order of onset.

    An event begins and ends where the smoothed probability passes half its
    threshold, if it passes the whole threshold in between. Gaps under 0.4 s
    are bridged, events under 0.1 s dropped. Its confidence is the highest
    probability in it.

    Args:
        probabilities: (label, step), the delay already taken off.
        labels: Of the rows.
        threshold: Per label.
        step_s: Seconds a step.
        duration_s: Of the file; events end with it.
    """
    events = []
    for label, probability in zip(labels, probabilities, strict=True):
        # One by one: in float64 all together would take much memory.
        row = smooth(probability[np.newaxis], step_s=step_s)[0]
        held = _runs(row >= _HOLD * threshold[label])
        found = [(a, b) for a, b in held if row[a:b].max() >= threshold[label]]
        bridged: list[tuple[int, int]] = []
        for a, b in found:
            if bridged and (a - bridged[-1][1]) * step_s < BRIDGE_S:
                bridged[-1] = (bridged[-1][0], b)
            else:
                bridged.append((a, b))
        for a, b in bridged:
            onset_s, offset_s = a * step_s, min(b * step_s, duration_s)
            # Rounded: 0.24 − 0.14 is less than 0.1 to float64.
            if round(offset_s - onset_s, 9) >= SHORTEST_EVENT_S:
                confidence = round(float(row[a:b].max()), 3)
                events.append(Event(label, round(onset_s, 3), round(offset_s, 3), confidence))
    return sorted(events, key=lambda event: (event.onset_s, event.label))
