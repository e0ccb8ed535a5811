"""A live stream fed piece by piece, and the time that every piece takes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.streaming import Stream

PUSH_S = 0.005  # of the timings
N_WARMING_UP = 200  # pushes that are not counted: a second

Wave = NDArray[np.float32]


class Push(NamedTuple):
    """One push: its output, (…, channel, time), and the seconds that it took."""

    out: Wave
    wall_s: float
    cpu_s: float


def pushes(live: Stream, wave: Wave, push_s: float = PUSH_S) -> Iterator[Push]:
    """Push a wave, (channel, time); the last push may be shorter."""
    n_samples = round(push_s * live.sample_rate)
    for start in range(0, wave.shape[-1], n_samples):
        chunk = wave[:, start : start + n_samples]
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        out = live.push(chunk)
        yield Push(out, time.perf_counter() - wall_s, time.process_time() - cpu_s)


def step_figures(taken: Iterable[Push]) -> dict[str, float]:
    """Time in ms to process a push, after the first second: mean, median, 99th percentile."""
    settled = [1000 * push.wall_s for push in taken][N_WARMING_UP:]
    return {
        "mean": float(np.mean(settled)),
        "median": float(np.median(settled)),
        "99 %": float(np.percentile(settled, 99)),
    }
