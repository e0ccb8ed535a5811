"""What is kept of the content: the course of each band, and how deep it goes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from echoic.style.cochlea import Cochlea, half_cosine_bands
from echoic.style.depth import CUTOFF_HZ, HIGH_HZ, LOW_HZ, N_WIDE_BANDS, slopes
from echoic.style.methods.texture import Heard
from echoic.style.optimise import Term
from echoic.style.vocoder import SMOOTHING_HZ, smooth

# The course counts in proportion to the depth: a shallow target is nearly flat, and would hold
# the style's own fluctuations down.
COURSE_WEIGHT, ENVELOPE_WEIGHT, DEPTH_WEIGHT = 1.0, 30.0, 30.0
LIKENESS, MAX_RISE = 0.83, 0.2  # of the whole envelope: asked for, and beyond the start
LOCAL_HZ = 1.0


def course_term(target: Tensor, bands: Tensor, depth: float) -> Term:
    """Each band's linear envelope follows the target, up to a factor of its own.

    A compressed one would be content with the right loudness in the pauses. The
    error is relative to the target's level within about a second, so that quiet
    syllables count as loud ones do.

    Args:
        target: (band, frame), the content's envelopes at the depth wanted.
        bands: (band,), those that count.
        depth: That of the target.
    """
    target = target[bands]
    unit = smooth(target, LOCAL_HZ)
    wanted = target / unit

    def loss(heard: Heard) -> Tensor:
        found = smooth(heard.envelopes.linear[bands], SMOOTHING_HZ) / unit
        factor = (found * wanted).mean(-1, keepdim=True) / found.square().mean(-1, keepdim=True)
        return (found * factor.detach() - wanted).square().mean()

    return Term("course", "content", COURSE_WEIGHT * depth, loss)


def envelope_term(content: Tensor, start: Tensor, depth: float) -> Term:
    """The envelope of the whole sound is like the content's to a certain degree.

    Where the style is loud in bands in which the content is weak, bands that follow one by
    one do not add up to the content's rhythm. Where they do, this costs nothing. Of a style
    that rings on, more than some likeness is not to be had without the words: no more is
    asked than somewhat above that of the vocoder's sound.

    Args:
        content: (band, frame), its linear envelopes.
        start: (band, frame), those of the sound that the descent starts from.
        depth: dB per dB.
    """

    def course(linear: Tensor) -> Tensor:
        whole = smooth(linear.square().sum(0, keepdim=True).clamp(min=1e-12).sqrt(), CUTOFF_HZ)
        centered = whole - whole.mean()
        return centered / centered.norm().clamp(min=1e-9)

    wanted = course(content)
    asked = min(LIKENESS, float((course(start) * wanted).sum()) + MAX_RISE)

    def loss(heard: Heard) -> Tensor:
        likeness = (course(heard.envelopes.linear) * wanted).sum()
        return (asked - likeness).clamp(min=0).square()

    return Term("envelope", "content", ENVELOPE_WEIGHT * depth, loss)


def depth_term(content: Tensor, depth: float, cochlea: Cochlea) -> Term:
    """Levels in six wide bands follow the content's by `depth` dB per dB."""
    _, centers, spacing = half_cosine_bands(N_WIDE_BANDS, LOW_HZ, HIGH_HZ)
    distance = np.abs(cochlea.center_erb - centers[:, None]) / spacing
    weight = torch.from_numpy(np.cos(np.pi / 2 * np.clip(distance, 0, 1)) ** 2).float()

    def wide(linear: Tensor) -> Tensor:
        return smooth((weight @ linear.square()).clamp(min=1e-12).sqrt(), CUTOFF_HZ).clamp(min=1e-6)

    wanted = wide(content)

    def loss(heard: Heard) -> Tensor:
        return (slopes(wanted, wide(heard.envelopes.linear)) - depth).square().mean()

    return Term("depth", "content", DEPTH_WEIGHT, loss)
