"""The recipe of a network on spectrograms as images, for `echoic style --network`.

References: Verma and Smith (2018), "Neural style transfer for audio spectrograms", whose
network was trained to classify instruments; this one is trained on the labels of echoic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from echoic.style.methods.picture import N_MAPS, verma_smith_view
from echoic.style.networks import PictureNetwork
from echoic.training.classifier import N_STEPS as N_STEPS
from echoic.training.classifier import Classifier, run_classifier
from echoic.training.loop import LoopSettings

_SAMPLE_RATE = 16_000


def _see(weights: Sequence[Tensor], shown: Tensor) -> Tensor:
    return PictureNetwork(weights)(shown[:, None])[-1]


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train in `folder`, resuming where a former run ended; return the path of the weights."""
    torch.manual_seed(settings.seed)
    random = PictureNetwork.random(n_maps=N_MAPS, seed=settings.seed)
    return run_classifier(
        Classifier(random.weights, _see),
        verma_smith_view(_SAMPLE_RATE),
        folder,
        settings,
        recipe="style-picture",
        sample_rate=_SAMPLE_RATE,
        report=report,
    )
