"""The recipe of the network behind `echoic hear`, `attend` and `tag`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from echoic.labels import LABELS
from echoic.nn.heads import LOOK_AHEAD_STEPS, masks
from echoic.nn.hearing import HearingNetwork
from echoic.processors.masks import RAMP_S
from echoic.processors.model import Model
from echoic.runtime.models import load_card
from echoic.training.calibration import choose_threshold, fit_confidence, listen_to
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

# A batch hears so many labels, each once alone, mixtures of some of them, which may be asked
# for by example, and mixtures of any, so that a batch is not all about the same few.
_N_LABELS, _N_MIXTURES, _N_MIXTURES_OF_ANY = 4, 3, 3
_N_VALIDATION_LABELS, _N_VALIDATION_MIXTURES = 7, 11
_RATES_HZ, _RATE_PROBABILITIES = (16_000, 32_000), (0.7, 0.3)
_SEED = 20
# Labels that are asked about though no scene of the batch holds them.
_N_ABSENT = 8
_EXAMPLE_PROBABILITY = 0.5
# Scenes in which only some of the sounds are asked for, as when one is attended to.
_PARTLY_ASKED_PROBABILITY = 0.3
_WARM_UP_STEPS = 40  # of each scene, not asked about
WEIGHTS = {"detection": 1.0, "share": 0.5, "distortion_db": 0.12}
N_VALIDATION_BATCHES = 5
N_STEPS = 40_000
N_CALIBRATION_SCENES = (400, 200)  # of labels, and without any
VERSION = "0.2.0"
THRESHOLD = 0.5  # until it is calibrated
ABOUT = {
    "data": SOURCES,
    "limits": "knows fifty-two labels; learned from 10 to 40 recordings of most of them; sounds "
    "of other kinds may be taken for one of them",
}


class BatchMaker:
    """Draw scenes and stack their examples: first some labels alone, then mixtures.

    Args:
        mixers: One for each rate.
        probabilities: Of the rates.
        makers: What makes examples of the scenes of each mixer; for `hear` by default.
        n_labels: Heard in a batch, each once alone.
        n_mixtures: Of these labels, besides.
        n_mixtures_of_any: Of all labels, besides.
    """

    def __init__(
        self,
        mixers: Sequence[SceneMixer],
        probabilities: Sequence[float],
        *,
        makers: Sequence[Callable[[MixedScene], Example]] | None = None,
        n_labels: int = _N_LABELS,
        n_mixtures: int = _N_MIXTURES,
        n_mixtures_of_any: int = _N_MIXTURES_OF_ANY,
    ) -> None:
        """Design the banks of every rate."""
        self.n_labels = n_labels
        self.n_mixtures, self.n_mixtures_of_any = n_mixtures, n_mixtures_of_any
        self.mixers = mixers
        self.probabilities = probabilities
        self.makers = makers or [ExampleMaker(sample_rate=mixer.sample_rate) for mixer in mixers]
        known = mixers[0].recordings
        self.labels = [label for label in LABELS if known.n_recordings(label)]

    def __call__(self, rng: np.random.Generator) -> Batch:
        """One batch, all of one rate."""
        which = int(rng.choice(len(self.mixers), p=self.probabilities))
        mixer, make = self.mixers[which], self.makers[which]
        labels = [str(label) for label in rng.choice(self.labels, self.n_labels, replace=False)]
        scenes = [mixer.draw_alone(label, rng) for label in labels]
        scenes += [mixer.draw(labels, rng) for _ in range(self.n_mixtures)]
        scenes += [mixer.draw(self.labels, rng) for _ in range(self.n_mixtures_of_any)]
        examples = [make(scene) for scene in scenes]
        batch = {
            name: torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
            for name in examples[0]._fields
        }
        return batch | {"label": torch.tensor([LABELS.index(label) for label in labels])}


def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Detection over all labels; masks over those of the batch, some others and the rest."""
    assert isinstance(model, HearingNetwork)
    output, _ = model(batch["frames"])
    of_batch, rest = batch["label"], len(LABELS)
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


def labels_asked(of_batch: Tensor, source: Tensor) -> Tensor:
    """Whose queries take part: the batch's labels, all else that sounds, some absent, the rest.

    Args:
        of_batch: (label,) heard alone; they come first.
        source: (item, source) of labels, len(LABELS) for the rest, −1 for none.
    """
    rest = len(LABELS)
    sounding = torch.zeros(rest + 1, dtype=torch.bool, device=source.device)
    sounding[source[source >= 0]] = True
    sounding[of_batch] = True
    absent = (~sounding[:rest]).nonzero()[:, 0]
    absent = absent[torch.randperm(absent.numel(), device=source.device)[:_N_ABSENT]]
    sounding[of_batch] = False
    mixed = sounding[:rest].nonzero()[:, 0]
    return torch.cat([of_batch, mixed, absent, of_batch.new_tensor([rest])])


def mean_embedding(embedding: Tensor, batch: Batch) -> Tensor:
    """Of each label of the batch, the mean over what was heard of it alone, (label, size)."""
    alone = torch.arange(len(batch["label"]), device=embedding.device)
    active = batch["activity"][alone, batch["label"]][..., None]
    active = active + 1e-3  # where a sound was cut off altogether, all of it
    return (embedding[alone] * active).sum(dim=1) / active.sum(dim=1)


def queries_of(labels: Tensor, examples: Tensor, *, n_items: int) -> Tensor:
    """Ask for each label of the batch by its name or by example, for every item anew.

    Shape:
        labels (query, size), those of the batch first; examples (label, size)
        -> (item, query, size).
    """
    n_examples = len(examples)
    by_example = torch.rand(n_items, n_examples, 1, device=labels.device) < _EXAMPLE_PROBABILITY
    # A clip is no example of itself.
    by_example[:n_examples] &= ~torch.eye(n_examples, dtype=torch.bool, device=labels.device)[
        ..., None
    ]
    of_batch = torch.where(by_example, examples, labels[:n_examples])
    return torch.cat([of_batch, labels[n_examples:].expand(n_items, -1, -1)], dim=1)


def drawn_left_out(source: Tensor) -> Tensor:
    """(item, source) labelled sounds that nobody asks for, about half of them in some items."""
    partly = torch.rand(len(source), 1, device=source.device) < _PARTLY_ASKED_PROBABILITY
    half = torch.rand(source.shape, device=source.device) < 0.5
    return partly & half & (source >= 0) & (source < len(LABELS))


def given_to_rest(power: Tensor, left_out: Tensor, is_rest: Tensor) -> Tensor:
    """What is left out belongs to the rest: powers add, as far as sounds are not correlated.

    Shape:
        power (item, source, band, step), left_out and is_rest (item, source) -> as power.
    """
    moved = power * left_out[..., None, None]
    return power - moved + is_rest[..., None, None] * moved.sum(dim=1, keepdim=True)


def at_places(slot: Tensor, chosen: Tensor, n_queries: int) -> Tensor:
    """(item, query) whether any chosen source has its place there; slot and chosen (item, source).

    Sources without a place, −1, are not chosen, but may stand beside one that is at place 0.
    """
    n_chosen = torch.zeros(len(slot), n_queries, dtype=torch.long, device=slot.device)
    return n_chosen.scatter_add_(1, slot.clamp(min=0), chosen.long()) > 0


def drawn_among(slot: Tensor, n_queries: int) -> Tensor:
    """Among which queries each item's power is shared: what is there, the rest, some others.

    Sometimes hardly any others, as when it is known which labels sound, sometimes all.
    """
    n_items = len(slot)
    share = torch.rand(n_items, 1, device=slot.device)
    among = torch.rand(n_items, n_queries, device=slot.device) < share
    among[:, -1] = True
    return among | at_places(slot, slot >= 0, n_queries)


def validation(model: nn.Module, batches: Sequence[Batch]) -> dict[str, float]:
    """The losses on recordings kept aside, and how often a clip alone is named rightly."""
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


def learn(
    folder: Path,
    settings: LoopSettings,
    *,
    report: Callable[[str], None] = print,
) -> HearingNetwork:
    """Train the network in `folder`, resuming where a former run ended; the averaged network.

    Raises:
        ParameterError: no data folder, or the folder holds another run.
        MissingExtraError: no FluidSynth to render music with.
    """
    used, kept = training_recordings(folder), kept_recordings()
    rooms = load_rooms()
    batches = BatchMaker(
        [SceneMixer(used, sample_rate=rate, rooms=rooms) for rate in _RATES_HZ],
        _RATE_PROBABILITIES,
    )
    aside = BatchMaker(
        [SceneMixer(kept, sample_rate=_RATES_HZ[0])],
        [1.0],
        n_labels=_N_VALIDATION_LABELS,
        n_mixtures=_N_VALIDATION_MIXTURES,
        n_mixtures_of_any=0,
    )
    fixed = [aside(np.random.default_rng((_SEED, k))) for k in range(N_VALIDATION_BATCHES)]
    torch.manual_seed(settings.seed)
    network = train(
        HearingNetwork(len(LABELS)),
        losses,
        batches,
        settings,
        recipe="hear",
        folder=folder,
        validate=lambda model: validation(model, fixed),
        report=report,
    )
    assert isinstance(network, HearingNetwork)
    return network


def run(folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print) -> Path:
    """Train the network in `folder`, resuming where a former run ended, calibrate and package it.

    Returns:
        Path of the finished model's card, in `folder`.
    """
    network = learn(folder, settings, report=report)
    return calibrate(network, kept_recordings(), folder, settings)


def calibrate(
    network: HearingNetwork, kept: Recordings, folder: Path, settings: LoopSettings
) -> Path:
    """Set confidence and thresholds on recordings kept aside, and package; the card's path.

    The confidence goes into the last layer, so that nothing but the thresholds is added.
    """
    labels, rng = LABELS, np.random.default_rng(_SEED)
    known = [label for label in labels if kept.n_recordings(label)]
    some = MixingSettings(duration_s=10.0)
    none = MixingSettings(duration_s=10.0, n_sounds=(1.0,))
    mixers = [SceneMixer(kept, sample_rate=_RATES_HZ[0], settings=s) for s in (some, none)]
    model = Model(load_card(package_hearing(network, folder, settings)))
    heard, heard_none = (
        listen_to(model, [mixer.draw(known, rng) for _ in range(n_scenes)])
        for mixer, n_scenes in zip(mixers, N_CALIBRATION_SCENES, strict=True)
    )
    confidence = fit_confidence(heard, labels=labels, step_s=STEP_S)
    last = network.detect.logits
    with torch.no_grad():
        last.weight *= confidence.slope
        last.bias.mul_(confidence.slope).add_(confidence.offset)
    heard, heard_none = (
        [one._replace(probabilities=confidence(one.probabilities)) for one in scenes]
        for scenes in (heard, heard_none)
    )
    threshold = choose_threshold(heard, heard_none, labels=labels, step_s=STEP_S)
    return package_hearing(network, folder, settings, threshold)


def package_hearing(
    network: HearingNetwork, folder: Path, settings: LoopSettings, threshold: float = THRESHOLD
) -> Path:
    """Write the model's files and card into `folder`; the card's path."""
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
        about=ABOUT | {"recipe": settings.command("hear")},
    )
