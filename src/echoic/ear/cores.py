"""Channels over the cores: compiled kernels let go of the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numba import config
from numpy.typing import NDArray

# A thread costs about 0.1 ms; filters do this many values (samples times bands) in 0.7 ms.
_WORTH_A_THREAD = 500_000


def over_cores(
    kernel: Callable[..., object],
    waves: NDArray[Any],
    *batch: NDArray[Any] | None,
    shared: tuple[Any, ...],
    values: int,
) -> None:
    """Run a kernel on a batch, at once on several cores where it is long enough for that.

    As many threads as numba uses: all cores that this process may run on, or as many as the
    environment variable NUMBA_NUM_THREADS says. They end with the call, so that a process
    may fork between calls.

    Args:
        kernel: Works on each item alone, and writes what it finds into arrays of the batch.
        waves: Its first argument, (item, time).
        batch: The next ones, arrays (item, ...) or None.
        shared: The others.
        values: Samples times bands of one item.
    """
    n_items, n_threads = len(waves), 1
    if n_items > 1:
        n_threads = min(n_items, n_items * values // _WORTH_A_THREAD, config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if n_threads < 2:
        kernel(waves, *batch, *shared)
        return

    def run(start: int, stop: int) -> None:
        parts = (None if array is None else array[start:stop] for array in batch)
        kernel(waves[start:stop], *parts, *shared)

    edges = [n_items * k // n_threads for k in range(n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(run, edges, edges[1:]))  # the list raises what a thread has raised
