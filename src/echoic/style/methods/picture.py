"""Methods that treat a spectrogram as a picture, with 2-D convolutions.

Networks have random weights unless learned ones are given. Losses are normalised by the features
of the target, because the scale of random features is arbitrary; for that reason the weights
between content and style are ours, and the rest is as published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.style.losses import (
    flat,
    gaussian_mmd_loss,
    gram,
    gram_loss,
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
Loss = Callable[[Tensor], Tensor]  # of a layer's features
LossTo = Callable[[Tensor], Loss]  # the style's features of a layer -> the loss to them


class Seen(NamedTuple):
    """A picture, and its feature maps of every layer."""

    picture: Tensor
    maps: list[Tensor]


def network_of(task: Task, *, n_maps: tuple[int, ...] = N_MAPS, size: int = 3) -> PictureNetwork:
    """A network with the given layers: learned where the task has weights, else random."""
    if task.network is None:
        return PictureNetwork.random(n_maps=n_maps, size=size, seed=task.seed)
    return PictureNetwork(task.network.weights)


def picture(
    task: Task,
    spectrogram: LogSpectrogram,
    network: PictureNetwork,
    loss_to: LossTo,
    *,
    content_layer: int = CONTENT_LAYER,
    content_weight: float = CONTENT_WEIGHT,
    share_of_noise: float = 1.0,
) -> Problem:
    """A style loss on each layer, and a content loss on one."""

    def see(shown: Tensor) -> Seen:
        return Seen(shown, network(shown[None]))

    content = see(spectrogram(task.content)).maps[content_layer]
    losses = [loss_to(maps) for maps in see(spectrogram(task.style)).maps]

    def style_loss(seen: Seen) -> Tensor:
        pairs = zip(losses, seen.maps, strict=True)
        return torch.stack([loss(maps) for loss, maps in pairs]).mean()

    terms = (
        Term("style", "style", 1.0, style_loss),
        Term(
            "content",
            "content",
            task.content_weight(content_weight),
            lambda seen: relative_error(seen.maps[content_layer], content),
        ),
    )
    start = start_and_inverse(
        spectrogram, task.content, task.generator(), share_of_noise=share_of_noise
    )
    return Problem(terms=terms, features=see, **start)


def gram_loss_to(style: Tensor) -> Loss:
    """The distance of Gram matrices."""
    return partial(gram_loss, wanted=gram(style))


def gatys(task: Task) -> Problem:
    """Style as Gram matrices.

    References: Gatys, Ecker and Bethge (2016), CVPR, equations 1 to 7.
    """
    spectrogram = LogSpectrogram(sample_rate=task.sample_rate)
    return picture(task, spectrogram, network_of(task), gram_loss_to)


def li(task: Task, kernel: str) -> Problem:
    """Style as a distribution of features: maximum mean discrepancy, or batch statistics.

    Args:
        task: The task.
        kernel: "linear", "polynomial", "gaussian" or "moments" (batch normalisation statistics).

    References: Li, Wang, Liu and Hou (2017), "Demystifying neural style transfer", IJCAI,
        equations 8 to 12.
    """

    def problem(loss_to: LossTo) -> Problem:
        spectrogram = LogSpectrogram(sample_rate=task.sample_rate)
        return picture(task, spectrogram, network_of(task), loss_to)

    losses: dict[str, LossTo] = {
        "linear": lambda style: partial(mean_loss, style=style),
        "polynomial": lambda style: partial(
            polynomial_mmd_loss, wanted=gram(style), wanted_mean=flat(style).mean(-1)
        ),
        "moments": lambda style: partial(moments_loss, style=style),
    }
    if kernel != "gaussian":
        return problem(losses[kernel])

    # Draw new pairs of positions every round: fixed pairs would be matched one by one, instead of
    # the distributions. Within a round they stay the same, as the line search needs.
    def paired(index: int) -> Problem:
        seed = task.seed + index
        return problem(lambda style: partial(gaussian_mmd_loss, style=style, seed=seed))

    return replace(paired(0), renew=lambda _seen, index, _former: paired(index + 1).terms)


def verma_smith_view(sample_rate: float) -> LogSpectrogram:
    """The input of Verma and Smith's network: windows of 32 ms, three hops long."""
    return LogSpectrogram(sample_rate=sample_rate, window_s=0.032, n_hops=3)


def verma_smith(task: Task) -> Problem:
    """Gram matrices, and the style's energy envelopes over time and over frequency.

    References: Verma and Smith (2018), "Neural style transfer for audio spectrograms".
    """
    spectrogram = verma_smith_view(task.sample_rate)
    problem = picture(task, spectrogram, network_of(task), gram_loss_to)
    shown = spectrogram(task.style)
    n_frames = spectrogram(task.content).shape[-1]
    over_time = F.interpolate(shown.mean(0)[None, None], n_frames, mode="linear")[0, 0]
    over_frequency = shown.mean(1)
    envelopes = (
        Term(
            "over time",
            "penalty",
            0.1,
            lambda seen: relative_error(seen.picture.mean(0), over_time),
        ),
        Term(
            "over frequency",
            "penalty",
            0.1,
            lambda seen: relative_error(seen.picture.mean(1), over_frequency),
        ),
    )
    return replace(problem, terms=(*problem.terms, *envelopes))


def wyse_image(task: Task) -> Problem:
    """Two layers of 5 × 5 filters over a decibel spectrogram as an image.

    References: Wyse (2017), "Audio spectrogram representations for processing with
        convolutional neural networks".
    """
    return picture(
        task,
        wyse_view(task.sample_rate),
        network_of(task, n_maps=(32, 64), size=5),
        gram_loss_to,
        content_layer=1,
        content_weight=1e-1,
        share_of_noise=0.5,
    )
