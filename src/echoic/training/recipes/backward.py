"""The recipe of the backward pass of `echoic hear`, on the results of the shipped network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from echoic.ear.frontend import blank_frames
from echoic.labels import LABELS
from echoic.nn.backward import Backward
from echoic.nn.export import load_hearing
from echoic.nn.heads import LOOK_AHEAD_STEPS
from echoic.nn.hearing import HearingNetwork, HearingOutput
from echoic.nn.listener import FRAMES_PER_STEP
from echoic.runtime import find_model
from echoic.training.band_masking import with_bands_hidden
from echoic.training.corpus import kept_recordings
from echoic.training.data import Recordings
from echoic.training.loop import Batch, LoopSettings, train
from echoic.training.losses import mean_of
from echoic.training.recipes import hear

N_STEPS = 15_000


@torch.no_grad()
def heard(network: HearingNetwork, frames: Tensor) -> HearingOutput:
    """The output for scenes followed by silence, with the logits timed as the places are."""
    n_owed = LOOK_AHEAD_STEPS * FRAMES_PER_STEP
    silence = torch.from_numpy(blank_frames(n_owed)).to(frames).expand(len(frames), -1, -1, -1)
    output: HearingOutput = hear.in_turn(network, torch.cat([frames, silence], dim=-1))
    n_steps = output.places.shape[1] - LOOK_AHEAD_STEPS
    return HearingOutput(
        output.logits[:, LOOK_AHEAD_STEPS:],
        output.places[:, :n_steps],
        output.embedding[:, :n_steps],
    )


def corrected(backward: Backward, output: HearingOutput) -> HearingOutput:
    """The output after the backward pass."""
    found = torch.cat([output.places.flatten(2), output.logits], dim=-1)
    places, logits = hear.in_turn(backward, found.flip(1))
    return HearingOutput(logits.flip(1), places.flip(1), output.embedding)


def losses(model: nn.Module, batch: Batch, *, network: HearingNetwork) -> dict[str, Tensor]:
    """The losses of `hear`, after the backward pass."""
    assert isinstance(model, Backward)
    if model.training:
        batch = with_bands_hidden(batch)
    output = corrected(model, heard(network, batch["frames"]))
    return hear.losses_of(output, network.queries, batch, look_ahead_steps=0, masks_ahead=True)


def validation(
    model: nn.Module, batches: Iterable[Batch], *, network: HearingNetwork
) -> dict[str, float]:
    """The losses on held-out recordings."""
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        return mean_of([losses(model, batch, network=network) for batch in batches])


def learn(
    folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print
) -> tuple[HearingNetwork, Backward]:
    """Train in `folder`, resuming where a former run ended; return both networks.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    card = find_model("hear")
    network = load_hearing(HearingNetwork(len(LABELS)), card.folder, card.name).eval()
    network.requires_grad_(False)
    batches = hear.training_batches(folder)
    fixed = hear.validation_batches()
    torch.manual_seed(settings.seed)
    backward = train(
        Backward(len(LABELS)),
        partial(losses, network=network),
        batches,
        settings,
        recipe="backward",
        folder=folder,
        kept=fixed,
        validate=partial(validation, network=network),
        report=report,
    )
    assert isinstance(backward, Backward)
    return network, backward


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train in `folder`, resuming where a former run ended; calibrate and package the networks.

    Returns:
        Path of the finished model's card, in `folder`: `hear`, with the backward pass.
    """
    network, backward = learn(folder, settings, report=report)
    return calibrated(network, backward, kept_recordings(), folder, settings)


def calibrated(
    network: HearingNetwork,
    backward: Backward,
    kept: Recordings,
    folder: Path,
    settings: LoopSettings,
) -> Path:
    """Calibrate confidence and threshold after the backward pass, and package; the card's path."""
    with TemporaryDirectory() as draft:
        card = hear.package_hearing(network, Path(draft), settings, backward=backward)
        found = hear.calibration(card, kept)
    backward.confidence.copy_(torch.tensor(found.confidence))
    return hear.package_hearing(
        network, folder, settings, threshold=found.threshold, backward=backward
    )
