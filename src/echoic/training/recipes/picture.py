"""The recipe of the plain picture network, on the same mixtures as `hear`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.ear.frontend import HOP_S
from echoic.labels import LABELS
from echoic.nn.baselines.picture import (
    FRAMES_PER_STEP,
    HOP_SAMPLES,
    N_MELS,
    PictureNetwork,
    log_mel,
    mel_of_bin,
    stft,
)
from echoic.training.data import SAMPLE_RATE
from echoic.training.loop import Batch, LoopSettings, train
from echoic.training.losses import detection_loss
from echoic.training.mixing import MixedScene
from echoic.training.recipes import hear
from echoic.training.targets import MAX_SOURCES, Example, activity_of, source_index


def _picture_frame(ear_frame: int) -> int:
    """The frame of the picture that begins when an ear frame does."""
    return round(ear_frame * HOP_S * SAMPLE_RATE / HOP_SAMPLES)


def _by_mel(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum bins into the mel band whose mask they take, (bin, frame) -> (mel, frame)."""
    summed = np.zeros((N_MELS, power.shape[1]), np.float32)
    np.add.at(summed, mel_of_bin(), power)
    return summed


class PictureExampleMaker:
    """Turn scenes into pictures, and measure powers in mel bands over all of it."""

    def __call__(self, scene: MixedScene, window: tuple[int, int]) -> Example:
        """One scene; the window, in ear frames of 5 ms, is the one `hear` learns gains in."""
        spectra = {label: stft(wave) for label, wave in scene.sources.items()}
        mixture = np.sum(list(spectra.values()), axis=0)
        n_frames = mixture.shape[1]
        start, stop = (_picture_frame(k) for k in window)
        shape = (MAX_SOURCES, N_MELS, stop - start)
        own, cross = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        source = np.full(MAX_SOURCES, -1, np.int64)
        within = mixture[:, start:stop]
        for k, (label, spectrum) in enumerate(spectra.items()):
            part = spectrum[:, start:stop]
            source[k] = source_index(label)
            own[k] = _by_mel(np.square(np.abs(part)))
            cross[k] = _by_mel((part * within.conj()).real)
        return Example(
            log_mel(mixture),
            activity_of(scene.spans_s, n_frames // FRAMES_PER_STEP),
            source,
            _by_mel(np.square(np.abs(within))),
            own,
            cross,
        )


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The losses of `hear`, on masks over mel bands and without look-ahead to wait for."""
    logits, masks = model(batch["frames"])
    detection = detection_loss(logits, batch["activity"], 0)
    n_frames = batch["mixture_power"].shape[-1]
    start = _picture_frame(int(batch["window_start"]))
    gain_db, share = hear.gain_losses(masks[..., start : start + n_frames], batch)
    return hear.weigh(detection, gain_db, share)


def run(
    folder: Path,
    *,
    n_steps: int | None = None,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> Path:
    """Train the network in `folder`, resuming where a former run ended.

    Returns:
        Path of the finished parameters, for `bench/hear.py`.

    Raises:
        ParameterError: no data folder.
        MissingExtraError: no FluidSynth to render music with.
    """
    settings = LoopSettings(n_steps=n_steps or hear.N_STEPS, seed=seed)
    torch.manual_seed(seed)
    model = PictureNetwork(len(LABELS))
    batches = hear.BatchMaker(hear.scene_mixer("train", folder=folder), PictureExampleMaker())
    train(model, losses, batches, settings, folder=folder, report=report)
    path = folder / "picture.pt"
    torch.save(model.cpu().state_dict(), path)
    return path
