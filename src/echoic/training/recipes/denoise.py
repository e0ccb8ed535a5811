"""The recipe of the network behind `echoic denoise`: speech out of everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from echoic.training.loop import LoopSettings
from echoic.training.noisy_speech import NoisySpeechSettings
from echoic.training.separating import learn, package_separator

N_STEPS = 40_000
SPEAKING = NoisySpeechSettings()


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train the network in `folder`, resuming where a former run ended, and package it.

    Returns:
        Path of the finished model's card, in `folder`.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    network = learn("denoise", SPEAKING, folder, settings, report=report)
    return package_separator(
        network,
        folder,
        settings,
        name="denoise",
        kind="speech",
        task="speech: its share of every band",
    )
