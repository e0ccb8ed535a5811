"""What `bench/ear.py` measures of the ear itself: ways of calling it, gain of cores, memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from ear_peers import N_BANDS, Run
from ear_sound import Wave

from echoic.ear import Ear, Filterbank

BLOCK_S = 0.05  # at full rate: a block's working set fits in the L2 cache


def at_hop_rate(rate: int, hop_s: float, compression: str = "none") -> Run:
    ear = Ear(sample_rate=rate, n_bands=N_BANDS, hop_s=hop_s, compression=compression)
    return lambda wave: ear(wave)[0]


def in_blocks(module: Callable[..., tuple[object, object]], block: int) -> Run:
    """Call a streaming module block by block."""

    def run(wave: Wave) -> None:
        state: object = None
        for start in range(0, wave.size, block):
            _, state = module(wave[start : start + block], state)

    return run


def in_hops(rate: int, hop_s: float) -> Run:
    ear = Ear(sample_rate=rate, n_bands=N_BANDS, hop_s=hop_s)
    return in_blocks(ear, round(hop_s * rate))


def at_full_rate(rate: int) -> Run:
    return in_blocks(Filterbank(sample_rate=rate, n_bands=N_BANDS), round(BLOCK_S * rate))


def in_torch(rate: int, hop_s: float, *, with_gradient: bool = False) -> Run:
    import torch

    from echoic.nn import Ear as TorchEar

    torch.set_num_threads(1)
    ear = TorchEar(sample_rate=rate, n_bands=N_BANDS, hop_s=hop_s)

    def run(wave: Wave) -> None:
        tensor = torch.from_numpy(wave).requires_grad_(with_gradient)
        frames, _ = ear(tensor)
        if with_gradient:
            frames.sum().backward()

    return run


# In separate processes ---------------------------------------------------------------------

_HOUR = """
import numpy as np
from echoic.ear import Ear
rate = 48_000
ear, state, n_frames = Ear(sample_rate=rate, compression="log"), None, 0
block = np.random.default_rng(0).standard_normal(rate // 2).astype(np.float32)
for _ in range(7200):
    frames, state = ear(block, state)
    n_frames += frames.shape[-1]
assert n_frames == 3600 * 400
status = open("/proc/self/status").read()  # not ru_maxrss, which knows the parent's too
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""

_CORES = """
import sys, time, numpy as np
from echoic.ear import Ear
ear = Ear(sample_rate=16_000)
noise = np.random.default_rng(0).standard_normal((2, 320_000)).astype(np.float32)
waves = noise[: int(sys.argv[1])]
ear(waves)
print("ready", flush=True)
sys.stdin.read(1)  # until all are ready
best = np.inf
for _ in range(15):
    start = time.perf_counter()
    ear(waves)
    best = min(best, time.perf_counter() - start)
print(len(waves) / best)
"""


def peak_mb_of_an_hour() -> float:
    """Peak memory of a process that analyses an hour at 48 kHz block by block; Linux only."""
    done = subprocess.run([sys.executable, "-c", _HOUR], check=True, capture_output=True)
    return float(done.stdout)


def gain_of_two_cores() -> tuple[float, float] | None:
    """Throughput of two channels on two threads over one on one; and the gain of two processes.

    None where this process may run on one core only. The second figure is the machine's limit:
    two cores may share more resources than it seems.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return None
    alone, threads, processes = (
        max(sum(_throughputs(channels, cores)) for _ in range(3)) for channels in ([1], [2], [1, 1])
    )
    return threads / alone, processes / alone


def _throughputs(channels: list[int], cores: list[int]) -> list[float]:
    """Throughputs of concurrent processes, each with so many channels."""
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(max(channels))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CORES, str(n)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        for n in channels
    ]
    for process in processes:
        process.stdout.readline()  # wait for "ready"
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in processes]
