"""Talkers in noise: scenes with known ground truth, the best permutation of voices, training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from echoic.labels import LABELS
from echoic.nn.export import load_hearing
from echoic.nn.hearing import HearingNetwork
from echoic.nn.leaky import LeakyLayer
from echoic.nn.separator import Separator
from echoic.runtime import find_model
from echoic.runtime.network import Network
from echoic.style.scoring import estoi
from echoic.training.data import OTHER, Recordings, load_clips, make_clip
from echoic.training.intelligibility import unintelligibility
from echoic.training.loop import LoopSettings
from echoic.training.noisy_speech import NoisySpeechMixer, NoisySpeechSettings
from echoic.training.recipes import denoise, hear, voices
from echoic.training.separating import (
    SeparatorRecipe,
    SpokenBatches,
    best_order,
    losses,
    move_halfway_back,
)
from echoic.training.targets import ExampleMaker

RATE = 16_000


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    """Noise for every label; speakers are quiet below 2 kHz, all else above."""
    rng = np.random.default_rng(0)
    clips = []
    for label in (*LABELS, OTHER):
        spectrum = np.fft.rfft(rng.standard_normal(2 * RATE))
        is_high = np.fft.rfftfreq(2 * RATE, 1 / RATE) > 2_000
        wave = np.fft.irfft(spectrum * (is_high == (label == "speech"))).astype(np.float32)
        clips += [make_clip(f"{label}/{n}-x", label, 0.1 * wave, RATE) for n in range(2)]
    return Recordings(clips)


def mixer(recordings: Recordings, **settings) -> NoisySpeechMixer:
    return NoisySpeechMixer(recordings, sample_rate=RATE, settings=NoisySpeechSettings(**settings))


def always(**probabilities) -> dict:
    """No chance but what is given."""
    names = ("alone", "quiet", "silent", "steady", "lasting", "babble")
    return {f"{name}_probability": probabilities.get(name, 0.0) for name in names}


@pytest.mark.parametrize("n_talkers", [1, 2])
def test_scenes_depend_on_their_generator_alone_and_hold_all_talkers(recordings, n_talkers):
    drawn = mixer(recordings, n_talkers=n_talkers)
    for seed in range(20):
        scene, again = (drawn.draw_speech(np.random.default_rng(seed)) for _ in range(2))
        assert list(scene.sources) == [*(f"voice-{k + 1}" for k in range(n_talkers)), OTHER]
        for name, source in scene.sources.items():
            assert source.shape == (4 * RATE,)
            assert source.dtype == np.float32
            np.testing.assert_array_equal(source, again.sources[name])
            assert np.isfinite(source).all()


@pytest.mark.parametrize("chance", [{}, {"lasting": 1.0}, {"steady": 1.0}, {"babble": 1.0}])
def test_speech_is_as_much_louder_than_the_noise_as_was_asked_for(recordings, chance):
    drawn = mixer(recordings, snr_db=(6.0, 6.0), **always(**chance))
    drawn.settings = replace(drawn.settings, silent_end_probability=0.0)
    for seed in range(4):
        voice, noise = drawn.draw_speech(np.random.default_rng(seed)).sources.values()
        assert 10 * np.log10(np.mean(voice**2) / np.mean(noise**2)) == pytest.approx(6, abs=1e-3)


def test_there_are_scenes_without_noise_and_scenes_without_speech(recordings):
    rng = np.random.default_rng(1)
    voice, noise = mixer(recordings, **always(quiet=1.0)).draw_speech(rng).sources.values()
    assert np.mean(noise**2) < 2e-3 * np.mean(voice**2)
    voice, noise = mixer(recordings, **always(silent=1.0)).draw_speech(rng).sources.values()
    assert not voice.any()
    assert noise.any()


def test_one_talker_begins_alone_unless_that_takes_half_of_the_other_away(recordings):
    drawn = mixer(recordings, alone=(0.25, 0.25))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        voices = [np.ones(drawn.n_samples, np.float32) for _ in range(2)]
        voices[1][drawn.n_samples // 4 :] = 0.0
        drawn.let_one_begin(voices, rng)
        begins = [int(np.argmax(voice > 0.5)) / drawn.n_samples for voice in voices]
        assert begins == pytest.approx([0, 0.125] if begins[0] == 0 else [0.25, 0], abs=0.02)


def test_what_may_hold_anything_is_noise_where_it_is_asked_for(tmp_path):
    from echoic import audio

    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    for name in ("a.wav", "b.wav", "c.wav"):
        audio.write(tmp_path / name, noise, sample_rate=RATE)
    rows = [
        "file,split,label,fold",
        "a.wav,train,rain,",
        "b.wav,train,unsure,",
        "c.wav,train,room,",
    ]
    (tmp_path / "splits.csv").write_text("\n".join(rows))
    assert [clip.label for clip in load_clips("train", folder=tmp_path)] == ["rain"]
    clips = load_clips("train", folder=tmp_path, unsure_as_other=True)
    assert [clip.label for clip in clips] == ["rain", OTHER]


def test_voices_are_taken_in_the_order_that_fits_best():
    """Ideal gains of two voices and noise in bands of their own; exchanged in the second scene."""
    own = torch.zeros(2, 3, 6, 5)
    for k in range(3):
        own[:, k, 2 * k : 2 * k + 2] = 1.0 + k
    gains = (own > 0).float()
    gains[1] = gains[1, [1, 0, 2]]
    order = best_order(gains, own, own, own.sum(dim=1))
    assert order.tolist() == [[0, 1, 2], [1, 0, 2]]


def test_a_batch_can_be_learned_whatever_the_order_of_its_voices(recordings):
    torch.manual_seed(0)
    network = Separator(3).eval()
    batch = SpokenBatches(mixer(recordings, n_talkers=2))(np.random.default_rng(0))
    batch = {name: value[:3] for name, value in batch.items()}
    found = losses(network, batch)
    found["loss"].backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []
    exchanged = batch | {name: batch[name][:, [1, 0, 2]] for name in ("own", "cross")}
    torch.testing.assert_close(losses(network, exchanged), found)


@pytest.mark.parametrize("snr_db", [-10, 0, 10, 60])
def test_intelligibility_in_training_follows_estoi(snr_db):
    rng = np.random.default_rng(0)
    harmonics = sum(np.sin(2 * np.pi * 120 * k / RATE * np.arange(2 * RATE)) for k in range(1, 30))
    speech = harmonics * np.repeat(rng.random(40), 800)
    added = rng.standard_normal(2 * RATE) * np.std(speech) * 10 ** (-snr_db / 20)
    sources = np.stack([speech, added]).astype(np.float32)
    powers = ExampleMaker(sample_rate=RATE).powers(sources, 200)
    (own, _), _, mixture = (torch.from_numpy(power) for power in powers)
    score = 1 - float(unintelligibility(torch.ones_like(own), own, mixture))
    wanted = estoi(speech, sources.sum(axis=0), sample_rate=RATE)
    assert score == pytest.approx(wanted, abs=0.1)
    silent = torch.zeros_like(own)
    assert unintelligibility(silent, silent, mixture) == 0


# Networks ----------------------------------------------------------------------------------


def test_networks_follow_their_input_to_another_device():
    """As on a GPU, where a scan runs in blocks: 800 steps do not fill them."""
    frames = torch.zeros(2, 2, 64, 1_600, device="meta")
    for network in (Separator(3, 4), HearingNetwork(5)):
        for answer in network.to("meta")(frames)[0]:
            assert answer.device.type == "meta"


def test_slow_units_leak_in_bfloat16_as_well():
    gate, n_steps = 0.0015, 400
    layer = LeakyLayer(8)
    with torch.no_grad():
        layer.gate_and_candidate.weight.zero_()
        layer.gate_and_candidate.bias[:8] = float(torch.logit(torch.tensor(gate)))
        layer.gate_and_candidate.bias[8:] = 1.0
    with torch.autocast("cpu", torch.bfloat16):
        _, last = layer(torch.zeros(1, n_steps, 8))
    assert last.detach().numpy() == pytest.approx(1 - (1 - gate) ** n_steps, rel=0.02)


@pytest.mark.parametrize("recipe", [denoise.RECIPE, voices.RECIPE], ids=lambda one: one.name)
def test_fine_tuning_starts_from_the_shipped_network(recipe: SeparatorRecipe):
    begun = recipe.begin(LoopSettings(1, fine_tune=True)).eval()
    frames = torch.rand(1, 2, 64, 40, generator=torch.Generator().manual_seed(0))
    (shipped,), _ = Network(find_model(recipe.name))(frames[0].numpy())
    with torch.no_grad():
        got = begun(frames)[0].masks[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(got, shipped, atol=1e-4)


def test_fine_tuned_hearing_is_calibrated_anew():
    begun, new = (hear.begin(LoopSettings(1, fine_tune=tune)) for tune in (True, False))
    assert torch.equal(begun.detect.confidence, new.detect.confidence)
    shipped = load_hearing(HearingNetwork(len(LABELS)), find_model("hear").folder, "hear")
    assert not torch.equal(shipped.detect.confidence, new.detect.confidence)
    assert torch.equal(begun.queries.labels, shipped.queries.labels)


def test_a_new_network_starts_from_a_shipped_listener_alone():
    new = denoise.RECIPE.begin(LoopSettings(1)).state_dict()
    tuned = denoise.RECIPE.begin(LoopSettings(1, fine_tune=True)).state_dict()
    assert new.keys() == tuned.keys()
    assert not any(torch.equal(new[key], tuned[key]) for key in new if key.endswith("in.weight"))


def test_a_fine_tuned_network_moves_halfway_back():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    start = {name: value.clone() for name, value in network.state_dict().items()}
    for value in network.state_dict().values():
        value += 2
    move_halfway_back(network, start)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, start[name] + (1 if value.is_floating_point() else 2))
