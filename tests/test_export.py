"""One network in three forms agrees: torch on a whole file, torch streaming, exported graphs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch

from echoic.ear import FrontEnd
from echoic.errors import ModelError, ParameterError
from echoic.nn.export import CHUNK_STEPS, load_hearing, load_listener
from echoic.nn.heads import masks
from echoic.nn.hearing import HearingNetwork, HearingOutput
from echoic.nn.listener import FRAMES_PER_STEP, N_BANDS, N_FEATURES
from echoic.nn.separator import Separator
from echoic.pipeline import attend
from echoic.processors import Model
from echoic.processors.example import hear_example
from echoic.runtime import Graph
from echoic.runtime.models import Card, load_card
from echoic.runtime.network import Network
from echoic.training.packaging import package

TOLERANCE = 1e-4
LABELS = ("rain", "speech", "music")
N_STEPS = 2 * CHUNK_STEPS + 37
N_FRAMES = N_STEPS * FRAMES_PER_STEP
RESULTS = ("logits", "places", "embedding")


class Exported(NamedTuple):
    network: HearingNetwork
    card: Card


def random_frames(n_frames: int, seed: int) -> torch.Tensor:
    """Ear frames as they come: between 0 and 1, slow in time."""
    noise = torch.rand(1, N_FEATURES, N_BANDS, n_frames, generator=torch.manual_seed(seed))
    return (0.7 * noise + 0.3 * noise.roll(1, -1)) * torch.linspace(0.2, 1, N_BANDS)[:, None]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Exported:
    torch.manual_seed(3)
    network = HearingNetwork(len(LABELS)).eval()
    network.detect.confidence.copy_(torch.tensor([0.7, -0.3]))
    with torch.no_grad():
        # Untrained heads are nearly constant, which would hide differences.
        network.detect.logits.weight *= 5
    card = package(
        network,
        tmp_path_factory.mktemp("model"),
        name="small",
        version="0",
        task="a test",
        kind="labels",
        labels=LABELS,
        look_ahead_s=0.5,
        threshold=dict.fromkeys(LABELS, 0.5),
        about={"data": "none"},
    )
    return Exported(network, load_card(card))


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return random_frames(N_FRAMES, 99)


@pytest.fixture(scope="module")
def in_torch(exported, frames) -> list[np.ndarray]:
    with torch.no_grad():
        output, _ = exported.network(frames)
    assert output._fields == RESULTS
    return steps_last(output)


def steps_last(output: HearingOutput) -> list[np.ndarray]:
    """As the runtime has it: (…, step)."""
    return [np.moveaxis(part[0].numpy(), 0, -1) for part in output]


def in_graphs(card: Card, frames: torch.Tensor, lengths: list[int]) -> list[np.ndarray]:
    network, state, parts, start = Network(card), None, [], 0
    for length in lengths:
        answers, state = network(frames[0, ..., start : start + length].numpy(), state)
        parts.append(answers)
        start += length
    assert start == frames.shape[-1]
    return [np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)]


def assert_same(got: list[np.ndarray], wanted: list[np.ndarray], tolerance: float) -> None:
    for a, b in zip(got, wanted, strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


def test_the_answers_differ_from_each_other(in_torch):
    logits, places, embedding = in_torch
    assert logits.shape == (len(LABELS), N_STEPS)
    assert (places.shape[0], places.shape[2]) == (N_BANDS, N_STEPS)
    for answer in (logits, places, embedding):
        assert answer.std(axis=-1).max() > 100 * TOLERANCE  # over time
        assert answer.std(axis=0).max() > 100 * TOLERANCE


@pytest.mark.parametrize("n_steps", [1, 10, 37])
def test_torch_streaming_equals_torch_whole(exported, frames, in_torch, n_steps):
    state, parts = None, []
    with torch.no_grad():
        for chunk in frames[..., :120].split(n_steps * FRAMES_PER_STEP, dim=-1):
            output, state = exported.network(chunk, state)
            parts.append(steps_last(output))
    streamed = [np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)]
    assert_same(streamed, [part[..., :60] for part in in_torch], 1e-5)


def test_graphs_equal_torch(exported, frames, in_torch):
    assert_same(in_graphs(exported.card, frames, [N_FRAMES]), in_torch, TOLERANCE)


@pytest.mark.parametrize(
    "lengths",
    [[1] * N_FRAMES, [7] * (N_FRAMES // 7) + [N_FRAMES % 7], [0, 3, 200, 1, 0, N_FRAMES - 204]],
    ids=["1", "7", "ragged"],
)
def test_chunks_equal_steps(exported, frames, lengths):
    whole = in_graphs(exported.card, frames, [N_FRAMES])  # two chunks, then steps
    assert_same(in_graphs(exported.card, frames, lengths), whole, 1e-5)


@pytest.mark.parametrize(("part", "result"), [("detect", "logits"), ("separate", "places")])
def test_graphs_of_a_part_equal_those_of_all(exported, frames, part, result):
    network = Network(exported.card, part)
    assert network.results == (result,)
    (got,), _ = network(frames[0].numpy())
    wanted = dict(zip(RESULTS, in_graphs(exported.card, frames, [N_FRAMES]), strict=True))
    assert_same([got], [wanted[result]], 1e-6)
    whole = Network(exported.card).init_state().graph.tensors
    n_states = len(network.init_state().graph.tensors)
    assert n_states == len(whole) - (part == "separate")  # embeddings kept for detection


def test_queries_equal_torch(exported, in_torch):
    queries = Graph(exported.card.graph("queries"))
    mean = in_torch[2].mean(axis=-1)[np.newaxis]
    (labels, of_example), _ = queries(mean, state=queries.init_state())
    with torch.no_grad():
        wanted = exported.network.queries(torch.from_numpy(mean)).numpy()
    np.testing.assert_array_equal(labels, exported.network.queries.labels.detach().numpy())
    assert np.abs(of_example - wanted).max() <= TOLERANCE


def test_a_model_answers_and_masks_as_torch_does(exported, frames, in_torch):
    model = Model(exported.card)
    assert model.frames_per_step == FRAMES_PER_STEP
    heard, _ = model(frames[0].numpy())
    logits, places, _ = (torch.from_numpy(part) for part in in_torch)
    wanted = torch.sigmoid(logits).numpy()
    places = places.movedim(-1, 0)
    assert np.abs(heard.probabilities - wanted).max() <= TOLERANCE
    queries = exported.network.queries.labels.detach()[None]
    with torch.no_grad():
        every = masks(places[None], queries)[0].numpy()
        two = masks(places[None], queries, torch.tensor([[True, False, True, True]]))[0].numpy()
    shares = model.masker(LABELS)(heard.places)
    assert np.abs(shares - every).max() <= 10 * TOLERANCE
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    shares = model.masker(("music", "rain"))(heard.places)
    assert np.abs(shares - two[[2, 0, 3]]).max() <= 10 * TOLERANCE
    shares = model.masker(("music", "rain"), others=1.0)(heard.places)
    assert np.abs(shares[:2] - every[[2, 0]]).max() <= 10 * TOLERANCE
    heard, _ = model(frames[0].numpy(), want="probabilities")
    assert np.abs(heard.probabilities - wanted).max() <= TOLERANCE
    assert model.masker(LABELS)(heard.places).shape == (len(LABELS) + 1, N_BANDS, 0)


def burst(sample_rate: int = 16_000) -> np.ndarray:
    """A second of noise, half a second after the beginning of two of silence."""
    wave = np.zeros((1, 2 * sample_rate), np.float32)
    noise = np.random.default_rng(5).standard_normal(sample_rate)
    wave[0, sample_rate // 2 : -sample_rate // 2] = 0.1 * noise
    return wave


def test_an_example_asks_as_torch_does(exported):
    model = Model(exported.card)
    query = hear_example(model, burst(), sample_rate=16_000)
    frames, _ = FrontEnd(sample_rate=16_000)(burst())
    with torch.no_grad():
        output, _ = exported.network(torch.from_numpy(frames)[None])
        sounding = slice(50, 150)  # steps of 10 ms
        wanted = exported.network.queries(output.embedding[0, sounding].mean(dim=0)).numpy()
    # The surrounding silence has a weight of a thousandth; edges are found to a step or two.
    assert np.abs(query - wanted).max() < 0.1 * np.abs(wanted).max()


def test_an_example_shares_as_a_label_does(exported, frames):
    model = Model(exported.card)
    heard, _ = model(frames[0].numpy())
    rain = exported.network.queries.labels[0].detach().numpy()
    by_example = model.masker(("speech",), [rain])(heard.places)
    by_label = model.masker(("speech", "rain"))(heard.places)
    np.testing.assert_allclose(by_example, by_label, atol=1e-6)


def test_a_silent_or_too_short_example_is_refused(exported):
    model = Model(exported.card)
    with pytest.raises(ParameterError, match="nothing sounds"):
        hear_example(model, np.zeros(16_000, np.float32), sample_rate=16_000)
    with pytest.raises(ParameterError, match=r"too short|nothing sounds"):
        hear_example(model, burst()[:, 8_000:8_100], sample_rate=16_000)


def test_attending_by_example_keeps_what_the_example_is_given(exported, monkeypatch):
    monkeypatch.setattr("echoic.processors.attend.load_model", lambda name: Model(exported.card))
    monkeypatch.setattr("echoic.processors.separate.load_model", lambda name: Model(exported.card))
    scene = burst() + 0.05 * np.sin(0.3 * np.arange(32_000, dtype=np.float32))
    kept = attend(scene, like=burst(44_100), like_sample_rate=44_100, sample_rate=16_000)
    assert kept.shape == scene.shape
    assert 0 < np.square(kept).sum() < np.square(scene).sum()
    other = attend(scene, like=burst()[:, ::-1] * 3, sample_rate=16_000)
    assert np.abs(kept - other).max() < np.abs(kept).max()  # the level of an example has no effect


def test_masks_add_up_to_one_among_those_asked_and_give_others_nothing():
    generator = torch.manual_seed(0)
    places, queries = torch.randn(1, 7, 5, 24, generator=generator), torch.randn(1, 4, 24)
    among = torch.tensor([[True, False, True, True]])
    shares = masks(places, queries, among)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1, 5, 7))
    assert not shares[:, 1].any()
    # The ratio of the remaining shares is unchanged.
    every = masks(places, queries)
    torch.testing.assert_close(shares[:, 0] / shares[:, 2], every[:, 0] / every[:, 2])


def test_frames_of_another_shape_are_refused(exported):
    with pytest.raises(ParameterError, match=r"\(2, 60, 4\) are not \(2, 64, frame\)"):
        Network(exported.card)(np.zeros((2, 60, 4), np.float32))


def test_a_state_of_another_network_is_refused(exported):
    network = Network(exported.card)
    frames = np.zeros((2, N_BANDS, 4), np.float32)
    _, state = network(frames)
    with pytest.raises(ParameterError, match="does not belong to this Network"):
        network(frames, state._replace(pending=np.zeros((2, 60, 1), np.float32)))
    with pytest.raises(ParameterError, match="does not belong to this Network"):
        network(frames, state._replace(graph=state.graph._replace(tensors=state.graph.tensors[1:])))


def test_the_card_says_what_was_shipped(exported):
    network, card = exported
    assert (card.labels, card.look_ahead_s, card.about) == (LABELS, 0.5, {"data": "none"})
    assert card.n_parameters == sum(p.numel() for p in network.parameters())
    assert {path.name for path in card.folder.iterdir()} == {*card.graphs, "small.json"}


def test_weights_lie_there_once(exported):
    n_bytes = 4 * exported.card.n_parameters
    of_files = {path.name: path.stat().st_size for path in exported.card.folder.iterdir()}
    assert of_files["small.weights"] <= n_bytes + 200_000  # constants besides the weights
    assert sum(of_files.values()) < 1.4 * n_bytes


def test_damaged_weights_are_refused(exported, tmp_path):
    for path in exported.card.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "small.weights"
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match=r"small\.weights: size or hash"):
        Network(load_card(tmp_path / "small.json"))


def test_weights_come_back_bit_by_bit(exported):
    torch.manual_seed(4)
    other = HearingNetwork(len(LABELS))
    before = other.queries.labels.clone()
    found = load_hearing(other, exported.card.folder, "small").state_dict()
    assert torch.equal(other.detect.confidence, exported.network.detect.confidence)
    for name, value in exported.network.state_dict().items():
        assert torch.equal(found[name], value), name
    assert not torch.equal(before, found["queries.labels"])


def test_a_listener_is_taken_over_from_another_network(exported):
    shipped = exported.network.listener.eval()
    deeper = Separator(3, n_blocks=len(shipped.blocks) + 2).listener.eval()
    load_listener(deeper, exported.card.folder, "small")
    for name, value in shipped.state_dict().items():
        assert torch.equal(deeper.state_dict()[name], value), name
    frames = torch.rand(1, N_FEATURES, N_BANDS, 20)
    assert torch.equal(deeper(frames)[0].groups, shipped(frames)[0].groups)


def test_weights_that_lack_a_parameter_are_refused(exported):
    deeper = HearingNetwork(len(LABELS))
    deeper.listener.blocks.append(deeper.listener.blocks[0])
    with pytest.raises(KeyError, match="blocks"):
        load_hearing(deeper, exported.card.folder, "small")
