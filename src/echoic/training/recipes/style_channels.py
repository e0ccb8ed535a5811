"""The recipe of a network with frequencies as channels, for `echoic style --network`.

References: Wyse (2017), "Audio spectrogram representations for processing with convolutional
neural networks", whose network was trained on environmental sounds at 22.05 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from echoic.style.methods.channels import random_wyse_layers
from echoic.style.networks import Wide, in_turn
from echoic.style.spectrogram import wyse_view
from echoic.training.classifier import N_STEPS as N_STEPS
from echoic.training.classifier import Classifier, run_classifier
from echoic.training.loop import LoopSettings

_SAMPLE_RATE = 22_050


def _see(weights: Sequence[Tensor], shown: Tensor) -> Tensor:
    return in_turn(Wide(weights[0]), Wide(weights[1]), shown)[-1]


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train in `folder`, resuming where a former run ended; return the path of the weights."""
    torch.manual_seed(settings.seed)
    spectrogram = wyse_view(_SAMPLE_RATE)
    layers = random_wyse_layers(spectrogram.n_bins, settings.seed)
    return run_classifier(
        Classifier([layer.weight for layer in layers], _see),
        spectrogram,
        folder,
        settings,
        recipe="style-channels",
        sample_rate=_SAMPLE_RATE,
        report=report,
    )
