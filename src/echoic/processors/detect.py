"""Detection: which labels sound, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear.frontend import FRAMES_PER_STEP, STEP_S, FrontEnd, FrontEndState
from echoic.events import Event
from echoic.processors.network import (
    NetworkState,
    load_network,
)
from echoic.streaming import check_kind

BRIDGE_S = 0.4  # shorter gaps lie within one event
SHORTEST_EVENT_S = 0.1
_SMOOTHING_S = 0.18  # an odd number of steps
# An event goes on while the probability stays above this part of the threshold
# it had to pass to begin.
_HOLD = 0.5


class DetectState(NamedTuple):
    """State of the ear and of the network."""

    ear: FrontEndState
    network: NetworkState


class Detect:
    """Probability of every label, every 20 ms.

    Answers come `delay` steps late, when more has been heard: step k is about
    the moment (k − delay)·20 ms.

    Args:
        sample_rate: Hz, 8 to 192 kHz.
        model: Name of the network.

    Shape:
        wave (channel, time) -> probabilities (label, step).

    Hop: 20 ms.

    Raises:
        ModelError: there is no such model.
    """

    def __init__(self, *, sample_rate: float, model: str = "hear") -> None:
        """Load the network."""
        self.network = load_network(model)
        self.ear = FrontEnd(sample_rate=sample_rate)
        self.labels = self.network.card.labels
        self.delay = round(self.network.card.look_ahead_s / STEP_S)

    @property
    def hop(self) -> float:
        """Samples a step."""
        return self.ear.hop * FRAMES_PER_STEP

    def __call__(
        self, wave: NDArray[np.floating], state: DetectState | None = None
    ) -> tuple[NDArray[np.float32], DetectState]:
        """Hear the next chunk."""
        if state is not None:
            check_kind(state, DetectState, owner="Detect")
        frames, ear = self.ear(wave, state and state.ear)
        probabilities, _, network = self.network(frames, state and state.network, want_gains=False)
        return probabilities, DetectState(ear, network)

    def finish(self, state: DetectState) -> NDArray[np.float32]:
        """The answers still owed, as if silence followed; (label, step)."""
        check_kind(state, DetectState, owner="Detect")
        n_channels = state.ear.ear.stages.shape[0]
        n_samples = int(np.ceil((self.delay + 1) * self.hop))
        tail, _ = self(np.zeros((n_channels, n_samples), np.float32), state)
        return tail[:, : self.delay]


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


def smooth(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centred moving average over 0.18 s, (label, step) -> (label, step)."""
    if probabilities.shape[1] == 0:
        return probabilities
    half = round((_SMOOTHING_S / STEP_S - 1) / 2)
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
        duration_s: Of the file; events end with it.
    """
    events = []
    for label, row in zip(labels, smooth(probabilities), strict=True):
        held = _runs(row >= _HOLD * threshold[label])
        found = [(a, b) for a, b in held if row[a:b].max() >= threshold[label]]
        bridged: list[tuple[int, int]] = []
        for a, b in found:
            if bridged and (a - bridged[-1][1]) * STEP_S < BRIDGE_S:
                bridged[-1] = (bridged[-1][0], b)
            else:
                bridged.append((a, b))
        for a, b in bridged:
            onset_s, offset_s = a * STEP_S, min(b * STEP_S, duration_s)
            # Rounded: 0.24 − 0.14 is less than 0.1 to float64.
            if round(offset_s - onset_s, 9) >= SHORTEST_EVENT_S:
                confidence = round(float(row[a:b].max()), 3)
                events.append(Event(label, round(onset_s, 3), round(offset_s, 3), confidence))
    return sorted(events, key=lambda event: (event.onset_s, event.label))
