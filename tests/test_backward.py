"""The backward pass of `hear`: what is found in a sound depends on what comes later in it."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from echoic.labels import LABELS
from echoic.nn.backward import N_PLACES, Backward
from echoic.nn.hearing import HearingNetwork
from echoic.pipeline.backward import corrected, logits_of
from echoic.pipeline.hear import probabilities_of
from echoic.pipeline.sound import WaveSound
from echoic.pipeline.spool import Spool
from echoic.processors import Detect, Model
from echoic.processors.network import sigmoid
from echoic.runtime.models import load_card
from echoic.streaming import run
from echoic.training.loop import LoopSettings
from echoic.training.recipes import backward as recipe
from echoic.training.recipes.hear import package_hearing

N_STEPS = 600  # not a whole number of chunks
RATE = 16_000


def trained(network: Backward) -> Backward:
    """Weights that change something; untrained ones change nothing."""
    with torch.no_grad():
        for last in (network.to_places, network.to_logits):
            last.weight.normal_(std=0.1, generator=torch.manual_seed(1))
        network.confidence.copy_(torch.tensor([0.8, -0.4]))
    return network.eval()


@pytest.fixture(scope="module")
def network() -> Backward:
    torch.manual_seed(0)
    return trained(Backward(len(LABELS)))


@pytest.fixture(scope="module")
def model(network, tmp_path_factory) -> Model:
    torch.manual_seed(0)
    hearing = HearingNetwork(len(LABELS)).eval()
    folder = tmp_path_factory.mktemp("model")
    card = load_card(package_hearing(hearing, folder, LoopSettings(n_steps=1), backward=network))
    assert card.n_parameters == sum(
        parameter.numel() for one in (hearing, network) for parameter in one.parameters()
    )
    return Model(card)


def found(n_steps: int = N_STEPS) -> np.ndarray:
    """Places and logits as a first pass finds them: (row, step)."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((N_PLACES + len(LABELS), n_steps))
    rows[N_PLACES:] -= 4
    return np.float16(rows).astype(np.float32)


def in_torch(network: Backward, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corrected places (band, size, step) and logits (label, step)."""
    with torch.no_grad():
        output, _ = network(torch.from_numpy(rows.T[None, ::-1].copy()))
    places, logits = (part[0].flip(0).movedim(0, -1).numpy() for part in output)
    return places, logits


def test_untrained_it_changes_nothing():
    rows = found(20)
    places, logits = in_torch(Backward(len(LABELS)).eval(), rows)
    np.testing.assert_array_equal(places.reshape(N_PLACES, -1), rows[:N_PLACES])
    np.testing.assert_array_equal(logits, rows[N_PLACES:])


def test_a_step_depends_on_those_after_it_and_not_on_those_before(network):
    rows, other = found(20), found(20)
    other[:, 10] += 1
    for now, then in zip(in_torch(network, rows), in_torch(network, other), strict=True):
        changed = np.abs(now - then).reshape(-1, 20).max(axis=0) > 1e-6
        assert changed.tolist() == [True] * 11 + [False] * 9


def test_what_was_stored_is_corrected_in_its_place(network, model):
    rows = found()
    places, logits = in_torch(network, rows)
    own = np.random.default_rng(1).random((64, 1, N_STEPS)).astype(np.float16)
    with Spool() as stored, Spool() as stored_logits:
        stored.append(np.concatenate([rows[:N_PLACES].reshape(64, -1, N_STEPS), own], axis=1))
        stored_logits.append(rows[N_PLACES:])
        probabilities = np.concatenate(list(corrected(model, stored, stored_logits)), axis=1)
        after = stored.read(0, N_STEPS)
    # Stored as float16.
    assert np.abs(after[:, :-1] - places).max() < 2e-3 * np.abs(places).max()
    assert np.abs(probabilities - sigmoid(logits)).max() < 2e-3
    np.testing.assert_array_equal(after[:, -1:], own)  # the specialist's


def test_without_one_the_answer_is_that_of_the_stream(model):
    graphs = {name: of for name, of in model.card.graphs.items() if ".backward." not in name}
    model = Model(dataclasses.replace(model.card, graphs=graphs))
    assert model.backward is None
    wave = 0.1 * np.random.default_rng(2).standard_normal((1, RATE)).astype(np.float32)
    with Spool() as places:
        sound = WaveSound(wave, sample_rate=RATE)
        blocks = probabilities_of(sound, model, places=places, on_envelope=lambda _: None)
        whole = np.concatenate(list(blocks), axis=1)
    detect = Detect(sample_rate=RATE, model=model)
    streamed = np.concatenate(list(run(detect, [wave])), axis=1)
    assert whole.shape == streamed.shape == (len(LABELS), 100)
    assert np.abs(whole - streamed).max() < 1e-3  # stored as float16


def test_the_logits_of_probabilities_are_finite():
    probabilities = np.array([0, 1e-20, 0.3, 1], np.float32)
    logits = logits_of(probabilities)
    assert np.isfinite(np.float16(logits)).all()
    np.testing.assert_allclose(sigmoid(logits), probabilities, atol=1e-7)


def test_every_weight_is_trained_and_the_first_network_is_not():
    torch.manual_seed(0)
    hearing = HearingNetwork(len(LABELS)).eval().requires_grad_(False)
    network = trained(Backward(len(LABELS))).train()
    generator = torch.manual_seed(2)
    frames = torch.rand(3, 2, 64, 120, generator=generator)
    source = torch.tensor([[0, -1], [1, 52], [0, 1]])
    own = torch.rand(3, 2, 64, 60, generator=generator)
    batch = {
        "frames": frames,
        "activity": (torch.rand(3, 52, 60, generator=generator) < 0.1).float(),
        "source": source,
        "own": own,
        "cross": own,
        "mixture": own.sum(dim=1),
        "label": torch.tensor([0]),
    }
    found = partial(recipe.losses, network=hearing)(network, batch)
    found["loss"].backward()
    assert [name for name, p in network.named_parameters() if not p.grad.abs().sum()] == []
    assert all(p.grad is None for p in hearing.parameters())


def test_the_first_pass_is_timed_as_the_scene_is():
    torch.manual_seed(0)
    hearing = HearingNetwork(len(LABELS)).eval()
    frames = torch.rand(2, 2, 64, 80)
    output = recipe.heard(hearing, frames)
    assert output.logits.shape == (2, 40, len(LABELS))
    assert output.places.shape[1] == output.embedding.shape[1] == 40
