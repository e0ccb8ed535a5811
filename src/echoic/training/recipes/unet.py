"""The recipe of the spectrogram U-Net, with the same mixtures and losses as `hear`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.labels import LABELS
from echoic.nn.baselines.spectrogram_unet import (
    N_MELS,
    SAMPLE_RATE,
    STEP_S,
    SpectrogramUnet,
    log_mel,
    look,
    mel_of_bin,
    stft,
)
from echoic.training.calibration import calibrate
from echoic.training.corpus import kept_recordings, training_recordings
from echoic.training.data import load_rooms
from echoic.training.loop import Batch, LoopSettings, train
from echoic.training.losses import detection_loss, distortion_db, share_loss, weigh
from echoic.training.mixing import MixedScene
from echoic.training.recipes import hear
from echoic.training.targets import Example, activity_of, stack_sources

N_STEPS = hear.N_STEPS


def _by_mel(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum bins into the mel band whose mask applies to them, (bin, frame) -> (mel, frame)."""
    summed = np.zeros((N_MELS, power.shape[1]), np.float32)
    np.add.at(summed, mel_of_bin(), power)
    return summed


def make_example(scene: MixedScene) -> Example:
    """Compute a scene's log-mel spectrogram, and the powers of its sources in mel bands."""
    spectra = np.stack([stft(wave) for wave in scene.sources.values()])
    mixture = spectra.sum(axis=0)
    n_frames = mixture.shape[1]
    own = [_by_mel(np.square(np.abs(spectrum))) for spectrum in spectra]
    cross = [_by_mel((spectrum * mixture.conj()).real) for spectrum in spectra]
    return Example(
        log_mel(mixture),
        activity_of(scene.spans_s, n_frames),
        *stack_sources(scene, np.stack(own), np.stack(cross)),
        _by_mel(np.square(np.abs(mixture))),
    )


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The losses of `hear`, without look-ahead, as the network sees the whole spectrogram."""
    logits, masks = model(batch["frames"])
    own, cross, mixture = batch["own"], batch["cross"], batch["mixture"]
    parts = {
        "detection": detection_loss(logits, batch["activity"], 0),
        "share": share_loss(masks, batch["source"], own, mixture),
        "distortion_db": distortion_db(masks, batch["source"], own, cross, mixture),
    }
    return weigh(parts, hear.WEIGHTS)


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train the network in `folder`, resuming where a former run ended.

    Returns:
        Path of the trained parameters, with confidence and threshold calibrated as for `hear`;
        `bench/hear.py` reads it.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    used = training_recordings(folder)
    batches = hear.batches_of(
        used,
        {SAMPLE_RATE: 1.0},
        (hear.SHORT, hear.LONG),
        rooms=load_rooms(),
        make_example=make_example,
    )
    torch.manual_seed(settings.seed)
    model = SpectrogramUnet(len(LABELS))
    average = train(model, losses, batches, settings, recipe="unet", folder=folder, report=report)
    network = average.cpu()
    assert isinstance(network, SpectrogramUnet)
    found = calibrate(
        lambda scene: look(network, stft(scene.mixture))[0],
        kept_recordings(),
        sample_rate=SAMPLE_RATE,
        step_s=STEP_S,
    )
    path = folder / "unet.pt"
    learned = {"network": network.state_dict(), "confidence": tuple(found.confidence)}
    torch.save(learned | {"threshold": found.threshold}, path)
    return path
