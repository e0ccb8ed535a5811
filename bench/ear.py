"""What the ear costs beside its peers, and how exactly the separating bank gives back its input.

    python bench/ear.py [--json FILE]

One minute of noisy, speech-like sound at 16 kHz on one core, 64 bands or mels, a frame every
2.5 ms where there are frames. All are timed in turn, round after round, so that a busy machine
is busy for all of them; the figure is the median of the rounds after one to warm up, in seconds
of sound for a second of CPU time. The full-rate bank takes a second at a time, the others get the
minute at once, as most people would call them; the spectrogram gets it in parts of 2 s as well,
which suits its memory far better (frames across the cuts are not made good). Peers that are not
installed are missing rows.

The identity is measured on noisy speech: dev readers where ECHOIC_DATA names the recordings,
else synthetic babble, with pink noise 5 dB below.
"""
# ruff: noqa: E402

from __future__ import annotations

import os

ONE_CORE = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA", "VECLIB_MAXIMUM")
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ONE_CORE})  # before all imports

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.ear import Ear, Filterbank, Inverse
from echoic.scenes import babble, pink_noise

SAMPLE_RATE = 16_000
N_BANDS, HOP_S, LOW_HZ = 64, 0.0025, 50.0
DURATION_S = 60.0
SNR_DB, LEVEL_DBFS = 5.0, -23.0
DELAY_S = 0.004
SECOND = SAMPLE_RATE  # full-rate subbands of a minute are half a gigabyte: a second at a time

Wave = NDArray[np.float32]
Run = Callable[[Wave], object]


# Peers -------------------------------------------------------------------------------------


def echoic_ear() -> Run:
    ear = Ear(sample_rate=SAMPLE_RATE, n_bands=N_BANDS, hop_s=HOP_S)
    return lambda wave: ear(wave)[0]


def echoic_filterbank() -> Run:
    bank = Filterbank(sample_rate=SAMPLE_RATE, n_bands=N_BANDS)

    def run(wave: Wave) -> None:
        state = None
        for start in range(0, wave.size, SECOND):
            _, state = bank(wave[start : start + SECOND], state)

    return run


def torch_log_mel(n_fft: int, window_size: int = 400) -> Run:
    """The ten lines that everybody writes: windows of 25 ms."""
    import torch

    torch.set_num_threads(1)
    n_bins = n_fft // 2 + 1
    mel = np.linspace(0, 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700), N_BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins_hz = np.linspace(0, SAMPLE_RATE / 2, n_bins)
    rise = (bins_hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins_hz) / np.diff(edges)[1:, None]
    weights = torch.from_numpy(np.maximum(0, np.minimum(rise, fall)).astype(np.float32))
    window, hop = torch.hann_window(window_size), round(HOP_S * SAMPLE_RATE)

    def run(wave: Wave) -> object:
        with torch.inference_mode():
            spectrum = torch.stft(
                torch.from_numpy(wave), n_fft, hop, window_size, window, return_complex=True
            )
            return torch.log(weights @ spectrum.abs().square() + 1e-10)

    return run


def gammatone_package() -> Run:
    from gammatone.gtgram import gtgram

    return lambda wave: gtgram(wave, SAMPLE_RATE, 2 * HOP_S, HOP_S, N_BANDS, LOW_HZ)


def in_chunks(run: Run, chunk: int) -> Run:
    """Hand the sound over in parts that stay in the cache: the peer at its best."""

    def run_all(wave: Wave) -> None:
        for start in range(0, wave.size, chunk):
            run(wave[start : start + chunk])

    return run_all


PEERS: dict[str, tuple[str, Callable[[], Run]]] = {  # key -> title, what makes it
    "ear": ("echoic Ear, hop rate", echoic_ear),
    "filterbank": ("echoic Filterbank, full rate", echoic_filterbank),
    "log_mel_400": ("torch log-mel, n_fft 400", lambda: torch_log_mel(400)),
    "log_mel_512": ("torch log-mel, n_fft 512", lambda: torch_log_mel(512)),
    "log_mel_400_chunked": (
        "torch log-mel, n_fft 400, by 2 s",
        lambda: in_chunks(torch_log_mel(400), 2 * SECOND),
    ),
    "log_mel_512_chunked": (
        "torch log-mel, n_fft 512, by 2 s",
        lambda: in_chunks(torch_log_mel(512), 2 * SECOND),
    ),
    "gammatone": ("gammatone gtgram (PyPI)", gammatone_package),
}


# Sound -------------------------------------------------------------------------------------


def with_noise(speech: Wave, rng: np.random.Generator) -> Wave:
    """Add pink noise SNR_DB below the speech."""
    level_dbfs = 10 * np.log10(np.mean(np.square(speech, dtype=np.float64))) - SNR_DB
    duration_s = speech.size / SAMPLE_RATE
    return speech + pink_noise(
        duration_s, sample_rate=SAMPLE_RATE, rng=rng, level_dbfs=float(level_dbfs)
    )


def synthetic_speech(duration_s: float, rng: np.random.Generator) -> Wave:
    return babble(duration_s, sample_rate=SAMPLE_RATE, rng=rng, n_talkers=1, level_dbfs=LEVEL_DBFS)


def read_speech(n_utterances: int = 10) -> Wave | None:
    """One utterance after another of the dev readers; None where there are no recordings."""
    folder = Path(os.environ.get("ECHOIC_DATA", ""), "librispeech-mini", "dev")
    paths = sorted(folder.rglob("*.flac"))
    if not os.environ.get("ECHOIC_DATA") or not paths:
        return None
    chosen = paths[:: max(1, len(paths) // n_utterances)][:n_utterances]
    return np.concatenate([audio.read(path)[0].mean(axis=0) for path in chosen])


# Measuring ---------------------------------------------------------------------------------


def speeds(wave: Wave, n_rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    """Median speed of each peer in times real time, and why the others are missing."""
    runs: dict[str, Run] = {}
    missing: dict[str, str] = {}
    for key, (_, make) in PEERS.items():
        try:
            runs[key] = make()
        except ImportError as error:
            missing[key] = str(error)
    seconds: dict[str, list[float]] = {key: [] for key in runs}
    for number in range(n_rounds + 1):
        print(f"round {number} of {n_rounds}" if number else "warming up", file=sys.stderr)
        for key, run in runs.items():
            start = time.process_time()
            run(wave)
            if number:  # the first one compiles and loads
                seconds[key].append(time.process_time() - start)
    duration_s = wave.size / SAMPLE_RATE
    return {key: duration_s / statistics.median(own) for key, own in seconds.items()}, missing


def identity_db(wave: Wave) -> float:
    """Energy of the input over that of what separating and adding up again changes."""
    bank = Filterbank.separating(sample_rate=SAMPLE_RATE)
    inverse = Inverse(sample_rate=SAMPLE_RATE, delay_s=DELAY_S)
    bank_state, inverse_state, parts = None, None, []
    for start in range(0, wave.size, SECOND):
        subbands, bank_state = bank(wave[start : start + SECOND], bank_state)
        bands, inverse_state = inverse(subbands, inverse_state)
        parts.append(bands.sum(axis=0, dtype=np.float64))
    given = np.concatenate(parts)[inverse.delay :]
    taken = wave[: given.size].astype(np.float64)
    return float(10 * np.log10(np.sum(taken**2) / np.sum((given - taken) ** 2)))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="at least 5 for a figure to quote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} is below 1")
    rng = np.random.default_rng(0)
    found, missing = speeds(with_noise(synthetic_speech(DURATION_S, rng), rng), options.rounds)
    speech = read_speech()
    source = "synthetic" if speech is None else "recorded"
    speech = synthetic_speech(DURATION_S, rng) if speech is None else speech
    identity = identity_db(with_noise(speech, rng))

    print(f"{'64 bands, 16 kHz, one core':34} {'× real time':>12} {'Ear is faster by':>17}")
    for key, (title, _) in PEERS.items():
        if key in found:
            print(f"{title:34} {found[key]:12.0f} {found['ear'] / found[key]:16.2f}×")
        else:
            print(f"{title:34} {'missing':>12}   {missing[key]}")
    print(
        f"identity of the separating bank, {1000 * DELAY_S:.0f} ms, noisy {source} speech:", end=""
    )
    print(f" {identity:.1f} dB")
    if options.json:
        flat: dict[str, float | str | None] = {
            f"{key}.times_real_time": round(found[key], 1) if key in found else None
            for key in PEERS
        }
        flat |= {f"ear.faster_than.{key}": found["ear"] / own for key, own in found.items()}
        flat |= {"separating.identity_db": identity, "separating.speech": source}
        options.json.write_text(json.dumps(flat, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
