"""Which cards fit: of the kind that is asked for, and learned with the front end that is here."""

from __future__ import annotations

from functools import lru_cache

from echoic.ear.frontend import SPECIFICATION
from echoic.errors import ModelError
from echoic.runtime import Card, find_model
from echoic.runtime.network import Network


def check_card(card: Card, kind: str) -> None:
    """Refuse a model of another kind, or one that learned with another front end.

    Raises:
        ModelError: it is.
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


@lru_cache(maxsize=4)
def load_signal_network(name: str, kind: str) -> Network:
    """The network of a model that gives a mask for every signal, loaded once.

    Args:
        name: Of the model.
        kind: What its masks are of, as its card says: "speech" or "talkers".

    Raises:
        ModelError: there is no such model, it is of another kind or learned with another
            front end, or a graph is missing or damaged.
    """
    card = find_model(name)
    check_card(card, kind)
    return Network(card)
