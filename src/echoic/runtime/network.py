"""Run a shipped network over frames: in chunks while there are enough, then step by step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import as_float32, check_kind, check_state
from echoic.errors import ParameterError
from echoic.runtime.graphs import Graph, GraphState
from echoic.runtime.models import Card


class NetworkState(NamedTuple):
    """graph: state of the graphs; pending: (feature, band, frame) of the incomplete step."""

    graph: GraphState
    pending: NDArray[np.float32]


def _steps_last(answer: NDArray[np.float32]) -> NDArray[np.float32]:
    """Transpose (step, …) to (…, step), as a view: steps stay outermost in memory."""
    return answer.transpose(*range(1, answer.ndim), 0)


class Network:
    """The step graph and the chunk graph of a model: one network, for one or many steps.

    Args:
        card: Card of the model.
        part: "detect" or "separate", for the graphs that return only the logits or only the
            places; None for those that return all.

    Shape:
        frames (feature, band, frame) -> one array for each of `results`, (…, step).

    Delay: 0 steps. Hop: `hop` frames, one step.

    Raises:
        ModelError: a graph is missing or damaged.
        ParameterError: frames of another shape, a state of another network.
    """

    delay = 0

    def __init__(self, card: Card, part: str | None = None) -> None:
        """Load the graphs."""
        prefix = f"{part}." if part else ""
        self._step = Graph(card.graph(f"{prefix}step"))
        self._chunk = Graph(card.graph(f"{prefix}chunk"))
        _, self._n_features, self._n_bands, self.hop = self._step.argument_shape("frames")
        self.results = self._step.results
        self._like = [  # reference states, by the number of pending frames
            NetworkState(
                self._step.init_state(), np.zeros((self._n_features, self._n_bands, n), np.float32)
            )
            for n in range(self.hop)
        ]
        self._no_answers = tuple(
            np.empty((*self.result_shape(name), 0), np.float32) for name in self.results
        )

    def result_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a result for one step."""
        return self._step.result_shape(name)[2:]

    def init_state(self) -> NetworkState:
        """Initial state."""
        return self._like[0]

    def __call__(
        self, frames: NDArray[np.float32], state: NetworkState | None = None
    ) -> tuple[tuple[NDArray[np.float32], ...], NetworkState]:
        """Process the next frames; return results for the steps that they complete."""
        frames = as_float32(frames, name="frames")
        if frames.ndim != 3 or frames.shape[:2] != (self._n_features, self._n_bands):
            raise ParameterError(
                f"frames of shape {frames.shape} are not "
                f"({self._n_features}, {self._n_bands}, frame)"
            )
        if state is None:
            state = self.init_state()
        self._check_state(state)
        graph_state, pending = state
        frames = np.concatenate([pending, frames], axis=-1)[np.newaxis]
        if frames.shape[-1] < self.hop:
            return self._no_answers, NetworkState(graph_state, frames[0])
        n_chunk = self._chunk.argument_shape("frames")[-1]
        parts, start = [], 0
        while frames.shape[-1] - start >= self.hop:
            graph, length = self._step, self.hop
            if frames.shape[-1] - start >= n_chunk:
                graph, length = self._chunk, n_chunk
            answers, graph_state = graph(
                np.ascontiguousarray(frames[..., start : start + length]), state=graph_state
            )
            parts.append(answers)
            start += length
        joined = tuple(
            (answers[0] if len(answers) == 1 else np.concatenate(answers, axis=1))[0]
            for answers in zip(*parts, strict=True)
        )
        after = NetworkState(graph_state, frames[0, ..., start:].copy())
        return tuple(_steps_last(answer) for answer in joined), after

    def _check_state(self, state: NetworkState) -> None:
        """Raise a `ParameterError` for a state of another network."""
        check_kind(state, NetworkState, owner="Network")
        n_pending = min(np.shape(state.pending)[-1:], default=0) % self.hop
        check_state(state, self._like[n_pending], owner="Network")

    def finish(self, state: NetworkState) -> tuple[NDArray[np.float32], ...]:
        """Return no steps: there is no delay, so no tail."""
        nothing, _ = self(np.zeros((self._n_features, self._n_bands, 0), np.float32), state)
        return nothing
