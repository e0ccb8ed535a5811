"""The network behind a model, walked one ear frame at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.ear.frontend import FRAMES_PER_STEP
from echoic.runtime import Card, Graph, GraphState
from echoic.streaming import check_kind, check_state

Value = TypeVar("Value")


class Heard(NamedTuple, Generic[Value]):
    """probabilities: (label, answer); places: (…, step), what masks are made from."""

    probabilities: Value
    places: Value


class NetworkState(NamedTuple):
    """What the network carries from frame to frame.

    listener, gains: states of the two graphs.
    code: (1, size, 1), of the last answer.
    pending: (2, band, 0 to 3), ear frames of the answer that is not complete.
    """

    listener: GraphState
    gains: GraphState
    code: NDArray[np.float32]
    pending: NDArray[np.float32]


class Network:
    """The two step graphs of a model.

    Its places are the shares of all labels and the rest, (label + 1, band, step).

    Args:
        card: Of the model.

    Raises:
        ModelError: a graph is missing or damaged.
    """

    frames_per_step = 1
    frames_per_answer = FRAMES_PER_STEP

    def __init__(self, card: Card) -> None:
        """Load the graphs."""
        self._n_labels = len(card.labels)
        self._listener = Graph(card.graph("listener"))
        self._gains = Graph(card.graph("gains"))

    def init_state(self, n_bands: int) -> NetworkState:
        """The state before any sound."""
        code_size = self._gains.argument_shape("code")[1]
        return NetworkState(
            self._listener.init_state(),
            self._gains.init_state(),
            np.zeros((1, code_size, 1), np.float32),
            np.zeros((2, n_bands, 0), np.float32),
        )

    def __call__(
        self, frames: NDArray[np.float32], state: NetworkState | None, *, want_masks: bool
    ) -> tuple[Heard[NDArray[np.float32]], NetworkState]:
        """Take ear frames (2, band, frame) in."""
        n_bands, n_frames = frames.shape[1:]
        if state is None:
            state = self.init_state(n_bands)
        else:
            self._check_state(state, n_bands)
        listener, gain_memory, code, pending = state
        n_open = pending.shape[-1]
        recent = np.concatenate([pending, frames], axis=-1)[np.newaxis]
        n_answers = recent.shape[-1] // FRAMES_PER_STEP
        logits = np.empty((self._n_labels, n_answers), np.float32)
        n_steps = n_frames if want_masks else 0
        places = np.empty((self._n_labels + 1, n_bands, n_steps), np.float32)
        for k in range(n_open, recent.shape[-1]):
            answer, place = divmod(k, FRAMES_PER_STEP)
            if place == FRAMES_PER_STEP - 1:
                (code, answered), listener = self._listener(
                    recent[..., k - place : k + 1], state=listener
                )
                logits[:, answer] = answered[0, :, 0]
            if want_masks:
                (shares,), gain_memory = self._gains(
                    recent[..., k : k + 1], code, state=gain_memory
                )
                places[..., k - n_open] = shares[0, ..., 0]
        left = recent[0, ..., n_answers * FRAMES_PER_STEP :].copy()
        probabilities = np.exp(-np.logaddexp(0, -logits))  # where exp(−logits) would overflow, too
        return Heard(probabilities, places), NetworkState(listener, gain_memory, code, left)

    def _check_state(self, state: NetworkState, n_bands: int) -> None:
        """Refuse a state that another network has made; up to three frames may be pending."""
        check_kind(state, NetworkState, owner="Network")
        n_pending = np.shape(state.pending)[-1] if np.ndim(state.pending) else 0
        pending = np.empty((2, n_bands, min(n_pending, FRAMES_PER_STEP - 1)), np.float32)
        check_state(state, self.init_state(n_bands)._replace(pending=pending), owner="Network")

    def masks(
        self, places: NDArray[np.float32], rows: Sequence[int], among: Sequence[int]
    ) -> NDArray[np.float32]:
        """Shares of the labels in these rows, and what they leave, (row + 1, band, step)."""
        shared = places[[*among, self._n_labels]].sum(axis=0)
        wanted = places[list(rows)] / np.maximum(shared, np.finfo(np.float32).tiny)
        return np.concatenate([wanted, 1 - wanted.sum(axis=0, keepdims=True)])
