"""Depth: the slope of a band's level on the content's level, in dB per dB."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from echoic.style.cochlea import Cochlea
from echoic.style.vocoder import smooth

CUTOFF_HZ = 16.0
RANGE_DB, BAND_RANGE_DB = 30.0, 40.0
N_WIDE_BANDS, LOW_HZ, HIGH_HZ = 6, 50.0, 8_000.0
_N_BISECTIONS, _MAX_EXPONENT = 7, 2.0


def wide_envelopes(wave: Tensor, *, sample_rate: float) -> Tensor:
    """Linear envelopes of six bands, low-passed at 16 Hz, (band, frame)."""
    level = float(wave.square().mean().sqrt().clamp(min=1e-8))
    bank = Cochlea(
        wave.shape[-1],
        sample_rate=sample_rate,
        n_bands=N_WIDE_BANDS,
        low_hz=LOW_HZ,
        high_hz=HIGH_HZ,
        level=level,
    )
    return smooth(bank(wave).linear, CUTOFF_HZ).clamp(min=1e-9)


def slopes(content_envelopes: Tensor, result_envelopes: Tensor) -> Tensor:
    """Slope of the result's level on the content's in each band, in dB per dB.

    Frames of the content more than 30 dB below the band's peak are ignored, as are bands whose
    peak is 40 dB or more below the loudest.

    Shape:
        (band, frame) and (band, frame), linear -> (band that counts,).
    """
    peak = content_envelopes.amax(-1)
    heard = peak > peak.max() * 10 ** (-BAND_RANGE_DB / 20)
    content_envelopes, result_envelopes = content_envelopes[heard], result_envelopes[heard]
    content_db, result_db = 20 * content_envelopes.log10(), 20 * result_envelopes.log10()
    counts = (content_db > content_db.amax(-1, keepdim=True) - RANGE_DB).float()
    n = counts.sum(-1, keepdim=True).clamp(min=1)
    x = (content_db - (content_db * counts).sum(-1, keepdim=True) / n) * counts
    y = (result_db - (result_db * counts).sum(-1, keepdim=True) / n) * counts
    return (x * y).sum(-1) / x.square().sum(-1).clamp(min=1e-9)


def depth_of(content: Tensor, result: Tensor, *, sample_rate: float) -> float:
    """Mean slope over the six bands, of two waves (time,)."""
    waves = (content, result)
    return float(slopes(*(wide_envelopes(w, sample_rate=sample_rate) for w in waves)).mean())


def exponent_for(
    depth: float, content: Tensor, vocoded: Callable[[float], Tensor], *, sample_rate: float
) -> float:
    """The exponent of the content's envelopes with which a vocoder reaches a depth, by bisection.

    It exceeds the depth by an amount that depends on the pair: the carrier fluctuates by itself,
    and wide bands sum narrow ones.

    Args:
        depth: 0 to 1.
        content: (time,).
        vocoded: Returns the vocoder's wave for an exponent.
        sample_rate: Hz.
    """
    if depth <= 0:
        return 0.0
    wanted = wide_envelopes(content, sample_rate=sample_rate)
    low, high = 0.0, _MAX_EXPONENT
    for _ in range(_N_BISECTIONS):
        middle = (low + high) / 2
        heard = wide_envelopes(vocoded(middle), sample_rate=sample_rate)
        found = float(slopes(wanted, heard).mean())
        low, high = (middle, high) if found < depth else (low, middle)
    return (low + high) / 2
