"""Content terms: the course (envelope over time) of each band, and its depth."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.cochlea import Cochlea, half_cosine_bands
from echoic.style.depth import CUTOFF_HZ, HIGH_HZ, LOW_HZ, N_WIDE_BANDS, slopes
from echoic.style.methods.mcdermott import TextureFeatures
from echoic.style.optimise import Term
from echoic.style.vocoder import SMOOTHING_HZ, smooth

# The course is weighted in proportion to the depth: a shallow target is nearly flat, and would
# suppress the style's own fluctuations.
COURSE_WEIGHT, ENVELOPE_WEIGHT, WORDS_WEIGHT, DEPTH_WEIGHT = 1.0, 150.0, 100.0, 30.0
LOCAL_HZ = 1.0
LIKENESS = 0.83  # required correlation of the broadband envelope, from a depth of one half on
# Required rise of the word score over the vocoder's, times depth; frequency and level range.
WORDS_RISE, SPEECH_HZ, WORDS_RANGE_DB = 0.16, (150.0, 5_000.0), 40.0
WORDS_STEP, WORDS_FRAMES = 4, 38  # decimation of frames, and decimated frames a segment: 0.38 s


def course_term(target: Tensor, bands: Tensor, depth: float) -> Term:
    """Make each band's linear envelope follow the target, up to a factor per band.

    With compressed envelopes, the right loudness in the pauses would suffice. The error is
    relative to the target's level within about a second, so that quiet syllables count as much as
    loud ones.

    Args:
        target: (band, frame), the content's envelopes at the depth wanted.
        bands: (band,), those that count.
        depth: Depth of the target.
    """
    target = target[bands]
    unit = smooth(target, LOCAL_HZ)
    wanted = target / unit

    def loss(heard: TextureFeatures) -> Tensor:
        found = smooth(heard.envelopes.linear[bands], SMOOTHING_HZ) / unit
        factor = (found * wanted).mean(-1, keepdim=True) / found.square().mean(-1, keepdim=True)
        return (found * factor.detach() - wanted).square().mean()

    return Term("course", "content", COURSE_WEIGHT * depth, loss)


def envelope_term(content: Tensor, depth: float) -> Term:
    """Require a minimum correlation between the broadband envelope and the content's.

    Where the style is loud in bands in which the content is weak, or rings on where it pauses,
    bands that each follow the content do not sum to its rhythm. The loss is zero once the
    correlation is reached. Less is required of a shallow result.

    Args:
        content: (band, frame), its linear envelopes.
        depth: dB per dB.
    """

    def course(linear: Tensor) -> Tensor:
        whole = smooth(linear.square().sum(0, keepdim=True).clamp(min=1e-12).sqrt(), CUTOFF_HZ)
        centered = whole - whole.mean()
        return centered / centered.norm().clamp(min=1e-9)

    wanted, asked = course(content), LIKENESS * min(1.0, 2 * depth)

    def loss(heard: TextureFeatures) -> Tensor:
        likeness = (course(heard.envelopes.linear) * wanted).sum()
        return (asked - likeness).clamp(min=0).square()

    return Term("envelope", "content", ENVELOPE_WEIGHT * depth, loss)


def words_term(content: Tensor, vocoded: Tensor, depth: float, cochlea: Cochlea) -> Term:
    """Require better intelligibility than that of the vocoder's sound at this depth.

    The measure is the correlation of the patterns over bands and frames, within 0.38 s, with the
    content's: each band is normalised over time, then each frame over bands.

    Args:
        content: (band, frame), its linear envelopes.
        vocoded: (band, frame), those of the vocoder's sound.
        depth: dB per dB.
        cochlea: The filterbank that defines the bands.

    References: after Jensen and Taal (2016), IEEE/ACM TASLP 24(11), in bands of the ear.
    """
    low_hz, high_hz = SPEECH_HZ
    bands = torch.from_numpy((cochlea.center_hz > low_hz) & (cochlea.center_hz < high_hz))
    level = content[bands].square().sum(0).sqrt()[::WORDS_STEP]
    loud = level > level.max() * 10 ** (-WORDS_RANGE_DB / 20)
    size = min(WORDS_FRAMES, int(loud.sum()))

    def heard_patterns(linear: Tensor) -> Tensor:
        rows = smooth(linear[bands], SMOOTHING_HZ)[:, ::WORDS_STEP][:, loud]
        return patterns(rows, size, max(1, size // 8))

    wanted = heard_patterns(content)

    def likeness(linear: Tensor) -> Tensor:
        return (heard_patterns(linear) * wanted).sum(0).mean()

    asked = float(likeness(vocoded)) + WORDS_RISE * depth

    def loss(heard: TextureFeatures) -> Tensor:
        return (asked - likeness(heard.envelopes.linear)).clamp(min=0).square()

    return Term("words", "content", WORDS_WEIGHT, loss)


def patterns(envelopes: Tensor, size: int, hop: int) -> Tensor:
    """Segments of envelopes, normalised over time and then over bands.

    Args:
        envelopes: (…, band, frame).
        size: Frames per segment.
        hop: Frames from segment to segment.

    Shape:
        The result: (…, band, segment, frame). Summed over the bands, the product of two is the
        correlation of their patterns at every frame.
    """
    parts = envelopes.unfold(-1, size, hop)
    parts = F.normalize(parts - parts.mean(-1, keepdim=True), dim=-1, eps=1e-9)
    return F.normalize(parts - parts.mean(-3, keepdim=True), dim=-3, eps=1e-9)


def depth_term(content: Tensor, depth: float, cochlea: Cochlea) -> Term:
    """Make levels in six wide bands follow the content's by `depth` dB per dB."""
    high_hz = min(HIGH_HZ, cochlea.sample_rate / 2)  # as in `depth_of`
    _, centers, spacing = half_cosine_bands(N_WIDE_BANDS, LOW_HZ, high_hz)
    distance = np.abs(cochlea.center_erb - centers[:, None]) / spacing
    weight = torch.from_numpy(np.cos(np.pi / 2 * np.clip(distance, 0, 1)) ** 2).float()

    def wide(linear: Tensor) -> Tensor:
        return smooth((weight @ linear.square()).clamp(min=1e-12).sqrt(), CUTOFF_HZ).clamp(min=1e-6)

    wanted = wide(content)

    def loss(heard: TextureFeatures) -> Tensor:
        return (slopes(wanted, wide(heard.envelopes.linear)) - depth).square().mean()

    return Term("depth", "content", DEPTH_WEIGHT, loss)
