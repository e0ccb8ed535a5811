"""Shipped weights and their model cards.

A model is a card `NAME.json` and the graphs that it lists with their size and
SHA-256: data only, verified before loading.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echoic.checks import check_text
from echoic.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"
KINDS = ("labels", "speech", "talkers")


@dataclass(frozen=True)
class Card:
    """What a model does, what it was trained on, how good it is, and where it fails.

    Attributes:
        name: Name by which it is loaded.
        version: Version of the weights.
        task: One sentence.
        kind: Type of output: "labels" (probabilities, and masks of labels), "speech"
            (one mask) or "talkers".
        front_end: The front end it was trained with, `echoic.ear.frontend.SPECIFICATION`.
        graphs: file name -> {"bytes", "sha256"}; includes weights shared by graphs.
        n_parameters: Of all graphs together.
        labels: In output order, if its kind is "labels".
        look_ahead_s: Delay of detection.
        threshold: Per label, the probability from which it counts as detected.
        masks_from: label -> name of the model of kind "speech" that estimates its masks,
            where there is one that does it better.
        about: Data and licences, recipe, figures, limits; for people.
        folder: Folder of the card.
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
        """Path of the graph `NAME.kind.onnx`, once verified.

        Raises:
            ModelError: not listed, missing, or size or hash differ from the card.
        """
        weights = f"{self.name}.weights"
        if weights in self.graphs:
            self._checked(weights)
        return self._checked(f"{self.name}.{kind}.onnx")

    def _checked(self, file: str) -> Path:
        """Path of a file, once its size and hash are verified against the card."""
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
    """Size and hash in the form that a card lists."""
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
    """All models found, sorted by file name.

    Raises:
        ModelError: a card cannot be read, or there is none at all.
    """
    cards = [load_card(path) for path in sorted(WEIGHTS.glob("*.json"))]
    if not cards:
        raise ModelError(f"{WEIGHTS}: holds no model card; install echoic anew")
    return cards


def find_model(name: str) -> Card:
    """Return the card of the model `name`.

    Raises:
        ModelError: there is no such model.
        ParameterError: the name is not text.
    """
    check_text(name, name="model")
    cards = {card.name: card for card in list_models()}
    if name not in cards:  # looked up, never opened as a path
        raise ModelError(f"model {name!r} is not there; known: {', '.join(cards)}")
    return cards[name]
