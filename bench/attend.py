"""Live speech enhancement: quality, latency and CPU cost, compared with other systems.

    ./do bench attend [--peers] [--n 60] [--json FILE]

The mixtures are those of `attend_scenes.py`. "Files" looks ahead, as for files, the other rows of
echoic do not, as for streams. Printed for every system: SI-SDR improvement over
the mixture, overall and at each SNR; wide-band PESQ, STOI and ESTOI; SI-SDR for clean speech at
the input, which should pass unchanged; the share of mixtures at 10 dB that lose more than 0.5 dB;
the latency, which is the lag of a clean voice at the output plus the longest wait for a block; CPU
time over real time on one core.

SI-SDR counts a fixed filter as distortion, though a high-pass far below the voice is not heard. A
system that filters its input by design is therefore compared with the reference as it is and with
the reference filtered alike, and the better of the two counts; the mixture is compared with the
plain one. RNNoise begins with a high-pass; beside its SI-SDRs, "plain" are those from the plain
reference alone.

With --peers the other systems run as well, and PESQ and STOI are
computed, in a separate virtual environment; what cannot be installed is a missing row or column.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from attend_scenes import SNRS_DB, Mixture, Wave, speech_in_noise
from figures import machine, write_figures
from hear_scenes import SAMPLE_RATE
from peers import run_with_peers
from pushes import pushes, step_figures
from scipy.signal import lfilter

import echoic
from echoic.audio import resample
from echoic.metrics import si_sdr_db
from echoic.processors.masks import WHOLE_LOOK_AHEAD_S

PEERS = ["pyrnnoise==0.4.5", "noisereduce==3.0.3", "pesq==0.0.4", "pystoi==0.4.1"]
PUSH_S = 0.002  # the longest that a sample waits until its chunk is full
LIVE: dict[str, dict[str, Any]] = {"denoise": {}, "attend": {"keep": ["speech"]}}
COLUMNS = {
    "si_sdr_i": "SI-SDRi",
    "si_sdr_i_plain": "plain",
    **{f"si_sdr_i_{snr_db:g}": f"at {snr_db:g}" for snr_db in SNRS_DB},
    "pesq": "PESQ",
    "stoi": "STOI",
    "estoi": "ESTOI",
    "clean_db": "clean dB",
    "clean_plain_db": "plain",
    "harmed": "harmed",
    "latency_ms": "ms",
    "rtf": "RTF",
}


class System(NamedTuple):
    """A system under test.

    name: For the table.
    run: (time,) at 16 kHz -> the same.
    wait_s: The longest that a sample waits until its block is processed.
    filtered: The fixed filter that the system applies to its input by design, if any.
    """

    name: str
    run: Callable[[Wave], Wave]
    wait_s: float = 0.0
    filtered: Callable[[Wave], Wave] | None = None

    def references(self, clean: Wave) -> Wave:
        """What the output may equal, (reference, time): the plain reference first."""
        return np.stack([clean] if self.filtered is None else [clean, self.filtered(clean)])


# Systems -----------------------------------------------------------------------------------------


def echoic_stream(processor: str, **options: Any) -> Callable[[Wave], Wave]:
    """A live stream of echoic, fed 2 ms at a time."""

    def run(wave: Wave) -> Wave:
        live = echoic.stream(processor, sample_rate=SAMPLE_RATE, **options)
        fed = pushes(live, wave[np.newaxis], PUSH_S)
        return np.concatenate([one.out for one in fed], axis=-1)[0]

    return run


def rnnoise(wave: Wave) -> Wave:
    """RNNoise (Valin 2018), which processes frames of 10 ms at 48 kHz."""
    module = import_module("pyrnnoise.rnnoise")
    at_48 = resample(wave, sample_rate=SAMPLE_RATE, to_sample_rate=48_000).clip(-1, 1)
    state = module.create()
    starts = range(0, at_48.size, module.FRAME_SIZE)
    frames = [at_48[start : start + module.FRAME_SIZE] for start in starts]
    found = np.concatenate([module.process_mono_frame(state, frame)[0] for frame in frames])
    module.destroy(state)
    at_16 = resample(np.float32(found / 32767), sample_rate=48_000, to_sample_rate=SAMPLE_RATE)
    return np.pad(at_16, (0, max(0, wave.size - at_16.size)))[: wave.size]


def rnnoise_high_pass(wave: Wave) -> Wave:
    """The biquad that `rnnoise_process_frame` applies to its input at 48 kHz, -3 dB near 24 Hz."""
    at_48 = resample(wave, sample_rate=SAMPLE_RATE, to_sample_rate=48_000)
    high = lfilter([1, -2, 1], [1, -1.99599, 0.99600], at_48.astype(np.float64))
    return resample(np.float32(high), sample_rate=48_000, to_sample_rate=SAMPLE_RATE)[: wave.size]


def noisereduce(**settings: Any) -> Callable[[Wave], Wave]:
    """Spectral gating (Sainburg 2020), on the whole file."""

    def run(wave: Wave) -> Wave:
        reduced = import_module("noisereduce").reduce_noise(y=wave, sr=SAMPLE_RATE, **settings)
        return np.asarray(reduced, np.float32)

    return run


def systems() -> list[System]:
    """All systems that run here, the mixture first."""
    found = [
        System("mixture", lambda wave: wave),
        System("echoic denoise", echoic_stream("denoise"), PUSH_S),
        System("echoic attend speech", echoic_stream("attend", **LIVE["attend"]), PUSH_S),
        System(
            "echoic denoise, files",
            echoic_stream("denoise", look_ahead_s=WHOLE_LOOK_AHEAD_S),
            PUSH_S,
        ),
    ]
    for peer in (
        System("RNNoise", rnnoise, 0.01, rnnoise_high_pass),
        System("noisereduce", noisereduce(), np.inf),
        # The best of its settings on these mixtures.
        System("noisereduce, half", noisereduce(stationary=True, prop_decrease=0.5), np.inf),
    ):
        try:
            peer.run(np.zeros(SAMPLE_RATE, np.float32))
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way
            print(f"{peer.name}: missing, {type(error).__name__}: {error}", file=sys.stderr)
        else:
            found.append(peer)
    return found


# Measuring ---------------------------------------------------------------------------------------


def scorers() -> dict[str, Callable[[Wave, Wave], float]]:
    """The installed measures, each a function of (clean, output)."""
    found: dict[str, Callable[[Wave, Wave], float]] = {}
    try:
        pesq = import_module("pesq").pesq
        found["pesq"] = lambda clean, wave: pesq(SAMPLE_RATE, clean, wave, "wb")
    except ModuleNotFoundError:
        print("PESQ: missing (--peers)", file=sys.stderr)
    try:
        stoi = import_module("pystoi").stoi
        found["stoi"] = lambda clean, wave: stoi(clean, wave, SAMPLE_RATE)
        found["estoi"] = lambda clean, wave: stoi(clean, wave, SAMPLE_RATE, extended=True)
    except ModuleNotFoundError:
        print("STOI: missing (--peers)", file=sys.stderr)
    return found


def lag_samples(clean: Wave, found: Wave) -> int:
    """Lag of the output behind the input, up to 1 s: the peak of their cross-correlation."""
    n = 2 * clean.size
    alike = np.fft.irfft(np.fft.rfft(found, n) * np.fft.rfft(clean, n).conj(), n)
    return int(np.argmax(alike[:SAMPLE_RATE]))


def measure(system: System, mixtures: list[Mixture]) -> dict[str, float]:
    """All figures of one system."""
    scores: dict[str, list[float]] = defaultdict(list)
    lag = lag_samples(mixtures[0].voice, system.run(mixtures[0].voice))
    kept = mixtures[0].voice.size - lag  # the last `lag` samples never come out: not scored
    others = scorers()
    busy_s = 0.0
    for mixture in mixtures:
        started = time.process_time()
        out = system.run(mixture.wave)[lag:]
        busy_s += time.process_time() - started
        clean, wave = mixture.voice[:kept], mixture.wave[:kept]
        reached_db = si_sdr_db(out, system.references(mixture.voice)[:, :kept])
        gains = reached_db - si_sdr_db(wave, clean)
        gained = float(gains.max())
        scores["si_sdr_i"].append(gained)
        scores["si_sdr_i_plain"].append(float(gains[0]))
        scores[f"si_sdr_i_{mixture.snr_db:g}"].append(gained)
        if mixture.snr_db == max(SNRS_DB):
            scores["harmed"].append(gained < -0.5)
        for name, score in others.items():
            scores[name].append(score(clean, out))
    for mixture in mixtures[:12]:
        passed = system.run(mixture.voice)[lag:]
        reached_db = si_sdr_db(passed, system.references(mixture.voice)[:, :kept])
        scores["clean_db"].append(float(reached_db.max()))
        scores["clean_plain_db"].append(float(reached_db[0]))
    figures = {name: float(np.mean(values)) for name, values in scores.items()}
    figures["latency_ms"] = 1000 * (lag / SAMPLE_RATE + system.wait_s)
    figures["rtf"] = busy_s / sum(mixture.wave.size for mixture in mixtures) * SAMPLE_RATE
    return figures


def step_times(processor: str, wave: Wave, **options: Any) -> dict[str, float]:
    """Time in ms to process a push of 5 ms: mean, median, 99th percentile."""
    live = echoic.stream(processor, sample_rate=SAMPLE_RATE, **options)
    return step_figures(pushes(live, wave[np.newaxis]))


def print_table(figures: dict[str, dict[str, float]]) -> None:
    print(f"{'':22}" + "".join(f"{title:>9}" for title in COLUMNS.values()))
    for name, row in figures.items():
        cells = (f"{row[key]:9.2f}" if key in row else f"{'–':>9}" for key in COLUMNS)
        print(f"{name:22}" + "".join(cells))


def main() -> None:
    """Measure all systems and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=60, help="mixtures")
    parser.add_argument("--peers", action="store_true", help="also run others")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    if options.peers:
        run_with_peers("attend", PEERS)
    print(machine())
    mixtures = list(speech_in_noise(options.n))
    figures = {system.name: measure(system, mixtures) for system in systems()}
    print_table(figures)
    minute = np.concatenate([mixture.wave for mixture in mixtures[:10]])
    print("\nms a push of 5 ms" + "".join(f"{title:>9}" for title in ("mean", "median", "99 %")))
    for processor, chosen in LIVE.items():
        times = step_times(processor, minute, **chosen)
        figures[f"step {processor}"] = times
        print(f"{processor:17}" + "".join(f"{value:9.3f}" for value in times.values()))
    flat = {
        f"{system} {key}": value for system, row in figures.items() for key, value in row.items()
    }
    write_figures(options.json, flat)


if __name__ == "__main__":
    main()
