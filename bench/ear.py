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
else synthetic babble, with pink noise 5 dB below. Ripple is how far the whole is from a pure
delay at worst, from 60 Hz to 0.9 Nyquist. The first row is what the networks act through; one
tap for each band unless it says more; "spread" are banks of so many bands up to Nyquist, the
others are laid out as the networks know them; exact is the inverse for whole files.
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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic import audio
from echoic.ear import Ear, Filterbank, Inverse, invert_exactly
from echoic.ear.design import design_separating
from echoic.synthesis import babble, pink_noise

SAMPLE_RATE = 16_000
N_BANDS, HOP_S, LOW_HZ = 64, 0.0025, 50.0
DURATION_S = 60.0
SNR_DB, LEVEL_DBFS = 5.0, -23.0
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


def with_noise(speech: Wave, rng: np.random.Generator, sample_rate: int = SAMPLE_RATE) -> Wave:
    """Add pink noise SNR_DB below the speech, up to Nyquist."""
    level_dbfs = 10 * np.log10(np.mean(np.square(speech, dtype=np.float64))) - SNR_DB
    duration_s = speech.size / sample_rate
    return speech + pink_noise(
        duration_s, sample_rate=sample_rate, rng=rng, level_dbfs=float(level_dbfs)
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


class Identity(NamedTuple):
    """A bank and an inverse: delay 0 is the exact one for files, bands None the networks' bank."""

    rate_hz: int
    delay_ms: int
    n_taps: int = 1
    n_bands: int | None = None
    floor_hz: int = 100

    @property
    def key(self) -> str:
        bands = "" if self.n_bands is None else f".{self.n_bands}_bands"
        how = f"{self.delay_ms}_ms.{self.n_taps}_taps" if self.delay_ms else "exact"
        return f"inverse.{self.rate_hz}_hz{bands}.floor_{self.floor_hz}_hz.{how}"


IDENTITIES = (
    Identity(16_000, 4),
    *(Identity(16_000, delay_ms, n_taps=2) for delay_ms in (2, 4, 8, 16)),
    Identity(16_000, 4, n_bands=64),
    Identity(16_000, 8, n_taps=2, n_bands=96, floor_hz=50),
    Identity(16_000, 16, n_taps=2, n_bands=96, floor_hz=50),
    Identity(48_000, 4, n_bands=96),
    Identity(48_000, 4, n_taps=2, n_bands=96),
    *(Identity(rate_hz, 4, n_taps=2) for rate_hz in (8_000, 44_100, 96_000)),
    *(Identity(rate_hz, 0) for rate_hz in (8_000, 16_000, 48_000)),
)


def difference_db(wave: Wave, given: NDArray[np.floating]) -> float:
    """Energy of the input over that of what was changed."""
    taken = wave[: given.size].astype(np.float64)
    return float(10 * np.log10(np.sum(taken**2) / np.sum((given - taken) ** 2)))


def measure(row: Identity, speech: Wave) -> tuple[int, float, float]:
    """Number of bands, identity in dB, ripple in dB (−∞ where exact)."""
    rate = row.rate_hz
    design = design_separating(
        sample_rate=rate, n_bands=row.n_bands, bandwidth_floor_hz=row.floor_hz
    )
    resampled = audio.resample(speech, sample_rate=SAMPLE_RATE, to_sample_rate=rate)
    wave = with_noise(resampled, np.random.default_rng(0), rate)
    bank = Filterbank(sample_rate=rate, design=design)
    if not row.delay_ms:
        wave = wave[: 10 * rate]
        subbands, _ = bank(np.pad(wave, (0, design.ring_samples)))
        given = invert_exactly(subbands, design=design)[: wave.size]
        return design.n_bands, difference_db(wave, given), -np.inf
    inverse = Inverse(
        sample_rate=rate, delay_s=row.delay_ms / 1000, n_taps=row.n_taps, design=design
    )
    bank_state, inverse_state, parts = None, None, []
    for start in range(0, wave.size, rate):
        subbands, bank_state = bank(wave[start : start + rate], bank_state)
        bands, inverse_state = inverse(subbands, inverse_state)
        parts.append(bands.sum(axis=0, dtype=np.float64))
    frequency_hz = np.linspace(60, 0.9 * rate / 2, 4000)
    back = np.exp(2j * np.pi * frequency_hz * inverse.delay / rate)
    ripple = np.abs(inverse.design.frequency_response(design, frequency_hz) * back - 1).max()
    identity_db = difference_db(wave, np.concatenate(parts)[inverse.delay :])
    return design.n_bands, identity_db, float(20 * np.log10(ripple))


def print_identities(speech: Wave, source: str) -> dict[str, float]:
    """Measure and print every row; the figures by key."""
    title = f"bank and inverse, noisy {source} speech"
    print(f"\n{title:44} {'bands':>5} {'floor':>7} {'identity':>10} {'ripple':>9}")
    figures = {}
    for row in IDENTITIES:
        n_bands, identity_db, ripple_db = measure(row, speech)
        taps = f", {row.n_taps} taps" if row.n_taps > 1 else ""
        how = f"{row.delay_ms} ms{taps}" if row.delay_ms else "exact, whole file"
        spread = ", spread to Nyquist" if row.n_bands else ""
        name = f"{row.rate_hz / 1000:g} kHz, {how}{spread}"
        ripple = f"{ripple_db:6.1f} dB" if row.delay_ms else f"{'–':>9}"
        print(f"{name:44} {n_bands:5d} {row.floor_hz:4d} Hz {identity_db:7.1f} dB {ripple}")
        figures[f"{row.key}.identity_db"] = identity_db
        if row.delay_ms:
            figures[f"{row.key}.ripple_db"] = ripple_db
    return figures


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

    print(f"{'64 bands, 16 kHz, one core':34} {'× real time':>12} {'Ear is faster by':>17}")
    for key, (title, _) in PEERS.items():
        if key in found:
            print(f"{title:34} {found[key]:12.0f} {found['ear'] / found[key]:16.2f}×")
        else:
            print(f"{title:34} {'missing':>12}   {missing[key]}")
    identities = print_identities(speech, source)
    if options.json:
        flat: dict[str, float | str | None] = {
            f"{key}.times_real_time": round(found[key], 1) if key in found else None
            for key in PEERS
        }
        flat |= {f"ear.faster_than.{key}": found["ear"] / own for key, own in found.items()}
        networks = identities[f"{IDENTITIES[0].key}.identity_db"]
        flat |= {"separating.identity_db": networks, "separating.speech": source, **identities}
        options.json.write_text(json.dumps(flat, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
