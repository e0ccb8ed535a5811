"""A model: the network of a model card, run on the front end's frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_text
from echoic.ear.frontend import HOP_S, blank_frames
from echoic.errors import LabelError
from echoic.labels import distinct_labels
from echoic.processors.cards import check_card
from echoic.processors.network import Heard, Masker, Query, QueryNetwork, Wanted
from echoic.processors.specialists import Specialists
from echoic.runtime import Card, find_model

_STEPS_AT_ONCE = 64  # of the graph of a chunk, which takes no longer than fifteen single steps


def check_labels(labels: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Validate labels; return them as a tuple.

    Raises:
        LabelError: a label that the model does not know, or one given twice.
        ParameterError: something else than labels.
    """
    labels = distinct_labels(labels)
    for label in labels:
        if label not in known:
            raise LabelError(f"unknown label {label!r}; known: {' '.join(known)}")
    return labels


class Model:
    """A network that estimates label probabilities, and places to compute masks from.

    `places`, all that masks need, have no delay; `probabilities` are
    `look_ahead_steps` late, since they also use later input. `masker` returns a
    function that turns places, immediately or later, into shares of labels.

    Args:
        card: Of the model.

    Attributes:
        card: As given.
        labels: Known labels, in the order of the probabilities.
        frames_per_step: Front-end frames of 5 ms per step.
        step_s: Seconds per step.
        look_ahead_steps: Delay of the probabilities.

    Shape:
        frames (2, 64, frame) -> `Heard`: probabilities (label, step), places
            (64, size, step).

    Delay: 0 steps for places, `look_ahead_steps` for probabilities.
    Hop: `frames_per_step` frames.

    Raises:
        ModelError: a graph is missing or damaged, or the card is of a network of
            another kind, or of one trained with another front end.
    """

    def __init__(self, card: Card) -> None:
        """Check the card and load the network."""
        check_card(card, "labels")
        self.card = card
        self.labels = card.labels
        self._network: QueryNetwork | Specialists = QueryNetwork(card)
        if card.masks_from:
            rows = {card.labels.index(label): name for label, name in card.masks_from.items()}
            self._network = Specialists(self._network, rows)
        self.frames_per_step = self._network.frames_per_step
        self.step_s = HOP_S * self.frames_per_step
        self.look_ahead_steps = round(card.look_ahead_s / self.step_s)
        self.hop = self.frames_per_step
        self.delay = Heard(probabilities=self.look_ahead_steps, places=0)

    def __call__(
        self,
        frames: NDArray[np.float32],
        state: Any = None,
        *,
        want: Wanted = "all",
    ) -> tuple[Heard[NDArray[np.float32]], Any]:
        """Process the next frames; results that are not wanted have 0 steps."""
        return self._network(frames, state, want=want)

    def finish(self, state: Any, *, want: Wanted = "all") -> Heard[NDArray[np.float32]]:
        """The remaining probabilities, as if frames of silence followed."""
        n_steps = max(self.look_ahead_steps, _STEPS_AT_ONCE)
        heard, _ = self(blank_frames(n_steps * self.frames_per_step), state, want=want)
        return Heard(heard.probabilities[..., : self.look_ahead_steps], heard.places[..., :0])

    def prepare(self, want: Wanted) -> None:
        """Load the graphs for this now rather than with the first frames.

        Raises:
            ModelError: a graph is missing or damaged.
        """
        self._network.prepare(want)

    def wanted(self, labels: Sequence[str], examples: Sequence[Query] = ()) -> Wanted:
        """What has to be computed for masks of these labels and examples.

        Raises:
            LabelError: a label that is unknown, or given twice.
        """
        return self._network.wanted(self._rows(labels), examples)

    def _rows(self, labels: Sequence[str]) -> list[int]:
        return [self.labels.index(label) for label in check_labels(labels, self.labels)]

    def query(self, frames: NDArray[np.float32], weight: NDArray[np.float32]) -> Query:
        """The query vector for sounds like an example.

        Args:
            frames: Of the example.
            weight: Weight of each step.

        Shape:
            frames (2, 64, frame), weight (step,) -> (size,).
        """
        return self._network.query(frames, weight)

    def masker(
        self,
        labels: Sequence[str],
        examples: Sequence[Query] = (),
        *,
        others: float = 0.0,
        rest: float = 1.0,
    ) -> Masker:
        """Return a function that turns places into shares of the power in every band.

        The power is divided among the requested labels and examples and the rest, to which
        all other labels belong.

        Args:
            labels: Requested labels.
            examples: Queries of examples (`query`), requested as well.
            others: Weight of the other labels, 0 to 1; their power goes to the rest.
            rest: Weight of the rest itself, above 0. Where the requested sounds are known to be
                present, both weights only take power from them.

        Shape:
            The result: places (64, size, step), as returned by the call, or rounded to float16
            -> (label + example + 1, 64, step), summing to 1; the last row is the rest.

        Raises:
            LabelError: a label that is unknown, or given twice.
        """
        masks = self._network.masker(self._rows(labels), examples, others=others, rest=rest)
        return partial(_of_floats, masks=masks)


def _of_floats(places: NDArray[np.floating], *, masks: Masker) -> NDArray[np.float32]:
    return masks(np.asarray(places, np.float32))


def load_model(name: str = "hear") -> Model:
    """Load a model by name; cached.

    Raises:
        ModelError: there is no such model, or `Model` rejects its card.
        ParameterError: the name is not text.
    """
    check_text(name, name="model")
    return _load(name)


@lru_cache(maxsize=4)
def _load(name: str) -> Model:
    return Model(find_model(name))
