"""Our own method: transfer in the auditory domain, optimising the waveform.

The terms are computed on the ear's envelopes, except for the long-term spectrum and the penalty
on copying, which use the wave. The style is described by its texture statistics, by Gram matrices
of small random networks at several time scales, from a few milliseconds to half a second, and by
its long-term spectrum. The content is described by the linear envelope of each band, the
broadband envelope, the words, and the depth at which these are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.cochlea import Cochlea, Envelopes
from echoic.style.coherence import coherence_term
from echoic.style.depth import exponent_for
from echoic.style.losses import gram, grams_loss
from echoic.style.methods.course import course_term, depth_term, envelope_term, words_term
from echoic.style.methods.long_term import spectrum_term
from echoic.style.methods.mcdermott import (
    TextureFeatures,
    TextureView,
    convergence_term,
    statistics_term,
)
from echoic.style.methods.task import LEVEL, Task
from echoic.style.networks import Wide
from echoic.style.optimise import Problem, Term
from echoic.style.statistics import audible_bands
from echoic.style.vocoder import depth_gains, lengthen, randomise_phase, shape_bands

GRAM_WEIGHT = 10.0
# Course loss (times depth) above which its weight is raised, and the largest factor per round.
MAX_COURSE_LOSS, MAX_STEP = 0.2, 4.0
QUIET = 0.1  # re a band's level in the style: network inputs are linear below, logarithmic above
# Frames averaged before each network, and the width of its filters in averaged frames.
TIME_SCALES = ((1, 3), (4, 3), (4, 11), (8, 25))
N_FILTERS = 64
# For `texture`, where nothing outweighs this term: matching the spectrum of one realisation
# closely keeps the statistics from reaching their targets.
CONVERGENCE_WEIGHT, SPECTRUM_WEIGHT = 3.0, 0.004


def hearing(task: Task) -> Problem:
    """Match the style's statistics and Gram matrices, and the content's course in every band."""
    n_samples, rate = task.content.shape[-1], task.sample_rate
    view = TextureView(Cochlea.wide(n_samples, sample_rate=rate, level=LEVEL))
    style_view = TextureView(Cochlea.wide(task.style.shape[-1], sample_rate=rate, level=LEVEL))
    style = style_view(task.style)
    bands = audible_bands(style.envelopes)
    content = view.cochlea(task.content).linear
    longer = lengthen(task.style, n_samples, sample_rate=rate)
    carrier = randomise_phase(longer, task.generator())

    def vocoded(exponent: float) -> Tensor:
        return shape_bands(carrier, depth_gains(content, exponent), view.cochlea)

    depth = 1 - task.strength
    exponent = exponent_for(depth, task.content, vocoded, sample_rate=rate)
    noise = vocoded(exponent)
    events = view.cochlea(longer).linear
    gains = depth_gains(content, exponent)
    level = style.envelopes.linear.square().mean(-1, keepdim=True).sqrt()
    # From noise alone no descent finds the way to ticks with silence between them, so the start
    # has half the style's own course, in dB. It contains nothing of the style's waveform.
    course = shifted_to_fit(events, content).sqrt() * gains
    start = with_course(noise, course, level, view.cochlea)
    terms = [
        statistics_term(style, bands),
        gram_term(style.envelopes, bands, view.cochlea.n_frames, seed=task.seed),
        spectrum_term(task.style, n_samples, sample_rate=rate),
    ]
    if depth > 0:
        terms += [
            course_term(level * gains, bands, depth),
            envelope_term(content, depth),
            words_term(content, view.cochlea(noise).linear, depth, view.cochlea),
            depth_term(content, depth, view.cochlea),
        ]

    def raised(term: Term, heard: TextureFeatures) -> Term:
        """The course with a higher weight if it is far off; other terms as they are."""
        if term.name != "course":
            return term
        excess = depth * float(term.loss(heard)) / MAX_COURSE_LOSS
        return term._replace(weight=term.weight * min(max(excess, 1.0), MAX_STEP))

    def renew(heard: TextureFeatures, _round: int, former: tuple[Term, ...]) -> tuple[Term, ...]:
        now = [raised(term, heard) for term in former]
        return guarded(now, heard, (task.content, task.style), sample_rate=rate)

    return Problem(start, view, tuple(terms), renew=renew)


def texture(style: Tensor, n_samples: int, *, sample_rate: float, seed: int) -> Problem:
    """The problem of a sound of any length with the style's statistics, and no content.

    Args:
        style: (time,), of RMS `LEVEL`.
        n_samples: Length of the result.
        sample_rate: Hz.
        seed: Seed of the starting noise and the networks.
    """
    banks = [
        Cochlea.wide(n, sample_rate=sample_rate, level=LEVEL) for n in (n_samples, style.shape[-1])
    ]
    view, style_view = TextureView(banks[0]), TextureView(banks[1])
    shown = style_view(style)
    bands = audible_bands(shown.envelopes)
    longer = lengthen(style, n_samples, sample_rate=sample_rate)
    generator = torch.Generator().manual_seed(seed)
    noise = randomise_phase(longer, generator)
    events = above_silence(view.cochlea(longer).linear)
    shift = int(torch.randint(events.shape[-1], (1,), generator=generator))
    level = shown.envelopes.linear.square().mean(-1, keepdim=True).sqrt()
    start = with_course(noise, events.roll(shift, -1).sqrt(), level, view.cochlea)
    terms = (
        convergence_term(shown, bands, weight=CONVERGENCE_WEIGHT),
        spectrum_term(style, n_samples, sample_rate=sample_rate, weight=SPECTRUM_WEIGHT),
    )
    # Only in the first round: the Gram matrices lead to the events, but then hold the statistics
    # back from their targets, most where tones ring for seconds.
    at_first = (*terms, gram_term(shown.envelopes, bands, view.cochlea.n_frames, seed=seed))

    def renew(heard: TextureFeatures, index: int, _former: tuple[Term, ...]) -> tuple[Term, ...]:
        now = terms if index else at_first
        return guarded(now, heard, (style,), sample_rate=sample_rate)

    return Problem(start, view, terms, renew=renew)


def guarded(
    terms: Sequence[Term],
    heard: TextureFeatures,
    sources: tuple[Tensor, ...],
    *,
    sample_rate: float,
) -> tuple[Term, ...]:
    """The terms, and a new penalty where the sound has become coherent with its sources."""
    others = tuple(term for term in terms if term.name != "coherence")
    guard = coherence_term(heard.wave, sources, sample_rate=sample_rate)
    return others if guard is None else (*others, guard)


def above_silence(envelopes: Tensor) -> Tensor:
    """Clamp envelopes (band, frame) 60 dB below the peak of their band: ringing goes below zero."""
    return envelopes.clamp(min=1e-3 * envelopes.amax(-1, keepdim=True))


def shifted_to_fit(events: Tensor, content: Tensor) -> Tensor:
    """The style's envelopes, circularly shifted to where they match the content's best.

    Shape:
        (band, frame) and (band, frame), linear -> (band, frame).
    """
    events = above_silence(events)
    content = content.clamp(min=1e-2 * content.amax(-1, keepdim=True))
    levels = [x.log() - x.log().mean(-1, keepdim=True) for x in (content, events)]
    spectra = [torch.fft.rfft(level) for level in levels]
    fit = torch.fft.irfft((spectra[0] * spectra[1].conj()).sum(0), n=events.shape[-1])
    return events.roll(int(fit.argmax()), -1)


def with_course(noise: Tensor, course: Tensor, level: Tensor, cochlea: Cochlea) -> Tensor:
    """Replace the envelopes of the noise's bands by a given course, at the levels given.

    Shape:
        (time,), (band, frame), (band, 1) -> (time,).
    """
    own = cochlea(noise).linear
    gains = course / own.clamp(min=0.1 * own.mean(-1, keepdim=True))
    shaped = shape_bands(noise, gains, cochlea)
    found = cochlea(shaped).linear.square().mean(-1, keepdim=True).sqrt()
    return shape_bands(shaped, (level / found).expand_as(course), cochlea)


def gram_term(style: Envelopes, bands: Tensor, n_frames: int, *, seed: int) -> Term:
    """Gram matrices of random networks, one for each time scale that fits in both sounds.

    Args:
        style: Envelopes of the style.
        bands: (band,), those that count.
        n_frames: Number of frames of the result.
        seed: Seed of the weights.
    """
    n_frames = min(n_frames, style.linear.shape[-1])
    scales = [(n, width) for n, width in TIME_SCALES if n_frames // n >= width]
    # Each band is taken relative to its own level in the style, so that bands weigh alike; the
    # logarithm brings out what lies between the events.
    unit = QUIET * style.linear.square().mean(-1, keepdim=True).sqrt()
    n_bands = int(bands.sum())
    networks = [
        Wide.random(n_bands, n_filters=N_FILTERS, width=width, seed=1000 * seed + k)
        for k, (_, width) in enumerate(scales)
    ]

    def grams(heard: Envelopes) -> list[Tensor]:
        rows = torch.log1p(heard.linear.clamp(min=0) / unit)[bands]
        averaged = [F.avg_pool1d(rows[None], n)[0] if n > 1 else rows for n, _ in scales]
        return [network(x) for network, x in zip(networks, averaged, strict=True)]

    wanted = [gram(features) for features in grams(style)]

    def loss(heard: TextureFeatures) -> Tensor:
        return grams_loss(grams(heard.envelopes), wanted).log1p()

    return Term("grams", "style", GRAM_WEIGHT, loss)
