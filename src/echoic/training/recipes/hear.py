"""The recipe of the network behind `echoic hear`, `attend` and `tag`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from echoic.ear.frontend import FRAMES_PER_STEP, HOP_S, STEP_S
from echoic.labels import LABELS
from echoic.nn.heads import LOOK_AHEAD_STEPS
from echoic.nn.hearing import HearingNetwork, known_code, to_steps
from echoic.training.data import load_clips, load_folder
from echoic.training.loop import Batch, LoopSettings, train
from echoic.training.losses import detection_loss, gain_loss_db, share_loss
from echoic.training.mixing import MixedScene, MixingSettings, SceneMixer
from echoic.training.music import render_collection
from echoic.training.packaging import package_hearing
from echoic.training.synthetic import synthesise
from echoic.training.targets import Example, ExampleMaker

# Gains are learned from a part of each scene: all of it would cost three times
# as much and teach little more.
_WINDOW_FRAMES = 480
_N_MUSIC_PIECES, _N_SYNTHETIC, _SYNTHESIS_SEED = 300, 12, 20
DETECTION_WEIGHT, GAIN_WEIGHT, SHARE_WEIGHT = 5.0, 0.1, 0.5
_POWERS = ("mixture_power", "source_power", "cross_power")

N_STEPS = 2400
VERSION = "0.1.0"
THRESHOLD = 0.5
ABOUT = {
    "data": "ESC-10 folds 1-3 (Piczak 2015, CC BY 3.0), LibriSpeech train-clean-100, one "
    "utterance of each of 251 readers (CC BY 4.0), Free Spoken Digit Dataset, one take "
    "(CC BY-SA 4.0), ambient recordings (CC0, public domain, CC BY and Pixabay Content "
    "License), music (CC BY or public domain), music rendered with FluidR3 GM (MIT), "
    "synthesised sounds",
    "limits": "knows twelve labels; learned from 24 clips a label for most of them; sounds of "
    "other kinds may be taken for one of the twelve",
}


def is_used(file: str) -> bool:
    """Of the spoken digits one take is enough: six speakers must not outweigh 251 readers."""
    return not file.startswith("fsdd/") or file.endswith("_5.wav")


class BatchMaker:
    """Draw scenes and stack them into tensors."""

    def __init__(
        self, mixer: SceneMixer, make: Callable[[MixedScene, tuple[int, int]], Example]
    ) -> None:
        """Keep what draws scenes and what makes examples of them."""
        self.mixer = mixer
        self.make = make
        self.n_frames = round(mixer.settings.duration_s / HOP_S)

    def __call__(self, rng: np.random.Generator, batch_size: int) -> Batch:
        """One batch; its scenes share the window in which gains are measured."""
        n_steps = (self.n_frames - _WINDOW_FRAMES) // FRAMES_PER_STEP
        start = int(rng.integers(n_steps + 1)) * FRAMES_PER_STEP
        window = (start, start + _WINDOW_FRAMES)
        examples = [self.make(self.mixer.draw(rng), window) for _ in range(batch_size)]
        batch = {
            name: torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
            for name in examples[0]._fields
        }
        batch["window_start"] = torch.tensor(start)
        return batch


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Detection over the whole scene, gains within the window."""
    assert isinstance(model, HearingNetwork)
    frames = batch["frames"]
    code, _ = model.listener(to_steps(frames))
    detection = detection_loss(model.detect(code)[0], batch["activity"], LOOK_AHEAD_STEPS)

    start = int(batch["window_start"])
    first_step, n_steps = start // FRAMES_PER_STEP, _WINDOW_FRAMES // FRAMES_PER_STEP
    earlier = nn.functional.pad(code, (1, 0))[..., first_step : first_step + n_steps + 1]
    gains, _ = model.gains(frames[..., start : start + _WINDOW_FRAMES], known_code(earlier))
    # Over a hop a gain runs linearly from the previous value to its own.
    ramp_mean = (gains[..., 1:] + gains[..., :-1]) / 2
    # The first hop of the window has no gain before it to start from.
    later = {name: value[..., 1:] for name, value in batch.items() if name in _POWERS}
    return weigh(detection, *gain_losses(ramp_mean, batch | later))


def gain_losses(gains: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Error in dB, and cross-entropy of the shares."""
    mixture, own, cross = (batch[name] for name in _POWERS)
    gain_db = gain_loss_db(gains, batch["source"], mixture, own, cross)
    return gain_db, share_loss(gains, batch["source"], mixture, cross)


def weigh(detection: Tensor, gain_db: Tensor, share: Tensor) -> dict[str, Tensor]:
    """All losses by name, and their weighted sum."""
    loss = DETECTION_WEIGHT * detection + GAIN_WEIGHT * gain_db + SHARE_WEIGHT * share
    return {"loss": loss, "detection": detection, "gain_db": gain_db, "share": share}


def scene_mixer(split: str, *, folder: Path, settings: MixingSettings | None = None) -> SceneMixer:
    """The scenes of a split; the training split has synthetic sounds and music too."""
    clips = load_clips(split, keep=is_used)
    if split == "train":
        render_collection(folder / "music", n_pieces=_N_MUSIC_PIECES, seed=_SYNTHESIS_SEED)
        clips["music"] += load_folder(folder / "music", "music")
        for label, made in synthesise(n_clips=_N_SYNTHETIC, seed=_SYNTHESIS_SEED).items():
            clips[label] += made
    return SceneMixer(clips, settings)


def run(
    folder: Path,
    *,
    n_steps: int | None = None,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> Path:
    """Train the network in `folder`, resuming where a former run ended.

    Returns:
        Path of the finished model's card, in `folder`.

    Raises:
        ParameterError: no data folder.
        MissingExtraError: no FluidSynth to render music with.
    """
    settings = LoopSettings(n_steps=n_steps or N_STEPS, seed=seed)
    torch.manual_seed(seed)
    model = HearingNetwork(len(LABELS))
    mixer = scene_mixer("train", folder=folder)
    train(model, losses, BatchMaker(mixer, ExampleMaker()), settings, folder=folder, report=report)
    return package_hearing(
        model,
        folder,
        name="hear",
        version=VERSION,
        task="twelve sounds: when each is there, and its share of every band",
        labels=LABELS,
        look_ahead_s=LOOK_AHEAD_STEPS * STEP_S,
        threshold=dict.fromkeys(LABELS, THRESHOLD),
        about=ABOUT | {"recipe": f"echoic train hear --steps {settings.n_steps} --seed {seed}"},
    )
