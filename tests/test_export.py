"""One network, three ways: torch on the whole file, torch in a stream, the shipped steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch

from echoic.nn.export import load_hearing
from echoic.nn.hearing import FRAMES_PER_STEP, HearingNetwork
from echoic.nn.listener import N_BANDS, N_FEATURES
from echoic.processors.network import Network
from echoic.runtime import find_model
from echoic.runtime.models import Card, load_card
from echoic.training.packaging import package_hearing

TOLERANCE = 1e-4
LABELS = ("rain", "speech", "music")
N_FRAMES = 600  # 150 steps: even the oldest slot of the memory has begun to fill


class Exported(NamedTuple):
    network: HearingNetwork
    card: Card


class Answers(NamedTuple):
    """probabilities: (label, step); gains: (label + 1, band, frame)."""

    probabilities: np.ndarray
    gains: np.ndarray


def random_frames(n_frames: int, seed: int) -> torch.Tensor:
    """Ear frames as they come: between 0 and 1, slow in time."""
    noise = torch.rand(1, N_FEATURES, N_BANDS, n_frames, generator=torch.manual_seed(seed))
    return (0.7 * noise + 0.3 * noise.roll(1, -1)) * torch.linspace(0.2, 1, N_BANDS)[:, None]


def lively_network() -> HearingNetwork:
    """Untrained, yet with statistics and answers of its own."""
    torch.manual_seed(3)
    network = HearingNetwork(len(LABELS)).train()
    with torch.no_grad():
        for seed in range(5):
            network(random_frames(64, seed))
        # Untrained heads answer alike to everything, which would hide a difference.
        network.detect.logits.weight *= 5
        network.gains.shares.weight *= 20
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Exported:
    network = lively_network()
    card = package_hearing(
        network,
        tmp_path_factory.mktemp("model"),
        name="small",
        version="0",
        task="a test",
        labels=LABELS,
        look_ahead_s=0.5,
        threshold=dict.fromkeys(LABELS, 0.5),
        about={"data": "none"},
    )
    return Exported(network, load_card(card))


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return random_frames(N_FRAMES, 99)


def as_answers(logits: torch.Tensor, gains: torch.Tensor) -> Answers:
    return Answers(torch.sigmoid(logits)[0].numpy(), gains[0].numpy())


def in_torch(network: HearingNetwork, frames: torch.Tensor) -> Answers:
    with torch.no_grad():
        return as_answers(*network(frames)[0])


def in_torch_streaming(network: HearingNetwork, frames: torch.Tensor, n_steps: int) -> Answers:
    state, logits, gains = None, [], []
    with torch.no_grad():
        for chunk in frames.split(n_steps * FRAMES_PER_STEP, dim=-1):
            output, state = network(chunk, state)
            logits.append(output.logits)
            gains.append(output.gains)
    return as_answers(torch.cat(logits, dim=-1), torch.cat(gains, dim=-1))


def in_steps(card: Card, frames: torch.Tensor, lengths: list[int]) -> Answers:
    network, state, parts, start = Network(card), None, [], 0
    for length in lengths:
        chunk = frames[0, ..., start : start + length].numpy()
        heard, state = network(chunk, state, want_masks=True)
        parts.append(Answers(*heard))
        start += length
    assert start == frames.shape[-1]
    return Answers(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))


def assert_same(got: Answers, wanted: Answers) -> None:
    for a, b in zip(got, wanted, strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= TOLERANCE


def test_the_answers_differ_from_each_other(exported, frames):
    probabilities, gains = in_torch(exported.network, frames)
    assert probabilities.shape == (len(LABELS), N_FRAMES // FRAMES_PER_STEP)
    assert gains.shape == (len(LABELS) + 1, N_BANDS, N_FRAMES)
    np.testing.assert_allclose(gains.sum(axis=0), 1, atol=1e-5)
    for answer in (probabilities, gains):
        assert answer.std(axis=-1).max() > 100 * TOLERANCE  # over time
        assert answer.std(axis=0).max() > 100 * TOLERANCE  # over labels


def test_statistics_of_the_bands_are_not_as_new(exported):
    norms = [m for m in exported.network.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert norms
    for norm in norms:
        assert norm.running_mean.abs().max() > 0.01
        assert (norm.running_var - 1).abs().max() > 0.01


@pytest.mark.parametrize("n_steps", [10, 37])
def test_torch_streaming_equals_torch_whole(exported, frames, n_steps):
    streamed = in_torch_streaming(exported.network, frames, n_steps)
    assert_same(streamed, in_torch(exported.network, frames))


@pytest.mark.parametrize(
    "lengths",
    [[N_FRAMES], [1] * N_FRAMES, [7] * 85 + [5], [0, 2, 5, 1, 292, 0, 300]],
    ids=["whole", "1", "7", "ragged"],
)
def test_step_graphs_equal_torch(exported, frames, lengths):
    assert_same(in_steps(exported.card, frames, lengths), in_torch(exported.network, frames))


def test_gains_are_only_worked_out_when_wanted(exported, frames):
    heard, _ = Network(exported.card)(frames[0].numpy(), None, want_masks=False)
    assert heard.places.shape == (len(LABELS) + 1, N_BANDS, 0)
    wanted = in_torch(exported.network, frames).probabilities
    assert np.abs(heard.probabilities - wanted).max() <= TOLERANCE


def test_the_card_says_what_was_shipped(exported):
    network, card = exported
    assert (card.labels, card.look_ahead_s, card.about) == (LABELS, 0.5, {"data": "none"})
    assert card.n_parameters == sum(p.numel() for p in network.parameters())
    assert {path.name for path in card.folder.iterdir()} == {*card.graphs, "small.json"}


def graphs_of(card: Card) -> list:
    return [card.graph(suffix) for suffix in ("listener", "gains")]


def test_weights_come_back_bit_by_bit(exported):
    torch.manual_seed(4)
    other = HearingNetwork(len(LABELS))
    wanted = exported.network.state_dict()
    before = {name: value.clone() for name, value in other.state_dict().items()}
    found = load_hearing(other, graphs_of(exported.card)).state_dict()
    for name, value in wanted.items():
        kept = name.endswith("num_batches_tracked")  # of training only, not in the graphs
        assert torch.equal(found[name], before[name] if kept else value), name
    assert not torch.equal(before["gains.shares.weight"], found["gains.shares.weight"])


def test_weights_that_lack_a_parameter_are_refused(exported):
    with pytest.raises(KeyError, match="listener"):
        load_hearing(HearingNetwork(len(LABELS)), graphs_of(exported.card)[1:])


def test_shipped_weights_load_into_torch_and_answer_the_same(frames):
    card = find_model("hear")
    network = load_hearing(HearingNetwork(len(card.labels)), graphs_of(card)).eval()
    assert card.n_parameters == sum(p.numel() for p in network.parameters())
    assert_same(in_steps(card, frames, [N_FRAMES]), in_torch(network, frames))
