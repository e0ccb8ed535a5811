"""What is kept of the content: the course of each band, and how deep it goes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.cochlea import Cochlea, half_cosine_bands
from echoic.style.depth import CUTOFF_HZ, HIGH_HZ, LOW_HZ, N_WIDE_BANDS, slopes
from echoic.style.methods.texture import Heard
from echoic.style.optimise import Term
from echoic.style.vocoder import SMOOTHING_HZ, smooth

# The course counts in proportion to the depth: a shallow target is nearly flat, and would hold
# the style's own fluctuations down.
COURSE_WEIGHT, ENVELOPE_WEIGHT, WORDS_WEIGHT, DEPTH_WEIGHT = 1.0, 150.0, 100.0, 30.0
LOCAL_HZ = 1.0
LIKENESS = 0.83  # of the whole envelope, asked for from a depth of one half
# What is asked of words beyond the start, times depth; where in frequency and level they are.
WORDS_RISE, SPEECH_HZ, WORDS_RANGE_DB = 0.16, (150.0, 5_000.0), 40.0
WORDS_STEP, WORDS_FRAMES = 4, 38  # every how many frames, and how many of those: 0.38 s


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


def envelope_term(content: Tensor, depth: float) -> Term:
    """The envelope of the whole sound is like the content's to a certain degree.

    Where the style is loud in bands in which the content is weak, or rings on where it pauses,
    bands that follow one by one do not add up to the content's rhythm. Where they do, this
    costs nothing. Less is asked of a shallow result.

    Args:
        content: (band, frame), its linear envelopes.
        depth: dB per dB.
    """

    def course(linear: Tensor) -> Tensor:
        whole = smooth(linear.square().sum(0, keepdim=True).clamp(min=1e-12).sqrt(), CUTOFF_HZ)
        centered = whole - whole.mean()
        return centered / centered.norm().clamp(min=1e-9)

    wanted, asked = course(content), LIKENESS * min(1.0, 2 * depth)

    def loss(heard: Heard) -> Tensor:
        likeness = (course(heard.envelopes.linear) * wanted).sum()
        return (asked - likeness).clamp(min=0).square()

    return Term("envelope", "content", ENVELOPE_WEIGHT * depth, loss)


def words_term(content: Tensor, vocoded: Tensor, depth: float, cochlea: Cochlea) -> Term:
    """No fewer words are understood than of the vocoder's sound at this depth, but some more.

    The patterns that bands and frames make within a third of a second are like the content's:
    each band relative to its own level there, then each frame to its own.

    Args:
        content: (band, frame), its linear envelopes.
        vocoded: (band, frame), those of the vocoder's sound.
        depth: dB per dB.
        cochlea: Whose bands these are.

    References: after Jensen and Taal (2016), IEEE/ACM TASLP 24(11), in bands of the ear.
    """
    low_hz, high_hz = SPEECH_HZ
    bands = torch.from_numpy((cochlea.center_hz > low_hz) & (cochlea.center_hz < high_hz))
    level = content[bands].square().sum(0).sqrt()[::WORDS_STEP]
    loud = level > level.max() * 10 ** (-WORDS_RANGE_DB / 20)
    size = min(WORDS_FRAMES, int(loud.sum()))

    def patterns(linear: Tensor) -> Tensor:
        rows = smooth(linear[bands], SMOOTHING_HZ)[:, ::WORDS_STEP][:, loud]
        parts = rows.unfold(-1, size, max(1, size // 8))
        parts = F.normalize(parts - parts.mean(-1, keepdim=True), dim=-1, eps=1e-9)
        return F.normalize(parts - parts.mean(0, keepdim=True), dim=0, eps=1e-9)

    wanted = patterns(content)

    def likeness(linear: Tensor) -> Tensor:
        return (patterns(linear) * wanted).sum(0).mean()

    asked = float(likeness(vocoded)) + WORDS_RISE * depth

    def loss(heard: Heard) -> Tensor:
        return (asked - likeness(heard.envelopes.linear)).clamp(min=0).square()

    return Term("words", "content", WORDS_WEIGHT, loss)


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
