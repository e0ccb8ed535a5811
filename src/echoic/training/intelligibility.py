"""Training loss: the intelligibility of speech that is predicted from envelopes (ESTOI)."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from echoic.ear.design import N_GAIN_BANDS, design_separating
from echoic.style.methods.course import patterns

_LOWEST_HZ, _N_THIRDS = 150.0, 15
_SEGMENT_STEPS, _SEGMENT_HOP = 38, 8
_RANGE_DB = 40.0
_TINY = 1e-12


def unintelligibility(gains: Tensor, own: Tensor, mixture: Tensor) -> Tensor:
    """1 − ESTOI, computed from powers in the separating bank.

    Envelopes of third octaves are divided into segments of 0.38 s, and normalised over time and
    then over bands; what counts is the mean correlation of speech and output. Segments are
    weighted by the part of them that is less than 40 dB below the loudest speech (ESTOI removes
    the rest beforehand), so that scenes without speech do not count.

    Args:
        gains: (…, band, step), applied to the mixture.
        own: (…, band, step), power of the speech.
        mixture: (…, band, step), power of the mixture.

    Returns:
        Scalar, 0 to 2.

    References: Jensen and Taal (2016), IEEE/ACM TASLP 24(11), equations 2 to 9.
    """
    level = own.sum(dim=-2)
    speaks = (level > level.amax(dim=-1, keepdim=True) * 10 ** (-_RANGE_DB / 10)).to(own)
    weight = speaks.unfold(-1, _SEGMENT_STEPS, _SEGMENT_HOP).mean(-1)
    spoken, heard = (
        patterns(_envelopes(power), _SEGMENT_STEPS, _SEGMENT_HOP)
        for power in (own, gains**2 * mixture)
    )
    alike = (spoken * heard).sum(dim=-3).mean(dim=-1)
    return ((1 - alike) * weight).sum() / (weight.sum() + _TINY)


def _envelopes(power: Tensor) -> Tensor:
    """Envelopes (…, third octave, step) from powers (…, band, step)."""
    return (_third_octaves().to(power) @ power + _TINY).sqrt()


@cache
def _third_octaves() -> Tensor:
    """(third octave, band), 1 where the band's centre lies in it."""
    band_hz = design_separating(sample_rate=16_000).center_hz[:N_GAIN_BANDS]
    third_hz = _LOWEST_HZ * 2 ** (np.arange(_N_THIRDS)[:, None] / 3)
    return torch.from_numpy(np.abs(np.log2(band_hz / third_hz)) < 1 / 6).float()
