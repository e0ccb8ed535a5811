"""The networks behind models: each gives probabilities, places, and masks of places.

What a place holds is between a network and its own `masker`. A card whose graphs
are `step`, `chunk` and `queries` is a `QueryNetwork`; one with `listener` and
`gains` is of the first kind that shipped, a `ShareNetwork`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind, check_state
from echoic.ear.design import N_GAIN_BANDS
from echoic.ear.frontend import FRAMES_PER_STEP
from echoic.errors import ModelError
from echoic.runtime import Card, Graph, GraphState
from echoic.runtime.network import Network, NetworkState

Value = TypeVar("Value")


class Heard(NamedTuple, Generic[Value]):
    """probabilities: (label, answer); places: (…, step), what masks are made from."""

    probabilities: Value
    places: Value


Wanted = Literal["all", "probabilities", "places"]
"""What is asked of a network; of the rest it gives 0 steps, and does not compute it."""

_PARTS: dict[Wanted, str | None] = {
    "all": None,
    "probabilities": "detect",
    "places": "separate",
}

Query = NDArray[np.float32]  # (size,), what places are held against
Masker = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Places (…, step) -> shares (asked + 1, band, step), what the others leave last."""


class MaskNetwork(Protocol):
    """What a model asks of its network.

    Attributes:
        frames_per_step: Front-end frames in a step of places.
        frames_per_answer: Front-end frames in a step of probabilities.
    """

    frames_per_step: int
    frames_per_answer: int

    def __call__(
        self, frames: NDArray[np.float32], state: Any, *, want: Wanted
    ) -> tuple[Heard[NDArray[np.float32]], Any]:
        """Take frames (2, band, frame) in; a state belongs to what is wanted."""

    def prepare(self, want: Wanted) -> object:
        """Load what this needs now, and not with the first frames."""

    def masker(self, rows: Sequence[int], examples: Sequence[Query], others: float) -> Masker:
        """What gives the shares of the labels in these rows, of examples, and of the rest.

        The other labels claim their part of the rest by this weight, 0 to 1.
        """

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """What asks for sounds like an example: frames (2, band, frame), a weight a step."""


def load_network(card: Card) -> MaskNetwork:
    """The network that a card describes.

    Raises:
        ModelError: a graph is missing or damaged.
    """
    return QueryNetwork(card) if f"{card.name}.step.onnx" in card.graphs else ShareNetwork(card)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(−x)), where exp(−x) would overflow, too."""
    return np.asarray(np.exp(-np.logaddexp(0, -logits)), np.float32)


class QueryNetwork:
    """Every band and step has a vector, every label too: the softmax of products is the mask.

    Its places are vectors, (band, size, step).

    Args:
        card: Of the model.

    Raises:
        ModelError: a graph is missing or damaged.
    """

    frames_per_step = frames_per_answer = 2

    def __init__(self, card: Card) -> None:
        """Load the vectors of the labels."""
        self._card = card
        self._networks: dict[Wanted, Network] = {}
        self._table = Graph(card.graph("queries"))
        nothing = np.zeros(self._table.argument_shape("embedding"), np.float32)
        self._queries, _ = self._look_up(nothing)  # (label + 1, size)
        no_places = np.empty((N_GAIN_BANDS, self._queries.shape[1], 0), np.float32)
        self._nothing = Heard(np.empty((len(card.labels), 0), np.float32), no_places)

    def __call__(
        self, frames: NDArray[np.float32], state: NetworkState | None, *, want: Wanted
    ) -> tuple[Heard[NDArray[np.float32]], NetworkState]:
        """Take ear frames (2, band, frame) in."""
        network = self.prepare(want)
        answers, state = network(frames, state)
        named = dict(zip(network.results, answers, strict=True))
        heard = self._nothing
        if "logits" in named:
            heard = heard._replace(probabilities=_sigmoid(named["logits"]))
        if "places" in named:
            heard = heard._replace(places=named["places"])
        return heard, state

    def prepare(self, want: Wanted) -> Network:
        """The graphs that give what is wanted, loaded when first asked for."""
        if want not in self._networks:
            self._networks[want] = Network(self._card, _PARTS[want])
        return self._networks[want]

    def _look_up(self, embedding: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The queries of the labels and the rest, and of a mean embedding (1, size)."""
        return self._table(embedding, state=self._table.init_state())[0]

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """The query of the mean embedding."""
        network = self.prepare("all")
        answers, _ = network(frames)
        embedding = answers[network.results.index("embedding")]
        mean = embedding @ (weight / weight.sum())
        return self._look_up(mean[np.newaxis])[1][0]

    def masker(self, rows: Sequence[int], examples: Sequence[Query], others: float) -> Masker:
        """Softmax over the labels in these rows, the examples, the rest and the other labels."""
        *of_labels, of_rest = self._queries
        asked = [*(of_labels[row] for row in rows), *examples, of_rest]
        unasked = [query for row, query in enumerate(of_labels) if others and row not in rows]
        size, n_asked = len(of_rest), len(asked)
        queries = np.stack([*asked, *unasked]) / np.float32(np.sqrt(size))
        offset = np.zeros((len(queries), 1), np.float32)
        offset[n_asked:] = np.log(others or 1)

        def masks(places: NDArray[np.float32]) -> NDArray[np.float32]:
            n_bands, _, n_steps = places.shape
            if not n_steps:
                return np.empty((n_asked, n_bands, 0), np.float32)
            vectors = places.transpose(2, 0, 1).reshape(-1, size)  # as they lie in memory
            scores = queries @ vectors.T + offset
            shares = np.exp(scores - scores.max(axis=0))
            shares /= shares.sum(axis=0)
            shares[n_asked - 1] += shares[n_asked:].sum(axis=0)
            return shares[:n_asked].reshape(-1, n_steps, n_bands).swapaxes(1, 2)

        return masks


class ShareState(NamedTuple):
    """What a `ShareNetwork` carries from frame to frame.

    listener, gains: states of the two graphs.
    code: (1, size, 1), of the last answer.
    pending: (2, band, 0 to 3), ear frames of the answer that is not complete.
    """

    listener: GraphState
    gains: GraphState
    code: NDArray[np.float32]
    pending: NDArray[np.float32]


class ShareNetwork:
    """Two step graphs; its places are the shares of all labels and the rest.

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

    def init_state(self, n_bands: int) -> ShareState:
        """The state before any sound."""
        code_size = self._gains.argument_shape("code")[1]
        return ShareState(
            self._listener.init_state(),
            self._gains.init_state(),
            np.zeros((1, code_size, 1), np.float32),
            np.zeros((2, n_bands, 0), np.float32),
        )

    def __call__(
        self, frames: NDArray[np.float32], state: ShareState | None, *, want: Wanted
    ) -> tuple[Heard[NDArray[np.float32]], ShareState]:
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
        want_places = want != "probabilities"
        n_steps = n_frames if want_places else 0
        places = np.empty((self._n_labels + 1, n_bands, n_steps), np.float32)
        for k in range(n_open, recent.shape[-1]):
            answer, place = divmod(k, FRAMES_PER_STEP)
            if place == FRAMES_PER_STEP - 1:
                (code, answered), listener = self._listener(
                    recent[..., k - place : k + 1], state=listener
                )
                logits[:, answer] = answered[0, :, 0]
            if want_places:
                (shares,), gain_memory = self._gains(
                    recent[..., k : k + 1], code, state=gain_memory
                )
                places[..., k - n_open] = shares[0, ..., 0]
        left = recent[0, ..., n_answers * FRAMES_PER_STEP :].copy()
        if want == "places":
            logits = logits[:, :0]
        return Heard(_sigmoid(logits), places), ShareState(listener, gain_memory, code, left)

    def prepare(self, want: Wanted) -> None:
        """All is there already."""

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """It has none."""
        raise ModelError(
            "the model knows labels only: it cannot listen for what an example is like"
        )

    def masker(self, rows: Sequence[int], examples: Sequence[Query], others: float) -> Masker:
        """The labels' shares of what they, the rest and, by weight, the others have together."""
        assert not examples, "nobody can have a query of this network"
        asked = [*rows, self._n_labels]

        def masks(places: NDArray[np.float32]) -> NDArray[np.float32]:
            shares = places[asked]
            total = others * places.sum(axis=0) + (1 - others) * shares.sum(axis=0)
            shares = shares / np.maximum(total, np.finfo(np.float32).tiny)
            shares[-1] = 1 - shares[:-1].sum(axis=0)
            return shares

        return masks

    def _check_state(self, state: ShareState, n_bands: int) -> None:
        """Refuse a state that another network has made; up to three frames may be pending."""
        check_kind(state, ShareState, owner="ShareNetwork")
        n_pending = np.shape(state.pending)[-1] if np.ndim(state.pending) else 0
        pending = np.empty((2, n_bands, min(n_pending, FRAMES_PER_STEP - 1)), np.float32)
        check_state(state, self.init_state(n_bands)._replace(pending=pending), owner="ShareNetwork")
