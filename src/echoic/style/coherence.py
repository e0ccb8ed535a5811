"""Coherence: whether half-second snippets of one sound are copied, as waveforms, from another.

A sound that resembles another shares its statistics; a copy shares its waveform. By chance alone,
narrow-band noise reaches a coherence of about 0.2 at the best of all positions.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.optimise import Term

SNIPPET_S = 0.5
_RANGE_DB = 40.0  # snippets this far below the loudest one count as silent
_TINY = 1e-24  # least energy of a source: nothing is a copy of a silent one
_NEAR_S = 0.005  # coherence peaks closer to each other than this count as one
_N_POSITIONS = 4  # positions penalised per snippet and source
CHANCE, WEIGHT = 0.2, 50.0  # coherence that is tolerated; weight of the mean squared excess


class _View(Protocol):
    @property
    def wave(self) -> Tensor: ...


def snippets_of(wave: Tensor, size: int, hop: int) -> tuple[Tensor, Tensor]:
    """Snippets of a wave that are not silent, (snippet, time), and their first samples."""
    pieces = wave.unfold(0, size, hop)
    energy = pieces.square().sum(-1)
    heard = torch.nonzero(energy > energy.max() * 10 ** (-_RANGE_DB / 10))[:, 0]
    return pieces[heard], heard * hop


def coherences(snippets: Tensor, source: Tensor) -> Tensor:
    """Magnitude of the normalised cross-correlation, at every position in the source.

    Shape:
        (snippet, size) and (time,) -> (snippet, time − size + 1).
    """
    size = snippets.shape[-1]
    n_fft = 1 << (source.shape[-1] + size).bit_length()
    spectrum = torch.fft.rfft(source, n=n_fft)
    cross = torch.stack(
        [torch.fft.irfft(spectrum * torch.fft.rfft(s, n=n_fft).conj(), n=n_fft) for s in snippets]
    )
    norm = _norms(source, size)
    return cross[:, : norm.shape[-1]].abs() / norm / snippets.norm(dim=-1, keepdim=True)


def _norms(source: Tensor, size: int) -> Tensor:
    energy = F.pad(source.double().square().cumsum(0), (1, 0))
    energy = energy[size:] - energy[:-size]
    floor = max(float(energy.max()) * 10 ** (-_RANGE_DB / 10), _TINY)
    return energy.clamp(min=floor).sqrt().to(source)


def coherence_term(wave: Tensor, sources: tuple[Tensor, ...], *, sample_rate: float) -> Term | None:
    """A penalty on the coherence of a wave with its sources; None if it is at chance level.

    The most coherent positions of each snippet are searched for once; the term then penalises the
    coherence at these positions.

    Args:
        wave: (time,), the current result.
        sources: (time,) each.
        sample_rate: Hz.
    """
    size = round(SNIPPET_S * sample_rate)
    if min(s.shape[-1] for s in (wave, *sources)) < size:
        return None
    snippets, starts = snippets_of(wave, size, size // 4)
    if not len(snippets):
        return None
    at, parts = [], []
    for source in sources:
        found = coherences(snippets, source)
        near = round(_NEAR_S * sample_rate)
        is_peak = found == F.max_pool1d(found[:, None], 2 * near + 1, 1, near)[:, 0]
        best, positions = (found * is_peak).topk(min(_N_POSITIONS, found.shape[-1]), dim=-1)
        rows, columns = torch.nonzero(best > CHANCE, as_tuple=True)
        at.append(starts[rows])
        # With the quadrature part included, a shift by a few samples does not evade the penalty.
        pieces = analytic(source).unfold(0, size, 1)[positions[rows, columns]]
        parts.append(pieces / pieces.real.norm(dim=-1, keepdim=True).clamp(min=1e-9))
    begins, shown = torch.cat(at), torch.cat(parts)
    if not begins.numel():
        return None
    times = begins[:, None] + torch.arange(size)

    def loss(view: _View) -> Tensor:
        pieces = view.wave[times]
        unit = pieces.norm(dim=-1).clamp(min=1e-9)
        shared = torch.stack([(pieces * part).sum(-1) for part in (shown.real, shown.imag)])
        return (shared.norm(dim=0) / unit - CHANCE).clamp(min=0).square().mean()

    return Term("coherence", "penalty", WEIGHT, loss)


def analytic(wave: Tensor) -> Tensor:
    """The analytic signal of a whole wave."""
    spectrum = torch.fft.fft(wave)
    n = wave.shape[-1]
    spectrum[1 : (n + 1) // 2] *= 2
    spectrum[n // 2 + 1 :] = 0
    return torch.fft.ifft(spectrum)
