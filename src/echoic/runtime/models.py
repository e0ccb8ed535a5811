"""Shipped weights and their cards.

A model is a card `NAME.json` and the graphs that it lists with their size and
SHA-256: data only, checked before it is loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echoic.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"
KINDS = ("labels", "speech", "talkers")


@dataclass(frozen=True)
class Card:
    """What a model is, what it learned from, how good it is, and where it fails.

    Attributes:
        name: By which it is loaded.
        version: Of the weights.
        task: One sentence.
        kind: What it gives: "labels" (probabilities, and masks of labels), "speech"
            (one mask) or "talkers".
        front_end: What it learned to hear through, `echoic.ear.frontend.SPECIFICATION`.
        graphs: file name -> {"bytes", "sha256"}; of weights that graphs share, too.
        n_parameters: Of all graphs together.
        labels: In the order of the outputs, if its kind is "labels".
        look_ahead_s: How late detection answers.
        threshold: Per label, the probability from which it counts as heard.
        masks_from: label -> name of the model of kind "speech" that gives its masks, where
            there is one that gives better ones.
        about: Data and licences, recipe, figures, limits; for people.
        folder: Where the card lies.
    """

    name: str
    version: str
    task: str
    kind: str
    front_end: dict[str, Any]
    graphs: dict[str, dict[str, Any]]
    n_parameters: int
    labels: tuple[str, ...] = ()
    look_ahead_s: float = 0.0
    threshold: dict[str, float] = field(default_factory=dict)
    masks_from: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    folder: Path = WEIGHTS

    def graph(self, kind: str) -> Path:
        """Path of the graph `NAME.kind.onnx`, checked.

        Raises:
            ModelError: not listed, missing, or not what the card says.
        """
        weights = f"{self.name}.weights"
        if weights in self.graphs:
            self._checked(weights)
        return self._checked(f"{self.name}.{kind}.onnx")

    def _checked(self, file: str) -> Path:
        """Path of a file whose size and hash are those that the card lists."""
        path = self.folder / file
        if file not in self.graphs:
            raise ModelError(f"{self.name}: its card lists no graph {file}")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from error
        if fingerprint(content) != self.graphs[file]:
            raise ModelError(f"{path}: size or hash is not what the card says")
        return path


def fingerprint(content: bytes) -> dict[str, Any]:
    """Size and hash as a card lists them."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def load_card(path: Path) -> Card:
    """Read a card.

    Raises:
        ModelError: it cannot be read, or fields are missing or unknown.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["labels"] = tuple(fields.get("labels", ()))
        card = Card(**fields, folder=path.parent)
        if card.kind not in KINDS:
            raise ValueError(f"kind {card.kind!r} is not one of {', '.join(KINDS)}")
        if unknown := sorted(set(card.masks_from) - set(card.labels)):
            raise ValueError(f"masks_from names {unknown[0]!r}, which is none of its labels")
        return card
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a model card: {error}") from error


def list_models() -> list[Card]:
    """Every model that is there, by name.

    Raises:
        ModelError: a card cannot be read, or there is none at all.
    """
    cards = [load_card(path) for path in sorted(WEIGHTS.glob("*.json"))]
    if not cards:
        raise ModelError(f"{WEIGHTS}: holds no model card; install echoic anew")
    return cards


def find_model(name: str) -> Card:
    """The card of a model by name.

    Raises:
        ModelError: there is no such model.
    """
    cards = {card.name: card for card in list_models()}
    if name not in cards:  # looked up, not opened: a name is no path
        raise ModelError(f"model {name!r} is not there; known: {', '.join(cards)}")
    return cards[name]
