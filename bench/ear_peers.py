"""Packages that compute comparable features: each peer as a function of a wave.

A peer that is not installed, or does not run with this numpy, raises; its row is missing.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ear_sound import Wave

from echoic.ear import Ear
from echoic.ear.design import design_listening

N_BANDS, LOW_HZ, HIGH_HZ = 64, 50.0, 7600.0
WINDOW_S = 0.025  # of the spectrograms
HERE = Path(__file__).parent
RUNS = HERE.parent / "runs"
PACKAGES = [
    "gammatone==1.0.3",
    "brian2hears==0.9.2",
    "pyfar==0.8.1",
    "nnAudio==0.3.4",
    "librosa==0.11.0",
]

Run = Callable[[Wave], object]


def limit(rate: int, hop_s: float) -> Run:
    """`ear_limit.cpp`, compiled for this machine; its output is checked against the ear's."""
    RUNS.mkdir(exist_ok=True)
    library = RUNS / "ear_limit.so"
    optimised = ["-O3", "-march=native", "-shared", "-fPIC"]
    try:
        subprocess.run(["g++", *optimised, HERE / "ear_limit.cpp", "-o", library], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ImportError(f"no C++ compiler: {error}") from error
    envelopes = ctypes.CDLL(str(library)).envelopes
    ear = Ear(sample_rate=rate, n_bands=N_BANDS, hop_s=hop_s)
    design = ear.design
    coefficients = np.stack([design.pole.real, design.pole.imag, design.gain]).astype(np.float32)

    def run(wave: Wave) -> Wave:
        frames = np.empty((N_BANDS, ear.clock.n_frames(wave.size)), np.float32)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (wave, coefficients, frames)]
        hop, n_frames = ctypes.c_double(ear.hop), ctypes.c_long(frames.shape[1])
        envelopes(*pointers[:2], ctypes.c_long(N_BANDS), hop, n_frames, pointers[2])
        return frames

    noise = np.random.default_rng(0).standard_normal(rate).astype(np.float32)
    np.testing.assert_allclose(run(noise), ear(noise)[0], rtol=1e-3, atol=1e-6)
    return run


def gammatone_package(rate: int, hop_s: float) -> Run:
    from gammatone.gtgram import gtgram

    return lambda wave: gtgram(wave, rate, 2 * hop_s, hop_s, N_BANDS, LOW_HZ, HIGH_HZ)


def brian(rate: int) -> Run:
    import brian2hears
    from brian2 import Hz, prefs

    prefs.codegen.target = "numpy"
    center_hz = design_listening(sample_rate=rate, n_bands=N_BANDS).center_hz * Hz
    return lambda wave: brian2hears.Gammatone(
        brian2hears.Sound(wave, samplerate=rate * Hz), center_hz
    ).process()


def pyfar_bank(rate: int, delay_s: float = 0.004) -> tuple[Any, Callable[[Wave], Any]]:
    """pyfar's bank of as many bands over the same range, and a function that makes its signals."""
    import pyfar

    erb_rates = 21.4 * np.log10(1 + 0.00437 * np.array([LOW_HZ, HIGH_HZ]))
    bank = pyfar.dsp.filter.GammatoneBands(
        [LOW_HZ, HIGH_HZ],
        np.diff(erb_rates)[0] / (N_BANDS - 0.5),
        delay=delay_s,
        sampling_rate=rate,
    )
    return bank, lambda wave: pyfar.Signal(wave, rate)


def pyfar_package(rate: int) -> Run:
    bank, to_signal = pyfar_bank(rate)
    return lambda wave: bank.process(to_signal(wave))


def nnaudio(rate: int, hop_s: float) -> Run:
    import torch
    from nnAudio.features import Gammatonegram

    n_fft, window, hop = _spectrogram(rate, hop_s)
    layer = Gammatonegram(
        sr=rate,
        n_fft=n_fft,
        win_length=window,
        hop_length=hop,
        n_bins=N_BANDS,
        fmin=LOW_HZ,
        fmax=HIGH_HZ,
        verbose=False,
    )

    def run(wave: Wave) -> object:
        with torch.inference_mode():
            return layer(torch.from_numpy(wave))

    return run


def librosa_log_mel(rate: int, hop_s: float) -> Run:
    import librosa

    n_fft, window, hop = _spectrogram(rate, hop_s)
    how = {"sr": rate, "n_fft": n_fft, "win_length": window, "hop_length": hop, "n_mels": N_BANDS}
    return lambda wave: np.log(librosa.feature.melspectrogram(y=wave, **how) + 1e-10)


def torch_log_mel(rate: int, hop_s: float) -> Run:
    """The usual ten lines of log-mel spectrogram."""
    import torch

    n_fft, window_size, hop = _spectrogram(rate, hop_s)
    mel = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), N_BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins_hz = np.linspace(0, rate / 2, n_fft // 2 + 1)
    rise = (bins_hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins_hz) / np.diff(edges)[1:, None]
    weights = torch.from_numpy(np.maximum(0, np.minimum(rise, fall)).astype(np.float32))
    window = torch.hann_window(window_size)

    def run(wave: Wave) -> object:
        with torch.inference_mode():
            spectrum = torch.stft(
                torch.from_numpy(wave), n_fft, hop, window_size, window, return_complex=True
            )
            return torch.log(weights @ spectrum.abs().square() + 1e-10)

    return run


def torch_log_mel_by_parts(rate: int, hop_s: float) -> Run:
    """In parts of 2 s, which stay in the cache; frames across the cuts are not corrected."""
    run, part = torch_log_mel(rate, hop_s), 2 * rate

    def run_all(wave: Wave) -> None:
        for start in range(0, wave.size, part):
            run(wave[start : start + part])

    return run_all


def _spectrogram(rate: int, hop_s: float) -> tuple[int, int, int]:
    """FFT (the next power of 2), window and hop in samples."""
    window = round(WINDOW_S * rate)
    return 1 << (window - 1).bit_length(), window, round(hop_s * rate)
