"""Two judges for `bench/style_digits.py`: classifiers of the spoken digit and of the texture.

Both are the same small network on a mel spectrogram, which none of the methods uses, trained on
recordings that are not used for transfer: digits from take 5 on, textures of folds 1 to 3. Both are
also trained on mixtures, so that background sound does not confuse them.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic import audio
from echoic.units import mel_filters

SAMPLE_RATE = 8_000
DIGIT_SAMPLES = 4_000  # 0.5 s, the input of the judges
TEXTURES = ("rain", "sea_waves", "fire_crackling", "clock_tick", "helicopter", "chainsaw")
KINDS = (*TEXTURES, "speech")
N_FFT, HOP, N_MEL = 256, 80, 32
N_EPOCHS, BATCH = 8, 64

Wave = NDArray[np.float32]


def folder() -> Path:
    return Path(os.environ["ECHOIC_DATA"])


def digits(takes: range) -> list[tuple[Wave, int]]:
    """Spoken digits of these takes, each cropped or padded to half a second."""
    found = []
    for path in sorted(folder().glob("fsdd/*.wav")):
        digit, _, take = path.stem.split("_")
        if int(take) in takes:
            wave, _ = audio.read(path)
            found.append((fitted(wave.mean(axis=0)), int(digit)))
    return found


def textures(folds: set[str]) -> list[tuple[Wave, int]]:
    """Recordings of `TEXTURES` of these folds of ESC-10, at 8 kHz."""
    found = []
    with (folder() / "esc10/meta.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["fold"] in folds and row["label"] in TEXTURES:
                wave, rate = audio.read(
                    folder() / "esc10/audio" / (Path(row["file"]).stem + ".ogg")
                )
                wave = audio.resample(
                    wave.mean(axis=0), sample_rate=rate, to_sample_rate=SAMPLE_RATE
                )
                found.append((wave, TEXTURES.index(row["label"])))
    return found


def fitted(wave: Wave) -> Wave:
    """Crop or pad a wave to half a second, at a fixed level."""
    wave = np.pad(wave[:DIGIT_SAMPLES], (0, max(0, DIGIT_SAMPLES - wave.size)))
    return np.float32(0.1) * wave / max(float(np.std(wave)), 1e-6)


class Judge(nn.Module):
    """Three convolutions over time of a mel spectrogram, mean and max pooling, a linear layer.

    Args:
        n_classes: Number of classes.

    Shape:
        waves (item, time) -> (item, class).
    """

    weights: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        filters = mel_filters(
            N_MEL, N_FFT // 2 + 1, sample_rate=SAMPLE_RATE, low_hz=0, high_hz=SAMPLE_RATE / 2
        )
        self.register_buffer("weights", torch.from_numpy(filters.astype(np.float32)))
        sizes = (N_MEL, 64, 64, 96)
        self.layers = nn.ModuleList(
            nn.Conv1d(n_in, n_out, 5, padding=2) for n_in, n_out in pairwise(sizes)
        )
        self.out = nn.Linear(2 * sizes[-1], n_classes)

    def forward(self, waves: Tensor) -> Tensor:
        window = torch.hann_window(N_FFT)
        spectra = torch.stft(waves, N_FFT, HOP, window=window, return_complex=True)
        power = self.weights @ spectra.abs().square()
        x = (power + 1e-5 * power.mean((-1, -2), keepdim=True) + 1e-9).log()
        x = (x - x.mean((-1, -2), keepdim=True)) / 3
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.out(torch.cat([x.mean(-1), x.amax(-1)], -1))


def trained_judges() -> tuple[Judge, Judge]:
    """Train one judge for the ten digits, and one for `KINDS`."""
    rng = np.random.default_rng(0)
    spoken, scenes = digits(range(5, 50)), textures({"1", "2", "3"})

    def background(label: int | None = None) -> tuple[Wave, int]:
        while True:
            wave, kind = scenes[rng.integers(len(scenes))]
            at = rng.integers(max(1, wave.size - DIGIT_SAMPLES))
            part = wave[at : at + DIGIT_SAMPLES]
            if np.std(part) > 1e-4 and label in (None, kind):
                return fitted(part), kind

    def in_noise(_: int) -> tuple[Wave, int]:
        """A digit shifted in time, mostly with a texture 0 to 25 dB below it."""
        wave, digit = spoken[rng.integers(len(spoken))]
        wave = np.roll(wave, rng.integers(-400, 800))
        if rng.random() < 0.8:
            wave = wave + np.float32(10 ** (-rng.uniform(0, 25) / 20)) * background()[0]
        return _equalised(wave, rng), digit

    def textured(index: int) -> tuple[Wave, int]:
        """A texture, or a digit, or a texture with a digit well below it."""
        kind = index % len(KINDS)
        digit = spoken[rng.integers(len(spoken))][0]
        if kind == len(TEXTURES):
            return _equalised(digit, rng), kind
        wave = background(kind)[0]
        if rng.random() < 0.3:
            wave = wave + np.float32(10 ** (-rng.uniform(5, 25) / 20)) * digit
        return _equalised(wave, rng), kind

    return _fit(in_noise, 10, len(spoken)), _fit(textured, len(KINDS), len(spoken))


def _equalised(wave: Wave, rng: np.random.Generator) -> Wave:
    """Apply a random smooth equaliser, since recordings differ in spectral colour."""
    spectrum = np.fft.rfft(wave)
    at = np.linspace(0, 1, spectrum.size)
    gain_db = np.interp(at, np.linspace(0, 1, 5), rng.normal(0, 4, 5))
    return fitted(np.fft.irfft(spectrum * 10 ** (gain_db / 20), wave.size).astype(np.float32))


def _fit(example: Callable[[int], tuple[Wave, int]], n_classes: int, n_items: int) -> Judge:
    torch.manual_seed(0)
    judge = Judge(n_classes)
    n_steps = N_EPOCHS * n_items // BATCH
    optimiser = torch.optim.Adam(judge.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, n_steps)
    for step in range(n_steps):
        waves, labels = zip(
            *(example(step * BATCH + k) for k in range(BATCH)),
            strict=True,
        )
        loss = F.cross_entropy(judge(torch.from_numpy(np.stack(waves))), torch.tensor(labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return judge.eval()


@torch.no_grad()
def judged(judge: Judge, waves: list[Wave]) -> NDArray[np.int64]:
    """The class of each wave."""
    found: NDArray[np.int64] = judge(torch.from_numpy(np.stack(waves))).argmax(-1).numpy()
    return found
