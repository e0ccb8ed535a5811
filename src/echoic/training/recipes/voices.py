"""The recipe of the network behind `echoic voices`: two talkers apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from echoic.training.loop import LoopSettings
from echoic.training.noisy_speech import NoisySpeechSettings
from echoic.training.separating import learn, package_separator

N_STEPS = 40_000
SPEAKING = NoisySpeechSettings(
    n_talkers=2, snr_db=(0.0, 25.0), n_noises=(0.8, 0.2), babble_probability=0.0
)


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train the network in `folder`, resuming where a former run ended, and package it.

    Returns:
        Path of the finished model's card, in `folder`.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    network = learn("voices", SPEAKING, folder, settings, report=report)
    return package_separator(
        network,
        folder,
        settings,
        name="voices",
        kind="talkers",
        task="two talkers and the background: their shares of every band",
    )
