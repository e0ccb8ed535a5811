"""The input of every method (`Task`), and its definition (`Method`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from echoic.style.networks import Layers
from echoic.style.optimise import Domain, Problem, Schedule

LEVEL = 0.1  # RMS to which both sounds are normalised


@dataclass(frozen=True)
class Task:
    """A content to restyle.

    Attributes:
        content: (time,), of RMS `LEVEL`.
        style: (time,), of RMS `LEVEL`; any length.
        sample_rate: Hz, of both.
        strength: 0 (content) to 1 (all style).
        seed: Seed of random weights, phases and noise.
        network: Learned weights, for methods that otherwise use random ones.
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
        """Content weight: `published` at strength 0.5, times 10 ** (decades / 2) at 0; 0 at 1."""
        if self.strength >= 1:
            return 0.0
        return published * 10 ** (decades * (1 - 2 * self.strength) / 2)


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
        learns: Whether its network may have learned weights, `Task.network`.
    """

    summary: str
    prepare: Callable[[Task], Problem] | None = None
    solve: Callable[[Task], Tensor] | None = None
    schedule: Schedule = field(default_factory=Schedule)
    domain: Domain = "waveform"
    reference: str = ""
    learns: bool = False
