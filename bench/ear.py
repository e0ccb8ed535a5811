"""Speed of the ear beside its peers, and reconstruction error of filterbank and inverse.

    ./do bench ear [--peers] [--json FILE]

With --peers the packages compared with are installed into a separate environment (in .cache);
without, and where one of them does not run, their rows are missing.

The input is noisy, speech-like sound; all run on one core with 64 bands or mels. What gives frames
is measured with one every 2.5 ms, the ear's usual hop, and every 10 ms, the usual one of
spectrograms, whose windows are 25 ms long; what gives subbands at full rate has a table of its own.
"Beside ours" is how many times faster our own row of the same output is: the ear's envelopes or
their logarithm, and the filterbank's subbands. The rows of a table are timed in turn, round after
round, so that other load on the machine affects all of them; a figure is the median of the rounds
after one warm-up round, in seconds of sound per second of CPU time. The limit is a C++ loop of our
own that computes the same envelopes; its output is checked against the ear's. Exact peers filter
the waveform as we do, the others weight a spectrogram. All get the whole sound at once, as most
people would call them, unless stated; the filterbank at full rate gets 50 ms at a time.

Memory is the peak of a process that analyses an hour at 48 kHz in blocks. Two threads on two cores
process two channels; beside it is the gain of two processes, which is the most the machine allows.

The identity (signal-to-error ratio of the reconstruction) is measured on noisy speech: dev readers
where ECHOIC_DATA names the recordings, otherwise synthetic babble, with pink noise 5 dB below, from
60 Hz to 0.9 Nyquist, which all banks cover. Ripple is the largest deviation of the overall response
from a pure delay, in the same range. The first row is the bank and inverse that masks are applied
in; one tap per band unless stated; "spread" are banks of so many bands up to Nyquist, the others
have the layout that the networks use; exact is the inverse for whole files.
"""

from __future__ import annotations

import one_core  # noqa: F401 - before numpy

# isort: split
import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import ear_own as own
import ear_peers as peers
import numpy as np
from ear_inverse import print_identities
from ear_sound import synthetic_speech, with_noise
from figures import machine, write_figures
from peers import run_with_peers

Figures = dict[str, float | str | None]

RATES = (16_000, 44_100)
OTHER_RATES = (8_000, 48_000, 96_000, 192_000)
HOPS_S = (0.0025, 0.01)


class Row(NamedTuple):
    """One system.

    title: For the table.
    make: (rate) -> run, and of those that give frames (rate, hop_s) -> run.
    ours: The key of our own row with the same output.
    """

    title: str
    make: Callable[..., peers.Run]
    ours: str = "ear"


FRAMES = {
    "ear": Row("echoic Ear", own.at_hop_rate),
    "ear_blocks": Row("echoic Ear, hop by hop", own.in_hops),
    "ear_log": Row("echoic Ear, log", partial(own.at_hop_rate, compression="log")),
    "torch": Row("echoic.nn.Ear", own.in_torch),
    "torch_gradient": Row(
        "echoic.nn.Ear and its gradient", partial(own.in_torch, with_gradient=True)
    ),
    "limit": Row("limit: a C++ loop", peers.limit),
    "gammatone": Row("exact: gammatone", peers.gammatone_package),
    "nnaudio": Row("nnAudio Gammatonegram", peers.nnaudio),
    "librosa": Row("librosa log-mel", peers.librosa_log_mel, "ear_log"),
    "log_mel": Row("torch log-mel", peers.torch_log_mel, "ear_log"),
    "log_mel_parts": Row("torch log-mel, by 2 s", peers.torch_log_mel_by_parts, "ear_log"),
}
SUBBANDS = {
    "filterbank": Row("echoic Filterbank", own.at_full_rate, "filterbank"),
    "brian2hears": Row("exact: brian2hears", peers.brian, "filterbank"),
    "pyfar": Row("exact: pyfar", peers.pyfar_package, "filterbank"),
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


def print_speeds(
    output: str, rows: Mapping[str, Row], duration_s: float, n_rounds: int, **how: float
) -> Figures:
    """Measure and print the rows of one table at both rates; the figures by key.

    Args:
        output: What all rows compute: the title and, in the keys, the name of the table.
        rows: By key; `how` goes to what makes them.
    """
    makers = {key: partial(row.make, **how) for key, row in rows.items()}
    found = {rate: speeds(makers, rate, duration_s, n_rounds) for rate in RATES}
    figures: Figures = {}
    heads = "".join(f"{f'{rate / 1000:g} kHz':>12} beside ours" for rate in RATES)
    print(f"\n{f'{output}, × real time':34}{heads}")
    for key, row in rows.items():
        line = f"{row.title:34}"
        for rate in RATES:
            times, missing = found[rate]
            name = f"{rate}_hz.{output.replace(' ', '_')}"
            figures[f"{name}.{key}.times_real_time"] = times.get(key)
            if key in missing:
                line += f"{'missing':>12} {missing[key][:40]:>11}"
                continue
            ratio = times[row.ours] / times[key]
            figures[f"{name}.{row.ours}.faster_than.{key}"] = ratio
            line += f"{times[key]:12.0f} {ratio:10.2f}×"
        print(line)
    return figures


def print_rates(duration_s: float, n_rounds: int) -> Figures:
    """Measure and print the ear's speed at other rates, with its usual hop."""
    figures: Figures = {}
    ear = partial(own.at_hop_rate, hop_s=HOPS_S[0])
    print()
    for rate in OTHER_RATES:
        found, _ = speeds({"ear": ear}, rate, duration_s, n_rounds)
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
    print(machine())
    figures: Figures = {}
    for hop_s in HOPS_S:
        output = f"frames every {1000 * hop_s:g} ms"
        figures |= print_speeds(output, FRAMES, options.seconds, options.rounds, hop_s=hop_s)
    figures |= print_speeds("subbands", SUBBANDS, options.seconds, options.rounds)
    figures |= print_rates(options.seconds, options.rounds)
    figures |= print_machine()
    figures |= print_identities()
    write_figures(options.json, figures)


if __name__ == "__main__":
    main()
