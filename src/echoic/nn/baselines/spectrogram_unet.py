"""Baseline for comparison: a 2-D U-Net on a log-mel spectrogram.

The practice that echoic criticises: the spectrogram is treated as an image, the
same 3 × 3 filters are applied at every position, the whole image is processed at
once (not causally), and the output is a mask over the image.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.units import hz_to_mel, mel_filters, mel_to_hz

SAMPLE_RATE = 16_000
N_FFT, HOP_SAMPLES, N_MELS = 512, 160, 64
STEP_S = HOP_SAMPLES / SAMPLE_RATE
_POOLING = 8  # frames per position of the lowest level
_CHANNELS = (24, 48, 96, 192)
_RANGE_DB = 70.0
_LOW_HZ, _HIGH_HZ = 50.0, 7600.0


def _window() -> NDArray[np.float32]:
    return np.sqrt(np.hanning(N_FFT + 1)[:-1]).astype(np.float32)


def _n_frames(n_samples: int) -> int:
    return -(-n_samples // HOP_SAMPLES)


def stft(wave: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(time,) -> (bin, frame); a frame every 10 ms, the last of which may be incomplete."""
    before = (N_FFT - HOP_SAMPLES) // 2
    n_frames = _n_frames(wave.size)
    after = (n_frames - 1) * HOP_SAMPLES + N_FFT - before - wave.size
    padded = np.pad(wave, (before, max(after, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_SAMPLES][:n_frames]
    return np.fft.rfft(frames * _window(), axis=-1).T.astype(np.complex64)


def istft(spectrum: NDArray[np.complex64], n_samples: int) -> NDArray[np.float32]:
    """(bin, frame) -> (time,), the inverse of `stft` by weighted overlap-add."""
    window = _window()
    frames = np.fft.irfft(spectrum.T, N_FFT, axis=-1) * window
    length = (len(frames) - 1) * HOP_SAMPLES + N_FFT
    wave, weight = np.zeros(length), np.zeros(length)
    for k, frame in enumerate(frames):
        place = slice(k * HOP_SAMPLES, k * HOP_SAMPLES + N_FFT)
        wave[place] += frame
        weight[place] += window**2
    before = (N_FFT - HOP_SAMPLES) // 2
    return (wave / np.maximum(weight, 1e-8))[before : before + n_samples].astype(np.float32)


@cache
def mel_matrix() -> NDArray[np.float32]:
    """(mel, bin) triangular filters from 50 Hz to 7.6 kHz."""
    n_bins = N_FFT // 2 + 1
    triangles = mel_filters(
        N_MELS, n_bins, sample_rate=SAMPLE_RATE, low_hz=_LOW_HZ, high_hz=_HIGH_HZ
    )
    # The lowest triangles lie between two bins: their nearest bin gets a weight of at least 0.1.
    centre_hz = mel_to_hz(np.linspace(hz_to_mel(_LOW_HZ), hz_to_mel(_HIGH_HZ), N_MELS + 2))[1:-1]
    nearest = np.round(centre_hz / SAMPLE_RATE * N_FFT).astype(int)
    rows = np.arange(N_MELS)
    triangles[rows, nearest] = np.maximum(triangles[rows, nearest], 0.1)
    return triangles.astype(np.float32)


@cache
def mel_of_bin() -> NDArray[np.int64]:
    """(bin,): the mel band with the highest weight at a bin, whose mask applies to it."""
    matrix = mel_matrix()
    best = matrix.argmax(axis=0)
    heard = np.flatnonzero(matrix.max(axis=0) > 0)
    best[: heard[0]], best[heard[-1] + 1 :] = 0, N_MELS - 1
    return np.asarray(best, dtype=np.int64)


def log_mel(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """(bin, frame) -> (mel, frame): 1 at the loudest point of the clip, 0 at ≥ 70 dB below."""
    power = mel_matrix() @ np.square(np.abs(spectrum))
    level_db = 10 * np.log10(np.maximum(power, 1e-10))
    highest_db = max(float(level_db.max(initial=-100.0)), -60.0)
    return np.maximum((level_db - highest_db) / _RANGE_DB + 1, 0).astype(np.float32)


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
    )


class SpectrogramUnet(nn.Module):
    """Detect and mask in one image-to-image network.

    Shape:
        image (batch, mel, frame), frames a multiple of 8, every 10 ms
        -> logits (batch, label, step) every 10 ms,
        masks (batch, label + 1, mel, frame), a softmax, the rest last.
    """

    def __init__(self, n_labels: int, dropout: float = 0.3) -> None:
        super().__init__()
        c1, c2, c3, c4 = _CHANNELS
        self.down = nn.ModuleList([_block(1, c1), _block(c1, c2), _block(c2, c3)])
        self.bottom = nn.Sequential(_block(c3, c4), _block(c4, c4))
        self.detect = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv1d(c4 * N_MELS // 8, 80, 3, padding=1),
            nn.ReLU(),
        )
        self.logits = nn.Conv1d(80, n_labels, 1)
        self.narrow = nn.ModuleList(
            [nn.Conv2d(c4, c3, 1), nn.Conv2d(c3, c2, 1), nn.Conv2d(c2, c1, 1)]
        )
        self.up = nn.ModuleList([_block(c3, c3), _block(c2, c2), _block(c1, c1)])
        self.masks = nn.Conv2d(c1, n_labels + 1, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Process the whole image."""
        x = ((image - 0.45) / 0.22)[:, None]
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        logits = self.logits(self.detect(x.flatten(1, 2))).repeat_interleave(_POOLING, dim=-1)
        for narrow, up, skip in zip(self.narrow, self.up, reversed(skips), strict=True):
            x = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = up(x + skip)
        return logits, torch.softmax(self.masks(x), dim=1)


def look(
    network: SpectrogramUnet, spectrum: NDArray[np.complex64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute probabilities (label, frame) and masks (label + 1, mel, frame) of a whole sound."""
    image = log_mel(spectrum)
    n_frames = image.shape[1]
    padded = np.pad(image, ((0, 0), (0, -n_frames % _POOLING)))
    with torch.no_grad():
        logits, masks = network(torch.from_numpy(padded)[None])
    probabilities: NDArray[np.float32] = torch.sigmoid(logits)[0, :, :n_frames].numpy()
    return probabilities, masks[0, :, :, :n_frames].numpy()
