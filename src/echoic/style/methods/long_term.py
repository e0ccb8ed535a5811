"""The long-term spectrum: where the style has no energy, the result must have none either."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from echoic.style.cochlea import squared
from echoic.style.methods.mcdermott import TextureFeatures
from echoic.style.optimise import Term
from echoic.units import hz_to_erb_rate

WEIGHT, RANGE_DB, PLACES_PER_ERB = 0.05, 50.0, 4


class LongTermSpectrum:
    """Mean power in each quarter of an ERB, from 0 Hz to Nyquist, over a whole sound.

    Args:
        n_samples: Length of the input waves.
        sample_rate: Hz.

    Shape:
        wave (time,) -> (place,).
    """

    def __init__(self, n_samples: int, *, sample_rate: float) -> None:
        """Assign FFT bins to places."""
        frequency_hz = np.fft.rfftfreq(n_samples, 1 / sample_rate)
        place = np.floor(PLACES_PER_ERB * hz_to_erb_rate(frequency_hz)).astype(np.int64)
        self.n_places = 1 + math.floor(PLACES_PER_ERB * float(hz_to_erb_rate(sample_rate / 2)))
        self._place = torch.from_numpy(place)
        self._n_bins = torch.bincount(self._place, minlength=self.n_places)
        #: (place,) bool: those that contain an FFT bin; for short waves not all do.
        self.there = self._n_bins > 0

    def __call__(self, wave: Tensor) -> Tensor:
        """Compute the spectrum."""
        power = squared(torch.fft.rfft(wave)) / wave.shape[-1]
        sums = power.new_zeros(self.n_places).index_add(0, self._place, power)
        return sums / self._n_bins.clamp(min=1)


def spectrum_term(
    style: Tensor, n_samples: int, *, sample_rate: float, weight: float = WEIGHT
) -> Term:
    """Match the style's long-term spectrum, finer than the bands, and also where bands are ignored.

    Without it nothing prevents hiss at frequencies that the style's recording has cut off.

    Args:
        style: (time,).
        n_samples: Length of the result.
        sample_rate: Hz.
        weight: Weight of the term.
    """
    of_style, spectrum = (
        LongTermSpectrum(n, sample_rate=sample_rate) for n in (style.shape[-1], n_samples)
    )
    there = of_style.there & spectrum.there
    wanted = of_style(style)[there]
    floor = wanted.max() * 10 ** (-RANGE_DB / 10)

    def loss(heard: TextureFeatures) -> Tensor:
        ratio = (spectrum(heard.wave)[there] + floor) / (wanted + floor)
        return ratio.log().square().mean()

    return Term("spectrum", "style", weight, loss)
