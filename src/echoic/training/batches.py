"""Batches: stacked examples, drawn from several kinds of batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from echoic.training.loop import Batch, DrawBatch


class Kind(NamedTuple):
    """A kind of batch, and its probability."""

    probability: float
    draw: DrawBatch


class OneOf:
    """Draw batches of several kinds at random; all scenes of one batch have the same length.

    Args:
        kinds: Kinds whose probabilities sum to 1.

    Example:
        >>> here, there = ({"at": torch.tensor([place])} for place in (0, 1))
        >>> draw = OneOf([Kind(0.9, lambda rng: here), Kind(0.1, lambda rng: there)])
        >>> rng = np.random.default_rng(0)
        >>> sum(int(draw(rng)["at"]) for _ in range(1000))
        96
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = tuple(kinds)

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Draw one batch of one kind."""
        which = rng.choice(len(self.kinds), p=[kind.probability for kind in self.kinds])
        return self.kinds[int(which)].draw(rng)


def by_rate(rates: Mapping[int, float], kinds_of: Callable[[int], Sequence[DrawBatch]]) -> OneOf:
    """Batches at several sample rates; at each, all kinds are equally probable.

    Args:
        rates: Hz -> probability.
        kinds_of: A sample rate -> its kinds of batches.
    """
    kinds = []
    for rate, probability in rates.items():
        draws = kinds_of(rate)
        kinds += [Kind(probability / len(draws), draw) for draw in draws]
    return OneOf(kinds)


def fixed_batches(draw: DrawBatch, n_batches: int, *, seed: int) -> list[Batch]:
    """Draw batches that are the same in every run, for validation."""
    return [draw(np.random.default_rng((seed, number))) for number in range(n_batches)]


def stacked(examples: Sequence[Any]) -> Batch:
    """Stack examples, named tuples of arrays of the same shapes, to one tensor per field."""
    columns = zip(*examples, strict=True)
    return {
        name: torch.from_numpy(np.stack(column))
        for name, column in zip(examples[0]._fields, columns, strict=True)
    }
