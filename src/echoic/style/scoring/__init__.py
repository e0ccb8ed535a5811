"""Scores of a style transfer: likeness, content kept, depth, and two gates.

No single number suffices. A mixture of content and style is close to the style's statistics and
keeps every word; a copy of the style is closest of all. So a result is scored for likeness to a
held-out part of the style, for what it keeps of the content and for the depth at which it keeps
it, and is disqualified where it is a mixture (MEE) or a copy (NCC).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from echoic.errors import ParameterError
from echoic.style.scoring.copying import band_power_mixture, largest_copy, mixture_explained
from echoic.style.scoring.envelopes import envelope_scores
from echoic.style.scoring.intelligibility import estoi
from echoic.style.scoring.likeness import Likeness
from echoic.style.scoring.pitch import f0_kept
from echoic.style.vocoder import lengthen

MAX_MEE, MAX_NCC = 0.10, 0.30

Wave = NDArray[np.floating]

__all__ = ["MAX_MEE", "MAX_NCC", "Scorer", "estoi"]


@dataclass(frozen=True)
class _References:
    content: dict[str, float]
    d_of_style: float
    self_similarity: float


class Scorer:
    """Scores results for one content and one style.

    Args:
        content: (time,).
        style: (time,), the part that methods are shown.
        held_out: (time,), another part of the same recording.
        sample_rate: Hz, of all.

    Raises:
        ParameterError: not one-dimensional, shorter than half a second, or content and held-out
            style are the same sound.
    """

    def __init__(self, content: Wave, style: Wave, held_out: Wave, *, sample_rate: int) -> None:
        """Measure the references: the content itself, and the shown part of the style."""
        for name, wave in (("content", content), ("style", style), ("held_out", held_out)):
            if wave.ndim != 1 or wave.size < sample_rate / 2:
                raise ParameterError(
                    f"{name} of shape {wave.shape} is not (time,) of 0.5 s or more"
                )
        self.content, self.style, self.sample_rate = content, style, sample_rate
        self._looped = lengthen(_tensor(style), content.size, sample_rate=sample_rate).numpy()
        self._likeness = Likeness(_tensor(held_out), sample_rate=sample_rate)
        self._references = _References(
            self._likeness(_tensor(content)),
            self._likeness(_tensor(style))["d"],
            largest_copy(held_out, style, sample_rate=sample_rate),
        )
        if self._references.content["gram"] == 0:
            raise ParameterError("content and style are the same sound")

    def __call__(self, result: Wave) -> dict[str, float | bool]:
        """Score a result as long as the content.

        Returns:
            `d`, `d_over_floor`, `gap`; `gram`, `mel` relative to the content = 1;
            `carrier_w1`; `env`, `env6`, `depth`, `estoi`, `f0`; `mee`, `mixture_r2`,
            `ncc_style`, `ncc_content`, and `passes`.
        """
        if result.shape != self.content.shape:
            raise ParameterError(f"result {result.shape} is not as long as {self.content.shape}")
        rate, of_content = self.sample_rate, self._references.content
        near = self._likeness(_tensor(result))
        mee = mixture_explained(result, [self.content, self._looped])
        ncc_style = largest_copy(result, self.style, sample_rate=rate)
        ncc_content = largest_copy(result, self.content, sample_rate=rate)
        # A ticking clock repeats itself: what two parts of the style share is not a copy.
        max_ncc = max(MAX_NCC, self._references.self_similarity)
        return {
            "d": near["d"],
            "d_over_floor": near["d"] / self._references.d_of_style,
            "gap": 1 - near["d"] / of_content["d"],
            "gram": near["gram"] / of_content["gram"],
            "mel": near["mel"] / of_content["mel"],
            "carrier_w1": near["carrier_w1"],
            **envelope_scores(_tensor(self.content), _tensor(result), sample_rate=rate),
            "estoi": estoi(self.content, result, sample_rate=rate),
            "f0": f0_kept(self.content, result, sample_rate=rate),
            "mee": mee,
            "mixture_r2": band_power_mixture(
                result, [self.content, self._looped], sample_rate=rate
            ),
            "ncc_style": ncc_style,
            "ncc_content": ncc_content,
            "passes": mee <= MAX_MEE and ncc_style <= max_ncc and ncc_content <= MAX_NCC,
        }


def _tensor(wave: Wave) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(wave, np.float32))
