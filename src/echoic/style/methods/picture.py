"""Methods that treat a spectrogram as a picture, with 2-D convolutions.

Networks have random weights unless learned ones are given. Losses are normalised by the features
of the target, because the scale of random features is arbitrary; for that reason the weights
between content and style are ours, and the rest is as published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.losses import (
    gaussian_mmd_loss,
    gram,
    gram_loss,
    grams_loss,
    mean_loss,
    moments_loss,
    polynomial_mmd_loss,
    relative_error,
)
from echoic.style.methods.task import Task
from echoic.style.networks import PictureNetwork
from echoic.style.optimise import Problem, Term
from echoic.style.spectrogram import LogSpectrogram, start_and_inverse, wyse_view

N_MAPS, CONTENT_LAYER, CONTENT_WEIGHT = (32, 32, 64, 64, 128), 3, 1e-2
LayerLoss = Callable[[Tensor, Tensor], Tensor]  # features, the style's features


def network_of(task: Task, *, n_maps: tuple[int, ...] = N_MAPS, size: int = 3) -> PictureNetwork:
    """A network with the given layers: learned where the task has weights, else random.

    Raises:
        ParameterError: the learned layers are too few or of another kind.
    """
    if task.network is None:
        return PictureNetwork.random(n_maps=n_maps, size=size, seed=task.seed)
    return PictureNetwork(task.network.first(len(n_maps), n_axes=4))


def picture(task: Task, layer_loss: LayerLoss) -> Problem:
    """A style loss on each of five layers, and a content loss on the fourth."""
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate)
    network = network_of(task)
    content = network(spectrogram(task.content)[None])[CONTENT_LAYER]
    styles = network(spectrogram(task.style)[None])

    def style_loss(maps: list[Tensor]) -> Tensor:
        return torch.stack([layer_loss(m, s) for m, s in zip(maps, styles, strict=True)]).mean()

    terms = (
        Term("style", "style", 1.0, lambda view: style_loss(network(view[None]))),
        Term(
            "content",
            "content",
            task.content_weight(CONTENT_WEIGHT),
            lambda view: relative_error(network(view[None])[CONTENT_LAYER], content),
        ),
    )
    return Problem(terms=terms, **start_and_inverse(spectrogram, task.content, task.generator()))


def gatys(task: Task) -> Problem:
    """Style as Gram matrices.

    References: Gatys, Ecker and Bethge (2016), CVPR, equations 1 to 7.
    """
    return picture(task, lambda maps, style: gram_loss(maps, gram(style)))


def li(task: Task, kernel: str) -> Problem:
    """Style as a distribution of features: maximum mean discrepancy, or batch statistics.

    Args:
        task: The task.
        kernel: "linear", "polynomial", "gaussian" or "moments" (batch normalisation statistics).

    References: Li, Wang, Liu and Hou (2017), "Demystifying neural style transfer", IJCAI,
        equations 8 to 12.
    """
    losses: dict[str, LayerLoss] = {
        "linear": mean_loss,
        "polynomial": polynomial_mmd_loss,
        "moments": moments_loss,
    }
    if kernel != "gaussian":
        return picture(task, losses[kernel])
    # Draw new pairs of positions every round: fixed pairs would be matched one by one, instead of
    # the distributions. Within a round they stay the same, as the line search needs.
    seeds = count(task.seed)

    def paired_anew() -> Problem:
        return picture(task, partial(gaussian_mmd_loss, seed=next(seeds)))

    return replace(paired_anew(), renew=lambda _view: paired_anew().terms)


def verma_smith_view(sample_rate: float) -> LogSpectrogram:
    """The input of Verma and Smith's network: windows of 32 ms, three hops long."""
    return LogSpectrogram(sample_rate=sample_rate, window_s=0.032, n_hops=3)


def verma_smith(task: Task) -> Problem:
    """Gram matrices, and the style's energy envelopes over time and over frequency.

    References: Verma and Smith (2018), "Neural style transfer for audio spectrograms".
    """
    spectrogram = verma_smith_view(task.sample_rate)
    network = network_of(task)
    content = network(spectrogram(task.content)[None])[CONTENT_LAYER]
    shown = spectrogram(task.style)
    grams = [gram(maps) for maps in network(shown[None])]
    n_frames = spectrogram(task.content).shape[-1]
    over_time = F.interpolate(shown.mean(0)[None, None], n_frames, mode="linear")[0, 0]
    over_frequency = shown.mean(1)

    terms = (
        Term("style", "style", 1.0, lambda view: grams_loss(network(view[None]), grams)),
        Term(
            "content",
            "content",
            task.content_weight(CONTENT_WEIGHT),
            lambda view: relative_error(network(view[None])[CONTENT_LAYER], content),
        ),
        Term("over time", "penalty", 0.1, lambda view: relative_error(view.mean(0), over_time)),
        Term(
            "over frequency",
            "penalty",
            0.1,
            lambda view: relative_error(view.mean(1), over_frequency),
        ),
    )
    return Problem(terms=terms, **start_and_inverse(spectrogram, task.content, task.generator()))


def wyse_image(task: Task) -> Problem:
    """Two layers of 5 × 5 filters over a decibel spectrogram as an image.

    References: Wyse (2017), "Audio spectrogram representations for processing with
        convolutional neural networks".
    """
    spectrogram = wyse_view(task.sample_rate)
    network = network_of(task, n_maps=(32, 64), size=5)
    content = network(spectrogram(task.content)[None])[1]
    grams = [gram(maps) for maps in network(spectrogram(task.style)[None])]

    terms = (
        Term("style", "style", 1.0, lambda view: grams_loss(network(view[None]), grams)),
        Term(
            "content",
            "content",
            task.content_weight(1e-1),
            lambda view: relative_error(network(view[None])[1], content),
        ),
    )
    mixed = start_and_inverse(spectrogram, task.content, task.generator(), share_of_noise=0.5)
    return Problem(terms=terms, **mixed)
