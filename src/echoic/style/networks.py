"""Networks whose features describe a sound, with random or learned weights.

Random weights describe it as well as learned ones; the networks that published systems train are
trained by `echoic train style-picture` and `style-channels`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from echoic.errors import ParameterError


class LayersNeeded(NamedTuple):
    """The learned layers that a network can use.

    Attributes:
        n_layers: Their number.
        n_axes: 4 for 2-D layers (map, channel, size, size) over a picture of one channel, 3 for
            1-D layers (filter, frequency, width).
    """

    n_layers: int
    n_axes: int


class Layers(NamedTuple):
    """Learned weights, as written by `echoic train style-picture` or `style-channels`.

    Attributes:
        path: The file they were loaded from.
        weights: Weights of each layer.
    """

    path: str
    weights: tuple[Tensor, ...]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Load the weights from a file.

        Raises:
            ParameterError: it cannot be read, or holds something else.
        """
        try:
            weights = torch.load(path, weights_only=True)
        except OSError as error:
            raise ParameterError(f"{path}: {error.strerror or error}") from error
        except Exception as error:  # torch raises many kinds for other files
            raise ParameterError(f"{path} holds no weights of layers") from error
        if not isinstance(weights, list) or not all(isinstance(one, Tensor) for one in weights):
            raise ParameterError(f"{path} holds no weights of layers")
        return cls(os.fspath(path), tuple(weights))

    def first(self, needed: LayersNeeded) -> Self:
        """Return the first layers, as many as are needed.

        Raises:
            ParameterError: there are fewer layers, they are of another kind, or a layer does not
                take the number of channels that the one before gives.
        """
        found = [weight.ndim for weight in self.weights]
        if len(found) < needed.n_layers or set(found) != {needed.n_axes}:
            raise ParameterError(
                f"{self.path} holds layers of {found} axes; "
                f"needed are {needed.n_layers} of {needed.n_axes} or more"
            )
        weights = self.weights[: needed.n_layers]
        taken = [weight.shape[1] for weight in weights]
        given = [1 if needed.n_axes == 4 else taken[0], *(w.shape[0] for w in weights[:-1])]
        if taken != given:
            raise ParameterError(
                f"{self.path} holds layers that take {taken} channels and are given {given}"
            )
        return self._replace(weights=weights)


class Wide:
    """One 1-D convolution over time with frequencies as channels, and a ReLU.

    Args:
        weight: (filter, frequency, width), width in frames.

    Shape:
        (…, frequency, frame) -> (…, filter, frame − width + 1), … one axis or none.

    Example:
        >>> Wide.random(40, n_filters=64, seed=0)(torch.randn(40, 30)).shape
        torch.Size([64, 20])
    """

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight

    @classmethod
    def random(cls, n_inputs: int, *, n_filters: int = 4096, width: int = 11, seed: int) -> Self:
        """Draw the weights.

        References: Ulyanov and Lebedev (2016), "Audio texture synthesis and style transfer".
        """
        std = math.sqrt(2) * math.sqrt(2 / ((n_inputs + n_filters) * width))
        generator = torch.Generator().manual_seed(seed)
        return cls(std * torch.randn(n_filters, n_inputs, width, generator=generator))

    def __call__(self, rows: Tensor) -> Tensor:
        """Compute the features of a whole sound."""
        return F.relu(F.conv1d(rows, self.weight))


def in_turn(first: Wide, second: Wide, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Features of two layers; the second works at half the time resolution, by max pooling.

    References: Wyse (2017), with frequency as channels.
    """
    below = first(rows)
    return below, second(F.max_pool1d(below, 2))


class PictureNetwork:
    """A 2-D convolutional network over a spectrogram or an image.

    From the second on, each layer works at half the resolution of the one before, by average
    pooling.

    Args:
        weights: Weights of each layer, (map, channel, size, size).

    Shape:
        (…, channel, height, width) -> list of (…, map, height, width), one a layer, … one axis
        or none.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = list(weights)

    @classmethod
    def random(
        cls,
        *,
        n_channels: int = 1,
        n_maps: Sequence[int],
        size: int = 3,
        seed: int,
    ) -> Self:
        """Draw orthogonal weights, which preserve the scale of the activations.

        Args:
            n_channels: 1 for a spectrogram, 3 for an image.
            n_maps: Number of maps of each layer.
            size: Size of the filters, odd.
            seed: Seed of the weights.

        References: Gatys, Ecker and Bethge (2016), CVPR, with random weights as in He, Wang
            and Hopcroft (2016), NIPS.
        """
        generator = torch.Generator().manual_seed(seed)
        weights = []
        for n_out in n_maps:
            weight = torch.empty(n_out, n_channels, size, size)
            torch.nn.init.orthogonal_(weight, math.sqrt(2), generator=generator)
            weights.append(weight)
            n_channels = n_out
        return cls(weights)

    def __call__(self, picture: Tensor) -> list[Tensor]:
        """Compute the feature maps of every layer."""
        maps: list[Tensor] = []
        x = picture
        for weight in self.weights:
            if maps and min(x.shape[-2:]) > 1:
                x = F.avg_pool2d(x, 2)
            x = F.relu(F.conv2d(x, weight, padding=weight.shape[-1] // 2))
            maps.append(x)
        return maps
