"""Validation of model cards: the kind of masks, and the front end of the training."""

from __future__ import annotations

from functools import lru_cache

from echoic.ear.frontend import SPECIFICATION
from echoic.errors import ModelError
from echoic.runtime import Card, find_model
from echoic.runtime.network import Network


def check_card(card: Card, kind: str) -> None:
    """Check that a model is of this kind and was trained with the current front end.

    Raises:
        ModelError: it is of another kind, or was trained with another front end.
    """
    if card.kind != kind:
        raise ModelError(f"{card.name}: gives masks of {card.kind}, not of {kind}")
    differs = sorted(
        name
        for name in card.front_end.keys() | SPECIFICATION.keys()
        if card.front_end.get(name) != SPECIFICATION.get(name)
    )
    if differs:
        name = differs[0]
        raise ModelError(
            f"{card.name}: learned with another front end: {name} is "
            f"{card.front_end.get(name)!r} in its card and {SPECIFICATION.get(name)!r} here"
        )


def check_step(network: Network, n_frames: int, *, name: str) -> None:
    """Check that a step of a model's network is this many front-end frames.

    Raises:
        ModelError: it is not.
    """
    if network.hop != n_frames:
        raise ModelError(f"{name}: has steps of {network.hop} frames, not of {n_frames}")


@lru_cache(maxsize=4)
def load_signal_network(name: str, kind: str) -> Network:
    """Load the network of a model that estimates one mask per signal; cached.

    Args:
        name: Name of the model.
        kind: What its masks are of, according to its card: "speech" or "talkers".

    Raises:
        ModelError: there is no such model, it is of another kind or was trained with
            another front end, or a graph is missing or damaged.
    """
    card = find_model(name)
    check_card(card, kind)
    return Network(card)
