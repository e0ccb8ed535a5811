"""Common parts of the recipes of `denoise` and `voices`: batches, losses, and the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from echoic.nn.export import load_listener, load_separator
from echoic.nn.separator import Separator
from echoic.processors.masks import RAMP_S
from echoic.runtime import find_model
from echoic.training.batches import by_rate, fixed_batches, stacked
from echoic.training.corpus import SOURCES, kept_recordings, training_recordings
from echoic.training.data import load_rooms
from echoic.training.intelligibility import unintelligibility
from echoic.training.loop import Batch, LoopSettings, mean_losses, train
from echoic.training.losses import applied, error_db, error_power, of_sources, share_loss, weigh
from echoic.training.noisy_speech import NoisySpeechMixer, NoisySpeechSettings
from echoic.training.packaging import package
from echoic.training.targets import STEP_S, ExampleMaker

_BATCH_S = 40.0  # of audio, in scenes of one length
_DURATIONS_S = (4.0, 8.0)  # a network trained on 4 s only is worse after that
_RATE_PROBABILITIES = {16_000: 0.8, 32_000: 0.2}
_VALIDATION_RATE_HZ = 16_000
_WARM_UP_STEPS = 40  # at the start of each scene, left out of the losses
_WEIGHTS = {"error_db": 0.1, "share": 1.0, "unintelligibility": 0.0}
_N_VALIDATION_BATCHES, _SEED = 8, 30
_LIMITS = (
    "learned from some 300 speakers, most of them reading English, and from sounds that people "
    "are used to; masks have no phase; what lies above 7.6 kHz follows what lies below"
)


class Spoken(NamedTuple):
    """The example of a scene of voices and noise, see `targets.Example`.

    Attributes:
        frames: (2, band, frame).
        own: (source, band, step), voices first, the noise last.
        cross: (source, band, step).
        mixture: (band, step).
    """

    frames: NDArray[np.float32]
    own: NDArray[np.float32]
    cross: NDArray[np.float32]
    mixture: NDArray[np.float32]


class SpokenBatches:
    """Draw scenes of speech in noise and stack their examples.

    Args:
        mixer: Draws the scenes.
    """

    def __init__(self, mixer: NoisySpeechMixer) -> None:
        """Design the filterbanks."""
        self.mixer = mixer
        self.maker = ExampleMaker(sample_rate=mixer.sample_rate)
        self.n_scenes = round(_BATCH_S / mixer.settings.duration_s)

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Draw one batch."""
        scenes = [self.mixer.draw_speech(rng) for _ in range(self.n_scenes)]
        return stacked([Spoken(*self.maker.frames_and_powers(scene)) for scene in scenes])


def losses(
    model: nn.Module, batch: Batch, *, weights: Mapping[str, float] = _WEIGHTS
) -> dict[str, Tensor]:
    """Error and intelligibility of the voices, cross-entropy of all masks, in the best order.

    Voices are separated, not identified: the order with the least error over a whole scene
    counts (permutation-invariant training, Kolbæk et al. 2017).
    """
    output, _ = model(batch["frames"])
    gains = applied(output.masks.permute(0, 2, 3, 1), RAMP_S / STEP_S)[..., _WARM_UP_STEPS:]
    own, cross, mixture = (
        batch[name][..., 2 + _WARM_UP_STEPS :] for name in ("own", "cross", "mixture")
    )
    slot = best_order(gains, own, cross, mixture)
    voices = slice(None, -1)
    parts = {
        "error_db": error_db(gains, slot[:, voices], own[:, voices], cross[:, voices], mixture),
        "share": share_loss(gains, slot, own, mixture),
        "unintelligibility": unintelligibility(
            of_sources(gains, slot[:, voices]), own[:, voices], mixture[:, None]
        ),
    }
    return weigh(parts, weights)


@torch.no_grad()
def best_order(gains: Tensor, own: Tensor, cross: Tensor, mixture: Tensor) -> Tensor:
    """Signal assigned to each source, (scene, source); the noise is assigned to the last.

    Args:
        gains: (scene, signal, band, step).
        own: (scene, source, band, step), this and the others as in `error_db`.
        cross: Likewise.
        mixture: (scene, band, step).
    """
    n_voices = own.shape[1] - 1
    orders = torch.tensor(list(permutations(range(n_voices))), device=own.device)
    error = [
        error_power(given, own[:, :-1], cross[:, :-1], mixture)
        .div(own[:, :-1].sum(dim=(2, 3)) + 1e-12)
        .log()
        .sum(dim=1)
        for given in (gains[:, order] for order in orders)
    ]
    best = orders[torch.stack(error).argmin(dim=0)]
    return torch.cat([best, torch.full_like(best[:, :1], n_voices)], dim=1)


@torch.no_grad()
def move_halfway_back(network: nn.Module, start: Mapping[str, Tensor]) -> None:
    """Average the weights of a fine-tuned network with those it started from, in place.

    Fine-tuned alone, `voices` gained on other talkers of the training corpus and nothing on readers
    of another one; on these the mean gained 0.4 dB.

    References: Wortsman et al. (2022), "Robust fine-tuning of zero-shot models", CVPR.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.lerp_(start[name].to(value), 0.5)


@dataclass(frozen=True)
class SeparatorRecipe:
    """How a separator is trained, and the fields of its card.

    Attributes:
        name: Name of the recipe and of the model.
        kind: Kind of the model on its card, i.e. what its masks separate.
        task: One sentence for the card.
        speaking: Distributions of the training scenes.
        listener_of: Shipped model whose listener it starts from.
        n_blocks: Blocks of its own listener.
        unintelligibility: Weight of this loss.
    """

    name: str
    kind: str
    task: str
    speaking: NoisySpeechSettings
    listener_of: str
    n_blocks: int = 2
    unintelligibility: float = 0.0

    def run(
        self, folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print
    ) -> Path:
        """Train in `folder`, resuming where a former run ended, and package the network.

        Returns:
            Path of the finished model's card, in `folder`.

        Raises:
            ParameterError: no data folder, or the folder holds another run.
            MissingExtraError: no FluidSynth to render music with.
        """
        return self.package(self.learn(folder, settings, report=report), folder, settings)

    def learn(
        self, folder: Path, settings: LoopSettings, *, report: Callable[[str], None] = print
    ) -> Separator:
        """Train in `folder`, resuming where a former run ended; return the averaged network.

        Of a fine-tuned one it is the mean with the shipped one, see `move_halfway_back`.

        Raises:
            ParameterError: no data folder, or the folder holds another run.
            MissingExtraError: no FluidSynth to render music with.
        """
        used = training_recordings(folder, unsure_as_other=True)
        kept = kept_recordings(unsure_as_other=True)
        rooms = load_rooms()
        mixer = partial(NoisySpeechMixer, settings=self.speaking)
        batches = by_rate(
            _RATE_PROBABILITIES,
            lambda rate: [
                SpokenBatches(mixer(used, sample_rate=rate, rooms=rooms, duration_s=duration_s))
                for duration_s in _DURATIONS_S
            ],
        )
        aside = SpokenBatches(mixer(kept, sample_rate=_VALIDATION_RATE_HZ))
        fixed = fixed_batches(aside, _N_VALIDATION_BATCHES, seed=_SEED)
        weights = _WEIGHTS | {"unintelligibility": self.unintelligibility}
        weighted = partial(losses, weights=weights)
        torch.manual_seed(settings.seed)
        begun = self.begin(settings)
        start = {name: value.clone() for name, value in begun.state_dict().items()}
        network = train(
            begun,
            weighted,
            batches,
            settings,
            recipe=self.name,
            folder=folder,
            kept=fixed,
            validate=partial(mean_losses, weighted),
            report=report,
        )
        assert isinstance(network, Separator)
        if settings.fine_tune:
            move_halfway_back(network, start)
        return network

    def begin(self, settings: LoopSettings) -> Separator:
        """The network to start from: the shipped one, or a new one with a shipped listener."""
        separator = Separator(self.speaking.n_talkers + 1, self.n_blocks)
        card = find_model(self.name if settings.fine_tune else self.listener_of)
        if settings.fine_tune:
            return load_separator(separator, card.folder, card.name)
        load_listener(separator.listener, card.folder, card.name)
        return separator

    def package(self, network: Separator, folder: Path, settings: LoopSettings) -> Path:
        """Write the model's files and card to `folder`; return the card's path."""
        return package(
            network,
            folder,
            name=self.name,
            version="0.3.0",
            task=self.task,
            kind=self.kind,
            about={"data": SOURCES, "limits": _LIMITS, "recipe": settings.command(self.name)},
        )
