"""The network of `hear`, `attend` and `tag`, walked one ear frame at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.ear.frontend import FRAMES_PER_STEP
from echoic.runtime import Card, Graph, GraphState, find_model
from echoic.streaming import check_kind, check_state


class NetworkState(NamedTuple):
    """What the network carries from frame to frame.

    listener, gains: states of the two graphs.
    code: (1, size, 1), of the last step.
    pending: (2, band, 0 to 3), ear frames of the step that is not complete.
    """

    listener: GraphState
    gains: GraphState
    code: NDArray[np.float32]
    pending: NDArray[np.float32]


class Network:
    """The two step graphs of a model.

    Args:
        card: Of the model.

    Raises:
        ModelError: a graph is missing or damaged.
    """

    def __init__(self, card: Card) -> None:
        """Load the graphs."""
        self.card = card
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
        self, frames: NDArray[np.float32], state: NetworkState | None, *, want_gains: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NetworkState]:
        """Take ear frames (2, band, frame) in.

        Returns:
            Probabilities (label, step); gains (label + 1, band, frame), or
            with 0 frames where they are not wanted; the new state.
        """
        n_labels, n_bands, n_frames = len(self.card.labels), frames.shape[1], frames.shape[2]
        if state is None:
            state = self.init_state(n_bands)
        else:
            self._check_state(state, n_bands)
        listener, gain_memory, code, pending = state
        n_open = pending.shape[-1]
        recent = np.concatenate([pending, frames], axis=-1)[np.newaxis]
        n_steps = recent.shape[-1] // FRAMES_PER_STEP
        logits = np.empty((n_labels, n_steps), np.float32)
        gains = np.empty((n_labels + 1, n_bands, n_frames if want_gains else 0), np.float32)
        for k in range(n_open, recent.shape[-1]):
            step, place = divmod(k, FRAMES_PER_STEP)
            if place == FRAMES_PER_STEP - 1:
                (code, answer), listener = self._listener(
                    recent[..., k - place : k + 1], state=listener
                )
                logits[:, step] = answer[0, :, 0]
            if want_gains:
                (shares,), gain_memory = self._gains(
                    recent[..., k : k + 1], code, state=gain_memory
                )
                gains[..., k - n_open] = shares[0, ..., 0]
        left = recent[0, ..., n_steps * FRAMES_PER_STEP :].copy()
        probabilities = np.exp(-np.logaddexp(0, -logits))  # where exp(−logits) would overflow, too
        return probabilities, gains, NetworkState(listener, gain_memory, code, left)

    def _check_state(self, state: NetworkState, n_bands: int) -> None:
        """Refuse a state that another network has made; up to three frames may be pending."""
        check_kind(state, NetworkState, owner="Network")
        n_pending = np.shape(state.pending)[-1] if np.ndim(state.pending) else 0
        pending = np.empty((2, n_bands, min(n_pending, FRAMES_PER_STEP - 1)), np.float32)
        check_state(state, self.init_state(n_bands)._replace(pending=pending), owner="Network")


@lru_cache(maxsize=4)
def load_network(name: str = "hear") -> Network:
    """The shipped network of that name, loaded once.

    Raises:
        ModelError: there is no such model.
    """
    return Network(find_model(name))
