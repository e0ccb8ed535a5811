"""The network of a model: probabilities, places, and masks computed from places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from echoic.ear.design import N_GAIN_BANDS
from echoic.processors.cards import check_step
from echoic.runtime import Card, Graph
from echoic.runtime.network import Network, NetworkState

Value = TypeVar("Value")


class Heard(NamedTuple, Generic[Value]):
    """probabilities: (label, step); places: (64, size, step), from which masks are computed."""

    probabilities: Value
    places: Value


Wanted = Literal["all", "probabilities", "places", "common", "own"]
"""What a network has to compute; its other results have 0 steps.

Where some labels have specialist networks, "common" are the places of the common network only,
and "own" those of the specialists only: places that are not computed are 0.
"""

_PARTS: dict[Wanted, str | None] = {
    "all": None,
    "probabilities": "detect",
    "places": "separate",
}

Query = NDArray[np.float32]  # (size,), vector that places are multiplied by
Masker = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Places (64, size, step) -> shares (requested + 1, 64, step), the rest last; picklable."""


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(−x)), without overflow of exp(−x)."""
    return np.asarray(np.exp(-np.logaddexp(0, -logits)), np.float32)


def _cosines(vectors: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine similarity of vectors (row, size) with another (size,), but for a common factor."""
    return np.asarray(vectors @ other / np.linalg.norm(vectors, axis=1), np.float32)


def _shares(
    places: NDArray[np.float32],
    *,
    queries: NDArray[np.float32],
    offset: NDArray[np.float32],
    n_asked: int,
) -> NDArray[np.float32]:
    """Softmax over the queries, (query, size); those from `n_asked` on add to the one before."""
    n_bands, size, n_steps = places.shape
    if not n_steps:
        return np.empty((n_asked, n_bands, 0), np.float32)
    vectors = places.transpose(2, 0, 1).reshape(-1, size)  # in memory order
    scores = queries @ vectors.T + offset
    shares = np.exp(scores - scores.max(axis=0))
    shares /= shares.sum(axis=0)
    shares[n_asked - 1] += shares[n_asked:].sum(axis=0)
    return shares[:n_asked].reshape(-1, n_steps, n_bands).swapaxes(1, 2)


class QueryNetwork:
    """A network that maps every band and step, and every label, to a vector.

    Masks are the softmax of their scalar products. Places are vectors, (band, size, step).

    Args:
        card: Of the model.

    Attributes:
        nothing: Result of 0 steps.

    Raises:
        ModelError: a graph is missing or damaged.
    """

    frames_per_step = 2  # known before any graph is loaded

    def __init__(self, card: Card) -> None:
        """Load the query vectors of the labels."""
        self._card = card
        self._networks: dict[Wanted, Network] = {}
        self._table = Graph(card.graph("queries"))
        nothing = np.zeros(self._table.argument_shape("embedding"), np.float32)
        self._queries, _ = self._look_up(nothing)  # (label + 1, size)
        no_places = np.empty((N_GAIN_BANDS, self._queries.shape[1], 0), np.float32)
        self.nothing = Heard(np.empty((len(card.labels), 0), np.float32), no_places)

    def __call__(
        self, frames: NDArray[np.float32], state: NetworkState | None, *, want: Wanted
    ) -> tuple[Heard[NDArray[np.float32]], NetworkState]:
        """Process front-end frames (2, band, frame)."""
        network = self.prepare(want)
        answers, state = network(frames, state)
        named = dict(zip(network.results, answers, strict=True))
        heard = self.nothing
        if "logits" in named:
            heard = heard._replace(probabilities=_sigmoid(named["logits"]))
        if "places" in named:
            heard = heard._replace(places=named["places"])
        return heard, state

    def wanted(self, rows: Sequence[int], examples: Sequence[Query]) -> Wanted:
        """What has to be computed for masks of these."""
        return "places"

    def prepare(self, want: Wanted) -> Network:
        """The graphs that compute what is wanted, loaded on first use."""
        if want not in self._networks:
            network = Network(self._card, _PARTS[want])
            check_step(network, self.frames_per_step, name=self._card.name)
            self._networks[want] = network
        return self._networks[want]

    def _look_up(self, embedding: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The queries of the labels and the rest, and of a mean embedding (1, size)."""
        return self._table(embedding, state=self._table.init_state())[0]

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """The query for the weighted mean embedding of an example."""
        network = self.prepare("all")
        answers, _ = network(frames)
        embedding = answers[network.results.index("embedding")]
        mean = embedding @ (weight / weight.sum())
        return self._look_up(mean[np.newaxis])[1][0]

    def masker(
        self, rows: Sequence[int], examples: Sequence[Query], *, others: float, rest: float
    ) -> Masker:
        """Softmax over the labels in these rows, the examples, the rest and the other labels.

        The label that is most like an example is likely its own, and does not compete with it.
        """
        *of_labels, of_rest = self._queries
        nearest = [int(np.argmax(_cosines(self._queries[:-1], one))) for one in examples]
        left_out = {*rows, *nearest}
        asked = [*(of_labels[row] for row in rows), *examples, of_rest]
        unasked = [query for row, query in enumerate(of_labels) if others and row not in left_out]
        n_asked = len(asked)
        queries = np.stack([*asked, *unasked]) * np.float32(len(of_rest) ** -0.5)
        offset = np.zeros((len(queries), 1), np.float32)
        offset[n_asked - 1] = np.log(rest)
        offset[n_asked:] = np.log(others or 1)

        return partial(_shares, queries=queries, offset=offset, n_asked=n_asked)
