"""Long streams: growth of memory, slowdown of a step, drift of the output.

    ./do bench live [--minutes 20] [--hours 10] [--json FILE]

Every live processor gets the street repeatedly, every fourth time replaced by digital silence, in
pushes of 5 ms. Printed are the growth of the process's memory since the first minute, the median
time of a push in the first and the last minute, and the largest difference from the output of the
same processor in blocks, as for files, in dB re its peak. Ear and echoic memory alone get it for
hours, a second at a time; their output in the last round is compared with that for the same sound
at the beginning.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import machine, write_figures
from numpy.typing import NDArray
from pushes import PUSH_S, pushes
from verbs import SAMPLE_RATE, street

import echoic
from echoic.ear import FrontEnd
from echoic.nn.memory import EchoicMemory

BLOCK = round(256 * PUSH_S * SAMPLE_RATE)
LIVE: dict[str, dict[str, Any]] = {
    "attend": {"keep": ["speech"]},
    "denoise": {},
    "voices": {},
    "separate": {"labels": ["speech", "rain"]},
    "detect": {},
}
N_OCTAVES, FRAMES_PER_STEP = 9, 2  # as in the network: 512 steps of 10 ms, 5.12 s
ROUND_S = 40  # three quarters street, the last quarter silence

Wave = NDArray[np.float32]


def one_round() -> Wave:
    """The street three times and silence as long as one of them, (1, time), in whole seconds."""
    wave = street()[:, : ROUND_S // 4 * SAMPLE_RATE]
    return np.concatenate([wave, wave, wave, np.zeros_like(wave)], axis=1)


def blocks(duration_s: float, n_samples: int) -> Iterator[Wave]:
    """Repeat the round, in blocks that need not end where a round does."""
    sound = one_round()
    for k in range(int(duration_s * SAMPLE_RATE) // n_samples):
        yield sound.take(range(k * n_samples, (k + 1) * n_samples), axis=1, mode="wrap")


def process_mb() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def stream_for(name: str, minutes: float) -> dict[str, float]:
    """Figures of one live processor."""
    live = echoic.stream(name, sample_rate=SAMPLE_RATE, **LIVE[name])
    state: Any = None
    peak = worst = 0.0
    taken_s: list[float] = []
    medians_ms: list[float] = []
    first_mb = 0.0
    for block in blocks(minutes * 60, BLOCK):
        fed = [*pushes(live, block)]
        taken_s += [one.wall_s for one in fed]
        at_once, state = live.module(block, state)
        peak = max(peak, float(np.abs(at_once).max(initial=0.0)))
        difference = np.concatenate([one.out for one in fed], axis=-1) - at_once
        worst = max(worst, float(np.abs(difference).max(initial=0.0)))
        if len(taken_s) * PUSH_S >= 60:
            medians_ms.append(1000 * float(np.median(taken_s)))
            taken_s.clear()
            first_mb = first_mb or process_mb()
    return {
        "grown_mb": process_mb() - first_mb,
        "first_minute_ms": medians_ms[0],
        "last_minute_ms": medians_ms[-1],
        "difference_db": 20 * float(np.log10(max(worst, 1e-12) / peak)),
    }


def ear_and_memory_for(hours: float) -> dict[str, float]:
    """Figures of the ear and the echoic memory, without a network."""
    ear, memory = FrontEnd(sample_rate=SAMPLE_RATE), EchoicMemory(N_OCTAVES)
    heard: Any = None
    remembered: Any = None
    early: list[torch.Tensor] = []
    seconds: list[float] = []
    worst, first_mb = math.nan, math.nan  # if the run is too short
    for k, block in enumerate(blocks(hours * 3600, SAMPLE_RATE)):
        before = time.perf_counter()
        frames, heard = ear(block, heard)
        level = torch.from_numpy(frames[:1]).unflatten(-1, (-1, FRAMES_PER_STEP)).mean(-1)
        slots, remembered = memory(level.transpose(1, 2), remembered)
        seconds.append(time.perf_counter() - before)
        which, second = divmod(k, ROUND_S)
        if which == 1:  # from the second round on, each begins in the same state
            early.append(slots)
        elif which > 1:
            worst = np.fmax(worst, float((slots - early[second]).abs().max()))
        if which == 2:
            first_mb = process_mb()
    n = min(60, len(seconds))
    return {
        "grown_mb": process_mb() - first_mb,
        "first_minute_ms": 1000 * float(np.median(seconds[:n])),
        "last_minute_ms": 1000 * float(np.median(seconds[-n:])),
        "difference_db": 20 * float(np.log10(np.maximum(worst, 1e-12))),  # re 1, the peak level
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="of each processor, from 2 on")
    parser.add_argument("--hours", type=float, default=10.0, help="of ear and memory alone")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.minutes < 2:
        parser.error(f"--minutes {options.minutes:g} is below 2")
    print(machine())
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    print(f"{'':<24} {'grown MB':>9} {'ms, first':>10} {'ms, last':>9} {'difference dB':>14}")
    rows = {name: lambda name=name: stream_for(name, options.minutes) for name in LIVE}
    rows["ear and memory"] = lambda: ear_and_memory_for(options.hours)
    for name, measure in rows.items():
        row = measure()
        print(
            f"{name:<24} {row['grown_mb']:>9.1f} {row['first_minute_ms']:>10.3f} "
            f"{row['last_minute_ms']:>9.3f} {row['difference_db']:>14.1f}"
        )
        key = name.replace(" ", "_")
        figures |= {f"{key}_{what}": value for what, value in row.items()}
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
