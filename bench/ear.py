"""Speed of the ear beside its peers, and reconstruction error of filterbank and inverse.

    ./do bench ear [--peers] [--json FILE]

With --peers the packages compared with are installed into a separate environment (in .cache);
without, and where one of them does not run, their rows are missing.

The input is noisy, speech-like sound; all run on one core with 64 bands or mels, a frame every
2.5 ms where there are frames, and windows of 25 ms where there are windows. The rows are timed in
turn, round after round, so that other load on the machine affects all of them; a figure is the
median of the rounds after one warm-up round, in seconds of sound per second of CPU time. The limit
is a C++ loop of our own that computes the same envelopes; its output is checked against the ear's.
Exact peers filter the waveform as we do, the others weight a spectrogram. All get the whole sound
at once, as most people would call them, unless stated; the filterbank at full rate gets 50 ms at a
time.

Memory is the peak of a process that analyses an hour at 48 kHz in blocks. Two threads on two cores
process two channels; beside it is the gain of two processes, which is the most the machine allows.

The identity (signal-to-error ratio of the reconstruction) is measured on noisy speech: dev readers
where ECHOIC_DATA names the recordings, otherwise synthetic babble, with pink noise 5 dB below.
Ripple is the largest deviation of the overall response from a pure delay, from 60 Hz to 0.9
Nyquist. The first row is the bank and inverse that masks are applied in; one tap per band unless
stated; "spread" are banks of so many bands up to Nyquist, the others have the layout that the
networks use; exact is the inverse for whole files.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import ear_own as own
import ear_peers as peers
import numpy as np
from ear_inverse import print_identities
from ear_sound import synthetic_speech, with_noise
from figures import write_figures
from peers import run_with_peers

Figures = dict[str, float | str | None]

RATES = (16_000, 44_100)
OTHER_RATES = (8_000, 48_000, 96_000, 192_000)
ROWS: dict[str, tuple[str, Callable[[int], peers.Run]]] = {  # key -> title, factory
    "ear": ("echoic Ear", own.at_hop_rate),
    "ear_blocks": ("echoic Ear, blocks of 2.5 ms", own.in_hops),
    "filterbank": ("echoic Filterbank, full rate", own.at_full_rate),
    "torch": ("echoic.nn.Ear", own.in_torch),
    "torch_gradient": ("echoic.nn.Ear and its gradient", own.in_torch_and_back),
    "limit": ("limit: a C++ loop", peers.limit),
    "gammatone": ("exact: gammatone", peers.gammatone_package),
    "brian2hears": ("exact: brian2hears, full rate", peers.brian),
    "pyfar": ("exact: pyfar, full rate", peers.pyfar_package),
    "nnaudio": ("nnAudio Gammatonegram", peers.nnaudio),
    "librosa": ("librosa log-mel", peers.librosa_log_mel),
    "log_mel": ("torch log-mel", peers.torch_log_mel),
    "log_mel_parts": ("torch log-mel, by 2 s", peers.torch_log_mel_by_parts),
}


def speeds(
    makers: dict[str, Callable[[int], peers.Run]], rate: int, duration_s: float, n_rounds: int
) -> tuple[dict[str, float], dict[str, str]]:
    """Median speed of each row in times real time, and why the others are missing."""
    rng = np.random.default_rng(0)
    wave = with_noise(synthetic_speech(duration_s, rng, rate), rng, rate)
    seconds: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    runs: dict[str, peers.Run] = {}
    for key, make in makers.items():
        try:
            runs[key] = make(rate)
            runs[key](wave[: rate // 2])  # compiles, loads
        except (ImportError, AttributeError) as error:
            missing[key] = str(error).splitlines()[0]
            runs.pop(key, None)
    for number in range(n_rounds + 1):
        done = f"round {number} of {n_rounds}" if number else "warming up"
        print(f"{rate} Hz: {done}", file=sys.stderr)
        for key, run in runs.items():
            start = time.process_time()
            run(wave)
            if number:
                seconds.setdefault(key, []).append(time.process_time() - start)
    return {key: duration_s / statistics.median(own) for key, own in seconds.items()}, missing


def print_speeds(duration_s: float, n_rounds: int) -> Figures:
    """Measure and print all rows at both rates; the figures by key."""
    makers = {key: make for key, (_, make) in ROWS.items()}
    found = {rate: speeds(makers, rate, duration_s, n_rounds) for rate in RATES}
    figures: Figures = {}
    heads = "".join(f"{f'{rate / 1000:g} kHz':>12} {'Ear is':>9}" for rate in RATES)
    print(f"{'64 bands, one core, × real time':34}{heads}")
    for key, (title, _) in ROWS.items():
        line = f"{title:34}"
        for rate in RATES:
            times, missing = found[rate]
            name = f"{rate}_hz.{key}"
            figures[f"{name}.times_real_time"] = times.get(key)
            if key in missing:
                line += f"{'missing':>12} {missing[key][:40]:>9}"
                continue
            ratio = times["ear"] / times[key]
            figures[f"{rate}_hz.ear.faster_than.{key}"] = ratio
            line += f"{times[key]:12.0f} {ratio:8.2f}×"
        print(line)
    return figures


def print_rates(duration_s: float, n_rounds: int) -> Figures:
    """Measure and print the ear's speed at other rates."""
    figures: Figures = {}
    for rate in OTHER_RATES:
        found, _ = speeds({"ear": own.at_hop_rate}, rate, duration_s, n_rounds)
        print(f"{f'echoic Ear at {rate / 1000:g} kHz':34}{found['ear']:12.0f}")
        figures[f"{rate}_hz.ear.times_real_time"] = found["ear"]
    return figures


def print_machine() -> Figures:
    """Peak memory and the gain of two cores, measured in separate processes."""
    peak_mb = own.peak_mb_of_an_hour()
    print(f"{'an hour at 48 kHz, peak memory':34}{peak_mb:9.0f} MB")
    gains = own.gain_of_two_cores()
    if gains is None:
        print(f"{'two channels on two cores':34}{'missing':>12} this process may use one core")
        return {"hour.peak_mb": peak_mb}
    threads, processes = gains
    print(f"{'two channels on two cores':34}{threads:11.2f}× one; processes {processes:.2f}×")
    return {"hour.peak_mb": peak_mb, "cores.threads": threads, "cores.processes": processes}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="at least 5 for a figure to quote")
    parser.add_argument("--seconds", type=float, default=20.0, help="of sound a round")
    parser.add_argument("--peers", action="store_true", help="install the peers, once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} is below 1")
    if options.peers:
        run_with_peers("ear", peers.PACKAGES)
    figures = print_speeds(options.seconds, options.rounds)
    figures |= print_rates(options.seconds, options.rounds)
    figures |= print_machine()
    figures |= print_identities()
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
