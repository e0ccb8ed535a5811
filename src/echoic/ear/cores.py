"""Run channels on several CPU cores: compiled kernels release the GIL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numba import config
from numpy.typing import NDArray

# A thread costs about 0.1 ms; filters process this many values (samples × bands) in 0.7 ms.
_WORTH_A_THREAD = 500_000


def over_cores(
    kernel: Callable[..., object],
    waves: NDArray[Any],
    *batch: NDArray[Any] | None,
    shared: tuple[Any, ...],
    values: int,
) -> None:
    """Run a kernel on a batch, in parallel on several cores if the batch is long enough.

    Uses up to as many threads as numba: all cores that this process may run on, or the
    number in the environment variable NUMBA_NUM_THREADS. They end with the call, so that
    the process may fork between calls.

    Args:
        kernel: Processes each item independently and writes its results into batch arrays.
        waves: Its first argument, (item, time).
        batch: Its next arguments, arrays (item, ...) or None.
        shared: Its remaining arguments, common to all items.
        values: Samples × bands of one item.
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
        list(pool.map(run, edges, edges[1:]))  # list() re-raises exceptions of the threads
