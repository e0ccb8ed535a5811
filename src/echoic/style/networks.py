"""Networks with random weights: their features describe sound as well as trained ones do."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class RandomWide:
    """One wide 1-D convolution over time with frequency as its channels, and a ReLU.

    Args:
        n_inputs: Frequencies.
        n_filters: How many features.
        width: Frames that a filter sees.
        seed: Of the weights.

    Shape:
        (frequency, frame) -> (filter, frame − width + 1).

    References: Ulyanov and Lebedev (2016), "Audio texture synthesis and style transfer".

    Example:
        >>> RandomWide(40, n_filters=64, seed=0)(torch.randn(40, 30)).shape
        torch.Size([64, 20])
    """

    def __init__(self, n_inputs: int, *, n_filters: int = 4096, width: int = 11, seed: int) -> None:
        """Draw the weights."""
        std = math.sqrt(2) * math.sqrt(2 / ((n_inputs + n_filters) * width))
        generator = torch.Generator().manual_seed(seed)
        self.weight = std * torch.randn(n_filters, n_inputs, width, generator=generator)

    def __call__(self, rows: Tensor) -> Tensor:
        """Give the features of a whole sound."""
        return F.relu(F.conv1d(rows[None], self.weight))[0]


class RandomPicture:
    """A 2-D convolutional network that sees a spectrogram, or an image, as a picture.

    Five layers of 3 × 3 filters, unless told otherwise; from the second on at half the
    resolution of the one before, by average pooling. Weights are orthogonal, which keeps the
    scale of what they pass on.

    Args:
        n_channels: 1 for a spectrogram, 3 for an image.
        n_maps: Of each layer.
        size: Of the filters, odd.
        seed: Of the weights.

    Shape:
        (channel, height, width) -> list of (map, height, width).

    References: Gatys, Ecker and Bethge (2016), CVPR, with random weights as in He, Wang and
        Hopcroft (2016), NIPS.
    """

    def __init__(
        self,
        *,
        n_channels: int = 1,
        n_maps: tuple[int, ...] = (32, 32, 64, 64, 128),
        size: int = 3,
        seed: int,
    ) -> None:
        """Draw the weights."""
        generator = torch.Generator().manual_seed(seed)
        self.weights = []
        for n_out in n_maps:
            weight = torch.empty(n_out, n_channels, size, size)
            torch.nn.init.orthogonal_(weight, math.sqrt(2), generator=generator)
            self.weights.append(weight)
            n_channels = n_out

    def __call__(self, picture: Tensor) -> list[Tensor]:
        """Give the feature maps of every layer."""
        maps: list[Tensor] = []
        x = picture[None]
        for weight in self.weights:
            if maps and min(x.shape[-2:]) > 1:
                x = F.avg_pool2d(x, 2)
            x = F.relu(F.conv2d(x, weight, padding=weight.shape[-1] // 2))
            maps.append(x[0])
        return maps
