"""What every method gets, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from echoic.style.networks import Layers
from echoic.style.optimise import Domain, Problem, Schedule

LEVEL = 0.1  # root mean square at which methods meet both sounds


@dataclass(frozen=True)
class Task:
    """A content to restyle.

    Attributes:
        content: (time,), root mean square `LEVEL`.
        style: (time,), root mean square `LEVEL`; any length.
        sample_rate: Hz, of both.
        strength: 0 (content) to 1 (all style).
        seed: Of random weights, phases and noise.
        network: Learned weights for methods whose network is random without.
    """

    content: Tensor
    style: Tensor
    sample_rate: float
    strength: float
    seed: int
    network: Layers | None = None

    def generator(self) -> torch.Generator:
        """A fresh source of chance."""
        return torch.Generator().manual_seed(self.seed)

    def content_weight(self, published: float, decades: float = 4.0) -> float:
        """The published content weight at strength 0.5, `decades` more at 0; none at 1."""
        if self.strength >= 1:
            return 0.0
        return published * 10 ** (decades * (1 - 2 * self.strength) / 2)


@dataclass(frozen=True)
class Method:
    """A recipe: how its problem is posed, and how it is solved.

    Attributes:
        summary: One line for `--help` and reports.
        prepare: A problem for the one optimisation; or
        solve: the wave itself, of methods that do not optimise.
        schedule: As published.
        domain: As published.
        reference: Author, year.
        learns: Whether its network may be a learned one, `Task.network`.
    """

    summary: str
    prepare: Callable[[Task], Problem] | None = None
    solve: Callable[[Task], Tensor] | None = None
    schedule: Schedule = field(default_factory=Schedule)
    domain: Domain = "waveform"
    reference: str = ""
    learns: bool = False
