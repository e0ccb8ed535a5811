"""The streaming contract, as checks that apply to any module.

Every check takes a `Case`: a module and its input. `test_laws.py` runs all checks
on every streaming class, and fails if a class is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from echoic.errors import ParameterError

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """A module under the law.

    Attributes:
        cls: The class it stands for.
        make: Builds the module.
        feed: Length -> input with time last, the same beginning for every length.
        n: Input length, not a whole number of frames.
        chunk: Chunk lengths are multiples of this (a network's whole steps).
        tolerance: Of the peak, between whole and chunked.
        batch: Stacks inputs for modules with free leading axes; None where axes are fixed.
        n_out: Input length -> length of each output, in their order, without the tail.
        others: States that other configurations have made; None where torch checks shapes.
    """

    cls: type
    make: Callable[[], Any]
    feed: Callable[[int], Array]
    n: int
    chunk: int = 1
    tolerance: float = 1e-6
    batch: Callable[[list[Array]], Array] | None = None
    n_out: Callable[[int], tuple[int, ...]] = lambda n: (n,)
    others: Callable[[], list[Any]] | None = None


def leaves(tree: Any) -> Iterator[Array]:
    """The arrays of a nested state or output, depth first."""
    if isinstance(tree, tuple | list):
        for part in tree:
            yield from leaves(part)
    elif tree is not None:
        yield np.asarray(tree)


def join(parts: list[Any]) -> list[Array]:
    """Concatenate outputs along time, leaf by leaf."""
    return [np.concatenate(pieces, axis=-1) for pieces in zip(*map(leaves, parts), strict=True)]


def run(module: Any, x: Array, lengths: list[int]) -> list[Array]:
    """Feed a signal in chunks and join what comes out, tail included."""
    parts, state, start = [], None, 0
    for length in lengths:
        y, state = module(x[..., start : start + length], state)
        parts.append(y)
        start += length
    assert start == x.shape[-1]
    if hasattr(module, "finish"):
        parts.append(module.finish(state))
    return join(parts)


def ragged(n: int, unit: int, rng: np.random.Generator) -> list[int]:
    """Chunk lengths that add up to n: nothing, one, a prime, long and random ones."""
    lengths: list[int] = []
    while sum(lengths) < n:
        length = unit * int(rng.choice([0, 1, 7, 160, 4096, rng.integers(1, 700)]))
        lengths.append(min(length, n - sum(lengths)))
    return lengths


def assert_close(got: list[Array], wanted: list[Array], tolerance: float) -> None:
    """Equal shapes; differences below `tolerance` of the peak."""
    for a, b in zip(got, wanted, strict=True):
        assert a.shape == b.shape
        if a.size:
            peak = max(float(np.abs(b).max()), 1e-6)
            assert float(np.abs(a - b).max()) <= tolerance * peak


def whole_equals_chunks(case: Case) -> None:
    """Offline is streaming from nothing, at any chunk length."""
    x, module = case.feed(case.n), case.make()
    whole = run(module, x, [case.n])
    for seed in range(2):
        lengths = ragged(case.n, case.chunk, np.random.default_rng(seed))
        assert_close(run(module, x, lengths), whole, case.tolerance)
    few = case.feed(31 * case.chunk)
    singles = [case.chunk] * 31
    assert_close(run(module, few, singles), run(module, few, [31 * case.chunk]), case.tolerance)


def future_is_unknown(case: Case) -> None:
    """What comes out by a moment does not change with what goes in after it."""
    x, module = case.feed(case.n), case.make()
    cut = case.chunk * (case.n // case.chunk // 2)
    changed = np.array(x)
    changed[..., cut:] = -0.5 * changed[..., cut:][..., ::-1] + 0.01
    by_then, _ = module(x[..., :cut], None)
    for signal in (x, changed):
        y, _ = module(signal, None)
        early = [
            part[..., : ref.shape[-1]] for part, ref in zip(leaves(y), leaves(by_then), strict=True)
        ]
        assert_close(early, list(leaves(by_then)), case.tolerance)


def counts_are_exact(case: Case) -> None:
    """As many frames come out as were completed, the tail as long as the delay."""
    module = case.make()
    for n in (0, case.chunk, case.n):
        y, state = module(case.feed(n), None)
        assert tuple(leaf.shape[-1] for leaf in leaves(y)) == case.n_out(n)
        if hasattr(module, "finish") and module.hop == 1:
            (tail,) = leaves(module.finish(state))
            (first,) = leaves(y)
            assert first.shape[-1] + tail.shape[-1] == n + module.delay


def state_is_pure(case: Case) -> None:
    """A state can be used again: it is neither kept nor mutated, nor is the input."""
    x, module = case.feed(case.n), case.make()
    half = case.chunk * (case.n // case.chunk // 2)
    _, state = module(x[..., :half], None)
    before = [leaf.copy() for leaf in leaves(state)]
    kept = np.array(x)
    first, _ = module(x[..., half:], state)
    second, _ = module(x[..., half:], state)
    for a, b in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(before, leaves(state), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.asarray(x), kept)


def batch_item_is_alone(case: Case) -> None:
    """An item of a batch hears nothing of the others."""
    if case.batch is None:
        return
    x, module = case.feed(case.n), case.make()
    other = -0.3 * x[..., ::-1]
    together, _ = module(case.batch([x, other]), None)
    for number, item in enumerate((x, other)):
        alone, _ = module(item, None)
        own = [
            leaf[number : number + 1].reshape(ref.shape)
            for leaf, ref in zip(leaves(together), leaves(alone), strict=True)
        ]
        assert_close(own, list(leaves(alone)), case.tolerance)


class Alien(NamedTuple):
    """A state that nobody has made."""

    stages: Array


def foreign_states_are_refused(case: Case) -> None:
    """A state of another configuration, or of another class, is a ParameterError."""
    if case.others is None:
        return
    module, x = case.make(), case.feed(case.n)
    _, state = module(x, None)
    module(x, state)
    for other in [*case.others(), Alien(np.zeros((8, 64), np.float32)), 0, ()]:
        with pytest.raises(ParameterError) as caught:
            module(x, other)
        assert "\n" not in str(caught.value)
    if hasattr(module, "finish"):
        with pytest.raises(ParameterError):
            module.finish(Alien(np.zeros((8, 64), np.float32)))


LAWS = (
    whole_equals_chunks,
    future_is_unknown,
    counts_are_exact,
    state_is_pure,
    batch_item_is_alone,
    foreign_states_are_refused,
)
