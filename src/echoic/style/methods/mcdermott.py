"""Statistics by which listeners represent a texture, as a term and as a method of its own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from echoic.style.cochlea import Cochlea, Envelopes
from echoic.style.methods.task import LEVEL, Task
from echoic.style.optimise import Problem, Term
from echoic.style.statistics import CLASS_SPREADS, TextureStatistics, audible_bands, class_distances

LEAST_ENERGY = 1e-3  # of a class that the style hardly has, re its usual energy


class TextureFeatures(NamedTuple):
    """A wave, its envelopes and their statistics."""

    wave: Tensor
    envelopes: Envelopes
    statistics: dict[str, Tensor]


class TextureView:
    """Envelopes and statistics of waves of one length.

    Args:
        cochlea: The filterbank.
    """

    def __init__(self, cochlea: Cochlea) -> None:
        """Design the modulation filters."""
        self.cochlea = cochlea
        self.statistics = TextureStatistics(cochlea.n_frames, cochlea.center_hz.size)

    def __call__(self, wave: Tensor) -> TextureFeatures:
        """Analyse a whole wave."""
        envelopes = self.cochlea(wave)
        return TextureFeatures(wave, envelopes, self.statistics(envelopes))


def statistics_term(style: TextureFeatures, bands: Tensor) -> Term:
    """Match the style's statistics, with equal weight for all classes, in the bands that count.

    Args:
        style: The analysed style.
        bands: (band,), those that count.
    """

    def loss(heard: TextureFeatures) -> Tensor:
        distances = class_distances(heard.statistics, style.statistics, bands)
        return torch.stack(list(distances.values())).mean().log1p()

    return Term("statistics", "style", 1.0, loss)


def convergence_term(style: TextureFeatures, bands: Tensor, *, weight: float) -> Term:
    """Match the style's statistics until every class has converged.

    The error of a class is relative to its own energy in the style, see `class_snr_db`: noise has
    hardly any skewness, and an error that is small beside other sounds' is large beside its own.
    The mean over the classes is one of fourth powers, in which the worst class counts most.

    Args:
        style: The analysed style.
        bands: (band,), those that count.
        weight: Weight of the term.
    """
    energy = {
        name: max(float(style.statistics[name][bands].square().mean()) / scale**2, LEAST_ENERGY)
        for name, scale in CLASS_SPREADS.items()
    }

    def loss(heard: TextureFeatures) -> Tensor:
        distances = class_distances(heard.statistics, style.statistics, bands)
        errors = torch.stack([distance / energy[name] for name, distance in distances.items()])
        return errors.pow(4).mean().clamp(min=1e-24).pow(1 / 4)

    return Term("statistics", "style", weight, loss)


def mcdermott(task: Task) -> Problem:
    """Impose the style's texture statistics on the content; what they leave free is kept.

    References: McDermott and Simoncelli (2011); started from the content as in Grinstein, Duong,
        Ozerov and Pérez (2018).
    """
    view, style_view = (
        TextureView(Cochlea(wave.shape[-1], sample_rate=task.sample_rate, level=LEVEL))
        for wave in (task.content, task.style)
    )
    style = style_view(task.style)
    return Problem(task.content, view, (statistics_term(style, audible_bands(style.envelopes)),))
