"""The input of every method (`Task`), and its definition (`Method`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from echoic.style.networks import Layers, LayersNeeded
from echoic.style.optimise import Domain, Problem, Schedule

LEVEL = 0.1  # RMS to which both sounds are normalised


@dataclass(frozen=True)
class Task:
    """A content to restyle.

    Attributes:
        content: (time,), of RMS `LEVEL`.
        style: (time,), of RMS `LEVEL`; any length.
        sample_rate: Hz, of both.
        strength: 0 (most of the content) to 1 (all style).
        seed: Seed of random weights, phases and noise.
        network: Learned weights of the layers that the method needs, in place of random ones.
    """

    content: Tensor
    style: Tensor
    sample_rate: float
    strength: float
    seed: int
    network: Layers | None = None

    def generator(self) -> torch.Generator:
        """A new random generator, seeded with `seed`."""
        return torch.Generator().manual_seed(self.seed)

    def content_weight(self, published: float, decades: float = 4.0) -> float:
        """As the function `content_weight`, at this strength."""
        return content_weight(self.strength, published, decades)


def content_weight(strength: float, published: float, decades: float = 4.0) -> float:
    """Content weight: `published` at strength 0.5, times 10 ** (decades / 2) at 0; 0 at 1."""
    if strength >= 1:
        return 0.0
    return published * 10 ** (decades * (1 - 2 * strength) / 2)


@dataclass(frozen=True)
class Method:
    """Definition of a method: how its problem is posed, and how it is solved.

    Attributes:
        summary: One line for `--help` and reports.
        prepare: Returns a problem for the optimiser; None where `solve` is given.
        solve: Returns the wave directly, for methods that do not optimise.
        schedule: As published.
        domain: As published.
        reference: Author, year.
        has_strength: Whether it trades content against style by `Task.strength`.
        layers: The layers of its network that may be learned, `Task.network`; None: none may.
    """

    summary: str
    prepare: Callable[[Task], Problem] | None = None
    solve: Callable[[Task], Tensor] | None = None
    schedule: Schedule = field(default_factory=Schedule)
    domain: Domain = "waveform"
    reference: str = ""
    has_strength: bool = True
    layers: LayersNeeded | None = None

    @property
    def optimises(self) -> bool:
        """Whether it evaluates losses, in place of a direct solution."""
        return self.prepare is not None
