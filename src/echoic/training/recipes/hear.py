"""The recipe of the network of `echoic hear`, `attend` and `tag`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.labels import LABELS
from echoic.nn.export import flatten, load_hearing, unflatten
from echoic.nn.heads import LOOK_AHEAD_STEPS, masks
from echoic.nn.hearing import HearingNetwork, HearingOutput
from echoic.processors.detect import Detect
from echoic.processors.masks import RAMP_S
from echoic.processors.model import Model
from echoic.runtime.models import find_model, load_card
from echoic.streaming import block_samples, in_blocks
from echoic.streaming import run as run_blocks
from echoic.training.asking import (
    at_places,
    drawn_among,
    drawn_left_out,
    given_to_rest,
    labels_asked,
    mean_embedding,
    queries_of,
)
from echoic.training.band_masking import with_bands_hidden
from echoic.training.batches import OneOf, by_rate, fixed_batches, stacked
from echoic.training.calibration import calibrate
from echoic.training.corpus import SOURCES, kept_recordings, training_recordings
from echoic.training.data import Recordings, load_rooms
from echoic.training.loop import Batch, LoopSettings, train
from echoic.training.losses import (
    applied,
    detection_loss,
    distortion_db,
    mean_of,
    share_loss,
    weigh,
)
from echoic.training.mixing import MixedScene, MixingSettings, SceneMixer
from echoic.training.packaging import package
from echoic.training.targets import STEP_S, Example, ExampleMaker

_RATE_PROBABILITIES = {16_000: 0.7, 32_000: 0.3}
_VALIDATION_RATE_HZ = 16_000
_SEED = 20
_WARM_UP_STEPS = 40  # at the start of each scene, left out of the mask losses
WEIGHTS = {"detection": 1.0, "share": 0.8, "distortion_db": 0.3}
N_VALIDATION_BATCHES = 5
N_STEPS = 40_000
VERSION = "0.4.1"
MASKS_FROM = {"speech": "denoise"}  # a separate network is 3 dB better
THRESHOLD = 0.5  # before calibration
ABOUT = {
    "data": SOURCES,
    "limits": "knows fifty-two labels; learned from 10 to 40 recordings of most of them; sounds "
    "of other kinds may be taken for one of them",
}


class Contents(NamedTuple):
    """The contents of a batch.

    n_labels: Labels with one scene each in which they sound alone.
    n_mixtures: Mixtures of these labels, which may be queried by example.
    n_mixtures_of_any: Mixtures of all labels, so that a batch is not limited to the same few.
    settings: Distributions of its scenes.
    """

    n_labels: int
    n_mixtures: int
    n_mixtures_of_any: int
    settings: MixingSettings


SHORT = Contents(3, 3, 4, MixingSettings())
# A network trained on 4 s only detects less after that: in the ninth second 49 % of what
# sounds, against 66 % from a fresh state. Batches of both lengths cost the same.
LONG = Contents(1, 0, 4, MixingSettings(duration_s=8.0, n_sounds=(0.1, 0.15, 0.25, 0.25, 0.25)))
VALIDATION = Contents(7, 11, 0, MixingSettings())


@dataclass(frozen=True, eq=False)
class SceneBatches:
    """Draw scenes and stack their examples: first some labels alone, then mixtures.

    Attributes:
        mixer: Draws the scenes.
        make_example: Converts a scene to an example.
        contents: The contents of a batch.
        labels: Labels that have recordings.
    """

    mixer: SceneMixer
    make_example: Callable[[MixedScene], Example]
    contents: Contents
    labels: Sequence[str]

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Draw one batch."""
        contents, mixer = self.contents, self.mixer
        labels = [str(one) for one in rng.choice(self.labels, contents.n_labels, replace=False)]
        scenes = [mixer.draw_alone(label, rng) for label in labels]
        scenes += [mixer.draw(labels, rng) for _ in range(contents.n_mixtures)]
        scenes += [mixer.draw(self.labels, rng) for _ in range(contents.n_mixtures_of_any)]
        batch = stacked([self.make_example(scene) for scene in scenes])
        return batch | {"label": torch.tensor([LABELS.index(label) for label in labels])}


def batches_of(
    recordings: Recordings,
    rates: Mapping[int, float],
    contents: Sequence[Contents],
    *,
    rooms: Sequence[tuple[NDArray[np.float32], int]] = (),
    make_example: Callable[[MixedScene], Example] | None = None,
) -> OneOf:
    """Draw batches of scenes; all scenes of a batch share one sample rate and one length.

    Args:
        recordings: Recordings to mix.
        rates: Sample rate of the scenes in Hz -> probability.
        contents: Possible contents of a batch, all equally likely.
        rooms: Impulse responses and their sample rates.
        make_example: Converts a scene of any rate to an example; that of `hear` by default.
    """
    labels = [label for label in LABELS if recordings.n_recordings(label)]

    def kinds_of(rate: int) -> list[SceneBatches]:
        make = make_example or ExampleMaker(sample_rate=rate)
        return [
            SceneBatches(
                SceneMixer(recordings, sample_rate=rate, rooms=rooms, settings=one.settings),
                make,
                one,
                labels,
            )
            for one in contents
        ]

    return by_rate(rates, kinds_of)


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Detection over all labels; masks over the batch's labels, some others and the rest."""
    assert isinstance(model, HearingNetwork)
    of_batch, rest = batch["label"], len(LABELS)
    if model.training:
        batch = with_bands_hidden(batch)
    output = hear_in_turn(model, batch["frames"])
    asked = labels_asked(of_batch, batch["source"])

    examples = model.queries(mean_embedding(output.embedding, batch))
    queries = queries_of(model.queries.labels[asked], examples, n_items=len(batch["frames"]))
    place = torch.full((rest + 1,), -1, device=asked.device)
    place[asked] = torch.arange(asked.numel(), device=asked.device)
    slot = torch.where(batch["source"] >= 0, place[batch["source"].clamp(min=0)], -1)
    left_out = drawn_left_out(batch["source"])
    among = drawn_among(slot, asked.numel())
    among &= ~at_places(slot, left_out, asked.numel())
    shares = masks(output.places, queries, among=among)

    gains = applied(shares, RAMP_S / STEP_S)[..., _WARM_UP_STEPS:]
    own, cross = (
        given_to_rest(batch[name][..., 2 + _WARM_UP_STEPS :], left_out, batch["source"] == rest)
        for name in ("own", "cross")
    )
    mixture = batch["mixture"][..., 2 + _WARM_UP_STEPS :]
    slot = slot.masked_fill(left_out, -1)
    parts = {
        "detection": detection_loss(
            output.logits.transpose(1, 2), batch["activity"], LOOK_AHEAD_STEPS
        ),
        "share": share_loss(gains, slot, own, mixture),
        "distortion_db": distortion_db(gains, slot, own, cross, mixture),
    }
    return weigh(parts, WEIGHTS)


def hear_in_turn(model: HearingNetwork, frames: Tensor) -> HearingOutput:
    """Run the network on a batch, a third of it after another scene, as files last for minutes.

    The last third starts from the detached state after the third before it; the others,
    examples included, start from a fresh state.
    """
    n_after = len(frames) // 3
    first, state = model(frames[: len(frames) - n_after])
    if not n_after:
        return first
    carried = unflatten(state, iter([part[-n_after:].detach() for part in flatten(state)]))
    last, _ = model(frames[len(frames) - n_after :], carried)
    return HearingOutput(*(torch.cat(parts) for parts in zip(first, last, strict=True)))


def validation(model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
    """The losses on held-out recordings, and the top-1 accuracy on single sounds."""
    assert isinstance(model, HearingNetwork)
    rows: list[dict[str, float | Tensor]] = []
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        for batch in batches:
            found: dict[str, float | Tensor] = {**losses(model, batch)}
            output, _ = model(batch["frames"][: len(batch["label"])])
            named = torch.sigmoid(output.logits[:, LOOK_AHEAD_STEPS:]).mean(dim=1).argmax(dim=1)
            found["top_1"] = float((named == batch["label"]).float().mean())
            rows.append(found)
    return mean_of(rows)


def begin(settings: LoopSettings) -> HearingNetwork:
    """The network to start from: the shipped one, not calibrated, or a new one."""
    network = HearingNetwork(len(LABELS))
    if settings.fine_tune:
        load_hearing(network, find_model("hear").folder, "hear")
        network.detect.confidence.copy_(HearingNetwork(1).detect.confidence)
    return network


def learn(
    folder: Path,
    settings: LoopSettings,
    *,
    report: Callable[[str], None] = print,
) -> HearingNetwork:
    """Train in `folder`, resuming where a former run ended, and return the averaged network.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    used, kept = training_recordings(folder), kept_recordings()
    batches = batches_of(used, _RATE_PROBABILITIES, (SHORT, LONG), rooms=load_rooms())
    aside = batches_of(kept, {_VALIDATION_RATE_HZ: 1.0}, (VALIDATION,))
    fixed = fixed_batches(aside, N_VALIDATION_BATCHES, seed=_SEED)
    torch.manual_seed(settings.seed)
    network = train(
        begin(settings),
        losses,
        batches,
        settings,
        recipe="hear",
        folder=folder,
        kept=fixed,
        validate=validation,
        report=report,
    )
    assert isinstance(network, HearingNetwork)
    return network


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train in `folder`, resuming where a former run ended; calibrate and package the network.

    Returns:
        Path of the finished model's card, in `folder`.
    """
    network = learn(folder, settings, report=report)
    return calibrated(network, kept_recordings(), folder, settings)


def calibrated(
    network: HearingNetwork, kept: Recordings, folder: Path, settings: LoopSettings
) -> Path:
    """Calibrate confidence and threshold on held-out recordings, and package; the card's path.

    The confidence mapping is stored in the graphs, so only the threshold is added to the card.
    """

    def probabilities_of(scene: MixedScene) -> NDArray[np.float32]:
        detect = Detect(sample_rate=scene.sample_rate, model=model)
        blocks = in_blocks(scene.mixture[np.newaxis], block_samples(scene.sample_rate, 1))
        return np.concatenate(list(run_blocks(detect, blocks)), axis=1)

    with TemporaryDirectory() as draft:  # not in `folder`, where it would pass for the model
        model = Model(load_card(package_hearing(network, Path(draft), settings)))
        found = calibrate(probabilities_of, kept, sample_rate=_VALIDATION_RATE_HZ, step_s=STEP_S)
    network.detect.confidence.copy_(torch.tensor(found.confidence))
    return package_hearing(network, folder, settings, found.threshold)


def package_hearing(
    network: HearingNetwork, folder: Path, settings: LoopSettings, threshold: float = THRESHOLD
) -> Path:
    """Write the model's files and card to `folder`; return the card's path."""
    return package(
        network,
        folder,
        name="hear",
        version=VERSION,
        kind="labels",
        task="fifty-two sounds: when each is there, and its share of every band",
        labels=LABELS,
        look_ahead_s=LOOK_AHEAD_STEPS * STEP_S,
        threshold=dict.fromkeys(LABELS, threshold),
        masks_from=MASKS_FROM,
        about=ABOUT | {"recipe": settings.command("hear")},
    )
