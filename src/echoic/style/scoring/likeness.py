"""Distance of a sound to a style: by the ear's statistics, and by three independent measures."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from echoic.style.cochlea import Cochlea
from echoic.style.losses import gram
from echoic.style.networks import Wide
from echoic.style.spectrogram import LogSpectrogram
from echoic.style.statistics import TextureStatistics, audible_bands, texture_distance
from echoic.units import mel_filters

_N_MEL = 40
_N_UNSEEN_NETWORKS, _FIRST_UNSEEN_SEED = 3, 900_001
_N_CARRIER_RANGES = 6


class Likeness:
    """Distances to one style.

    Args:
        style: (time,); the held-out part, which the method was not shown.
        sample_rate: Hz.
    """

    def __init__(self, style: Tensor, *, sample_rate: float) -> None:
        """Compute all features of the style."""
        self.sample_rate = sample_rate
        self._spectrogram = LogSpectrogram(sample_rate=sample_rate, window_s=1024 / 22050)
        self._networks = [
            Wide.random(self._spectrogram.n_bins, n_filters=256, seed=_FIRST_UNSEEN_SEED + k)
            for k in range(_N_UNSEEN_NETWORKS)
        ]
        style = _levelled(style)
        self._statistics, self._audible = self._texture(style)
        self._grams = self._grams_of(style)
        self._mel = self._mel_statistics(style)
        self._carrier = self._carrier_quantiles(style)

    def __call__(self, wave: Tensor) -> dict[str, float]:
        """Compute the distances of a wave: `d`, `gram`, `mel`, `carrier_w1`."""
        wave = _levelled(wave)
        statistics, _ = self._texture(wave)
        return {
            "d": float(texture_distance(statistics, self._statistics, self._audible)),
            "gram": math.fsum(
                float((a - b).square().sum() / b.square().sum())
                for a, b in zip(self._grams_of(wave), self._grams, strict=True)
            ),
            "mel": float((self._mel_statistics(wave) - self._mel).square().mean()),
            "carrier_w1": float((self._carrier_quantiles(wave) - self._carrier).abs().mean()),
        }

    def _texture(self, wave: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        cochlea = Cochlea(wave.shape[-1], sample_rate=self.sample_rate)
        heard = cochlea(wave)
        statistics = TextureStatistics(cochlea.n_frames, heard.linear.shape[0])
        return statistics(heard), audible_bands(heard)

    def _grams_of(self, wave: Tensor) -> list[Tensor]:
        log_magnitude = self._spectrogram(wave)
        with torch.no_grad():
            return [gram(network(log_magnitude)) for network in self._networks]

    def _mel_statistics(self, wave: Tensor) -> Tensor:
        """Mean and standard deviation of each log-mel band."""
        power = self._spectrogram.stft(wave).abs().square()
        filters = mel_filters(
            _N_MEL, power.shape[0], sample_rate=self.sample_rate, low_hz=50, high_hz=8000
        )
        weights = torch.from_numpy(filters.astype(np.float32))
        log_mel = (weights @ power + 1e-6 * power.sum(0).mean()).log()
        return torch.cat([log_mel.mean(-1), log_mel.std(-1)])

    def _carrier_quantiles(self, wave: Tensor) -> Tensor:
        """Distribution of the fine structure in six frequency ranges.

        The power of each bin divided by the mean of its neighbourhood (17 bins,
        5 frames) is exponentially distributed for noise, sparse for harmonics.
        Returns quantiles of its logarithm, whose mean absolute difference is the
        1-Wasserstein distance.
        """
        power = self._spectrogram.stft(wave).abs().square()
        power = power + 1e-8 * power.mean()
        around = torch.nn.functional.avg_pool2d(
            power[None, None], (17, 5), stride=1, padding=(8, 2), count_include_pad=False
        )[0, 0]
        ratio = (power / around + 1e-3).log()
        loud = around > around.mean(-1, keepdim=True) * 0.1
        edges_hz = np.geomspace(100, min(8_000, self.sample_rate / 2), _N_CARRIER_RANGES + 1)
        edges = (edges_hz / (self.sample_rate / 2) * (power.shape[0] - 1)).round().astype(int)
        at = torch.linspace(0.02, 0.98, 49)
        rows = []
        for low, high in pairwise(edges):
            values = ratio[low : high + 1][loud[low : high + 1]]
            rows.append(torch.quantile(values[:: 1 + values.numel() // 1_000_000], at))
        return torch.stack(rows)


def _levelled(wave: Tensor) -> Tensor:
    wave = wave.detach().float()
    return wave / wave.square().mean().sqrt().clamp(min=1e-8)
