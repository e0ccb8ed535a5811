"""Gates that reject a result that is a mixture of content and style, or a copy of either."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from echoic.style.cochlea import Cochlea
from echoic.style.coherence import SNIPPET_S, coherences, snippets_of
from echoic.style.vocoder import smooth

N_TAPS = 128
_RIDGE = 1e-4  # re the mean power: nothing is explained 40 dB below it

Wave = NDArray[np.floating]


def mixture_explained(result: Wave, sources: list[Wave]) -> float:
    """MEE: share of the result's energy that filtered sources explain, 0 to 1.

    Each source is filtered by a least-squares FIR of 128 taps, half of them non-causal. All waves
    have the same length.
    """
    n = result.size
    n_fft = 1 << (n + N_TAPS).bit_length()
    spectra = [np.fft.rfft(np.asarray(s, np.float64), n_fft) for s in sources]
    wanted = np.fft.rfft(np.asarray(result, np.float64), n_fft)
    lags = np.arange(N_TAPS)
    rows = []
    for a in spectra:
        row = []
        for b in spectra:
            correlation = np.fft.irfft(a * b.conj(), n_fft)
            row.append(correlation[lags[None, :] - lags[:, None]])
        rows.append(row)
    gram = np.block(rows)
    gram = (gram + gram.T) / 2 + _RIDGE * np.diag(np.diag(gram))
    shifted = lags - N_TAPS // 2
    cross = np.concatenate([np.fft.irfft(wanted * s.conj(), n_fft)[shifted] for s in spectra])
    energy = float(np.square(result, dtype=np.float64).sum())
    return float(np.clip(cross @ np.linalg.solve(gram, cross) / max(energy, 1e-20), 0, 1))


def largest_copy(result: Wave, source: Wave, *, sample_rate: int) -> float:
    """NCC: largest normalised cross-correlation of a half-second snippet with the source.

    Snippets start a quarter of a second apart; silent ones (40 dB below the loudest) are ignored.
    """
    size = round(SNIPPET_S * sample_rate)
    if result.size < size or source.size < size:
        return 0.0
    waves = [torch.from_numpy(np.asarray(w, np.float64)) for w in (result, source)]
    snippets, _ = snippets_of(waves[0], size, size // 2)
    if not len(snippets):
        return 0.0
    return float(coherences(snippets, waves[1]).max())


def band_power_mixture(result: Wave, sources: list[Wave], *, sample_rate: float) -> float:
    """R² of the result's band powers explained by those of the sources, band by band.

    Reported beside MEE, which changed phases defeat; not a gate.
    """
    waves = [torch.from_numpy(np.asarray(w, np.float32)) for w in (result, *sources)]
    powers = []
    for wave in waves:
        level = float(wave.square().mean().sqrt().clamp(min=1e-8))
        bank = Cochlea(wave.shape[-1], sample_rate=sample_rate, level=level)
        powers.append(smooth(bank(wave).linear.square(), 50.0)[:, ::4].double().numpy())
    wanted, *given = powers
    explained = total = 0.0
    for k in range(wanted.shape[0]):
        basis = np.stack([p[k] - p[k].mean() for p in given], axis=1)
        y = wanted[k] - wanted[k].mean()
        y /= max(float(y.std()), 1e-12)  # each band counts alike
        fit = np.linalg.lstsq(basis, y, rcond=1e-8)[0]
        explained += float(np.square(y).sum() - np.square(y - basis @ fit).sum())
        total += float(np.square(y).sum())
    return explained / max(total, 1e-12)
