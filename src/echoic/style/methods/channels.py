"""Methods with frequencies as channels: 1-D convolutions over time."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from echoic.errors import ParameterError
from echoic.style.losses import gram, gram_loss, grams_loss, relative_error
from echoic.style.methods.task import Task
from echoic.style.networks import Wide, in_turn
from echoic.style.optimise import Problem, Term
from echoic.style.spectrogram import LogSpectrogram, start_and_inverse, wyse_view


def ulyanov(task: Task, n_filters: int = 4096) -> Problem:
    """One wide layer of random filters over 1025 frequencies, 11 frames wide.

    References: Ulyanov and Lebedev (2016), "Audio texture synthesis and style transfer":
        α = 0.01. They start from 0.001·N(0, 1), we from noise of the level of the content's
        spectrogram.
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate)
    network = Wide.random(spectrogram.n_bins, n_filters=n_filters, seed=task.seed)
    content = network(spectrogram(task.content))
    wanted = gram(network(spectrogram(task.style)))
    # They divide the Gram matrix by the number of input frames, we by that of output frames: a
    # constant difference of less than a tenth.
    terms = (
        Term("style", "style", 1.0, lambda found: (gram(found) - wanted).square().sum()),
        Term(
            "content",
            "content",
            task.content_weight(1e-2, decades=2),
            lambda found: (found - content).square().sum(),
        ),
    )
    start = start_and_inverse(spectrogram, task.content, task.generator())
    return Problem(terms=terms, features=network, **start)


def random_wyse_layers(n_bins: int, seed: int) -> tuple[Wide, Wide]:
    """2048 filters over all frequencies, then 64 over those; 5 frames wide."""
    first = Wide.random(n_bins, n_filters=2048, width=5, seed=seed)
    return first, Wide.random(2048, n_filters=64, width=5, seed=seed + 1)


def wyse_layers(task: Task, n_bins: int) -> tuple[Wide, Wide]:
    """The two layers of `wyse`: learned where the task has weights, else random.

    Raises:
        ParameterError: the learned layers are of another number of frequencies.
    """
    if task.network is None:
        return random_wyse_layers(n_bins, task.seed)
    weights = task.network.weights
    if weights[0].shape[1] != n_bins:
        raise ParameterError(
            f"{task.network.path} has learned from {weights[0].shape[1]} frequencies; "
            f"at {task.sample_rate:g} Hz a sound has {n_bins}"
        )
    return Wide(weights[0]), Wide(weights[1])


def wyse(task: Task) -> Problem:
    """Two layers with frequencies as channels, pooling only in time.

    References: Wyse (2017); Huzaifah and Wyse (2019): start 0.5·content + 0.5·noise.
    """
    spectrogram = wyse_view(task.sample_rate)
    see = partial(in_turn, *wyse_layers(task, spectrogram.n_bins))
    content = see(spectrogram(task.content))[1]
    grams = [gram(features) for features in see(spectrogram(task.style))]

    terms = (
        Term("style", "style", 1.0, lambda layers: grams_loss(layers, grams)),
        Term(
            "content",
            "content",
            task.content_weight(1e-1),
            lambda layers: relative_error(layers[1], content),
        ),
    )
    mixed = start_and_inverse(spectrogram, task.content, task.generator(), share_of_noise=0.5)
    return Problem(terms=terms, features=see, **mixed)


def grinstein(task: Task) -> Problem:
    """Start from the content with a style loss only: the number of steps decides what is kept.

    References: Grinstein, Duong, Ozerov and Pérez (2018), ICASSP, the wide shallow random network.
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate)
    network = Wide.random(spectrogram.n_bins, n_filters=1024, seed=task.seed)
    wanted = gram(network(spectrogram(task.style)))
    term = Term("style", "style", 1.0, lambda found: gram_loss(found, wanted))
    inverse = start_and_inverse(spectrogram, task.content, task.generator(), share_of_noise=0.0)
    return Problem(terms=(term,), features=network, **inverse)


WIDTHS = (2, 4, 8, 16, 32, 64)


def antognini(task: Task) -> Problem:
    """Random filters of several widths, their Gram matrices, and autocorrelations for rhythm.

    References: Antognini, Hoffman and Weiss (2019), "Audio texture synthesis with random neural
        networks", ICASSP, equations 1 to 4. Their diversity term, which keeps the texture from
        aligning with the style, is here a penalty on the cross-correlation over time.
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate, window_s=0.046)
    n_frames = min(spectrogram(wave).shape[-1] for wave in (task.content, task.style))
    networks = [
        Wide.random(spectrogram.n_bins, n_filters=128, width=width, seed=task.seed + width)
        for width in WIDTHS
        if width < n_frames
    ]

    def see(view: Tensor) -> list[Tensor]:
        return [network(view) for network in networks]

    shown, content = see(spectrogram(task.style)), see(spectrogram(task.content))
    grams = [gram(features) for features in shown]
    rhythms = [autocorrelation(features, n_frames) for features in shown]

    def rhythm_loss(layers: list[Tensor]) -> Tensor:
        pairs = zip(layers, rhythms, strict=True)
        return torch.stack(
            [relative_error(autocorrelation(f, n_frames), wanted) for f, wanted in pairs]
        ).mean()

    def content_loss(layers: list[Tensor]) -> Tensor:
        pairs = zip(layers, content, strict=True)
        return torch.stack([relative_error(f, wanted) for f, wanted in pairs]).mean()

    terms = (
        Term("style", "style", 1.0, lambda layers: grams_loss(layers, grams)),
        Term("rhythm", "style", 1.0, rhythm_loss),
        Term("content", "content", task.content_weight(1e-2), content_loss),
        Term("alignment", "penalty", 0.01, lambda layers: alignment(layers[0], shown[0])),
    )
    start = start_and_inverse(spectrogram, task.content, task.generator())
    return Problem(terms=terms, features=see, **start)


def autocorrelation(features: Tensor, n_frames: int) -> Tensor:
    """Autocorrelation of each feature, averaged over time, for lags below half of `n_frames`."""
    centred = features - features.mean(-1, keepdim=True)
    n_fft = 2 * features.shape[-1]
    power = torch.fft.rfft(centred, n=n_fft).abs().square()
    return torch.fft.irfft(power, n=n_fft)[:, : n_frames // 2] / features.shape[-1]


def alignment(features: Tensor, style: Tensor) -> Tensor:
    """Largest normalised cross-correlation over all shifts, summed over features."""
    rows, shown = (f - f.mean(-1, keepdim=True) for f in (features, style))
    n_fft = rows.shape[-1] + shown.shape[-1]
    spectra = torch.fft.rfft(rows, n=n_fft), torch.fft.rfft(shown, n=n_fft)
    cross = torch.fft.irfft((spectra[0] * spectra[1].conj()).sum(0), n=n_fft)
    return cross.max() / (rows.norm() * shown.norm()).clamp(min=1e-12)


def complex_spectrum(task: Task) -> Problem:
    """Real part, imaginary part and magnitude, compressed, through filters of several widths.

    References: Caracalla and Roebel (2020), "Sound texture synthesis using RI spectrograms",
        ICASSP; the magnitude beside them as in Mital (2017).
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate, window_s=0.023)

    def see(wave: Tensor) -> Tensor:
        spectrum = spectrogram.stft(wave)
        magnitude = (torch.view_as_real(spectrum).square().sum(-1) + 1e-10).sqrt()
        companded = torch.log1p(magnitude) / magnitude
        return torch.cat(
            [spectrum.real * companded, spectrum.imag * companded, torch.log1p(magnitude)]
        )

    n_rows = 3 * spectrogram.n_bins
    networks = [
        Wide.random(n_rows, n_filters=128, width=width, seed=task.seed + width)
        for width in (3, 11, 37)
    ]
    content = see(task.content)[2 * spectrogram.n_bins :]
    shown = see(task.style)
    grams = [gram(network(shown)) for network in networks]

    def style_loss(view: Tensor) -> Tensor:
        return grams_loss([network(view) for network in networks], grams)

    terms = (
        Term("style", "style", 1.0, style_loss),
        Term(
            "content",
            "content",
            task.content_weight(1e-2),
            lambda view: relative_error(view[2 * spectrogram.n_bins :], content),
        ),
    )
    start = start_and_inverse(spectrogram, task.content, task.generator(), share_of_noise=0.5)
    return Problem(start["start"], see, terms)
