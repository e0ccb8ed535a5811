"""The separate network for speech: its share reduces those of all other labels in proportion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import echoic
from echoic.errors import ModelError, ParameterError
from echoic.labels import LABELS
from echoic.processors import Model, Separate, load_model
from echoic.processors.cards import load_signal_network
from echoic.runtime import find_model

RATE = 16_000


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).random((2, 64, 400)).astype(np.float32)


@pytest.fixture(scope="module")
def alone() -> Model:
    """The network of all labels, without its specialists."""
    return Model(replace(find_model("hear"), masks_from={}))


def noise(n_samples: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(1).standard_normal((1, n_samples)).astype(np.float32)


@pytest.mark.parametrize("labels", [LABELS, ("rain", "speech", "music"), ("speech",)])
def test_what_the_specialist_gives_is_taken_from_all_others_in_proportion(frames, alone, labels):
    heard, _ = load_model()(frames)
    shares = load_model().masker(labels)(heard.places)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    (masks,), _ = load_signal_network("denoise", "speech")(frames)
    place = labels.index("speech")
    np.testing.assert_array_equal(shares[place], masks[0])
    before = alone.masker(labels)(alone(frames)[0].places)
    others, others_before = (np.delete(one, place, axis=0) for one in (shares, before))
    np.testing.assert_allclose(
        others / others.sum(axis=0), others_before / others_before.sum(axis=0), atol=1e-3
    )


def test_where_speech_is_not_asked_for_nothing_changes(frames, alone):
    heard, _ = load_model()(frames)
    shares = load_model().masker(("rain", "music"))(heard.places)
    before = alone.masker(("rain", "music"))(alone(frames)[0].places)
    np.testing.assert_allclose(shares, before, atol=1e-6)
    np.testing.assert_array_equal(heard.probabilities, alone(frames)[0].probabilities)


@pytest.mark.parametrize(
    ("labels", "want"),
    [(("rain",), "common"), (("speech",), "own"), (("speech", "rain"), "places")],
)
def test_what_is_not_needed_is_not_computed(frames, labels, want):
    model = load_model()
    assert model.wanted(labels) == want
    everything, _ = model(frames)
    needed, state = model(frames, want=want)
    assert (state.common is None, state.own is None) == (want == "own", want == "common")
    assert needed.places.shape == everything.places.shape
    masks = model.masker(labels)
    np.testing.assert_allclose(masks(needed.places), masks(everything.places), atol=1e-6)


def test_attending_to_speech_is_denoising():
    wave = noise(8_000)
    np.testing.assert_allclose(
        echoic.attend(wave, keep=["speech"], sample_rate=RATE),
        echoic.denoise(wave, sample_rate=RATE),
        atol=1e-6,
    )


@pytest.mark.parametrize("at", [8_000, 8_040, 8_080, 8_120])
@pytest.mark.parametrize(("first", "then"), [("speech", "rain"), ("rain", "speech")])
def test_another_selection_goes_on_without_a_click(first, then, at):
    """What the other network has not heard it hears from then on."""
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE, dtype=np.float32)[np.newaxis]
    live = echoic.stream("attend", keep=[first], sample_rate=RATE)
    before = live.push(tone[:, :at])
    live.change(keep=[then])
    out = np.concatenate([before, live.push(tone[:, at:]), live.flush()], axis=1)
    assert out.shape[1] == RATE + round(live.latency_s * RATE)
    assert np.abs(np.diff(out[0])).max() < 0.04


@pytest.mark.parametrize("n_before", [300, 401, 700, 1001])
@pytest.mark.parametrize(("first", "then"), [("speech", "rain"), ("rain", "speech")])
def test_a_network_that_joins_has_processed_the_last_two_seconds(n_before, first, then):
    rng = np.random.default_rng(3)
    frames = rng.random((2, 64, n_before + 9)).astype(np.float32)
    model = load_model()
    state = None
    for part in np.array_split(frames[..., :n_before], 23, axis=-1):
        _, state = model(part, state, want=model.wanted([first]))
    joined, _ = model(frames[..., n_before:], state, want=model.wanted([then]))
    start = max(n_before - n_before % 2 - 400, 0)
    alone, _ = model(frames[..., start:], want=model.wanted([then]))
    n_steps = joined.places.shape[-1]
    assert n_steps == (n_before % 2 + 9) // 2
    np.testing.assert_allclose(joined.places, alone.places[..., -n_steps:], atol=2e-5)


def test_a_change_of_labels_takes_the_last_two_seconds_into_account_before_the_next_chunk():
    live = echoic.stream("attend", keep=["speech"], sample_rate=RATE)
    live.push(noise(RATE))
    live.change(keep=["rain"])
    assert live._state.separate.listen.network.common is not None


def test_a_state_of_another_network_is_refused(frames):
    _, state = load_signal_network("denoise", "speech")(frames)
    with pytest.raises(ParameterError, match="does not belong to this Specialists"):
        load_model()(frames, state)


@pytest.mark.parametrize(
    ("name", "words"), [("dennis", "'dennis' is not there"), ("hear", "not of speech")]
)
def test_a_specialist_that_is_none_is_refused(name, words):
    model = Model(replace(find_model("hear"), masks_from={"speech": name}))
    with pytest.raises(ModelError, match=words):
        model.prepare("own")
    with pytest.raises(ModelError, match=words):
        model.prepare("all")
    model.prepare("probabilities")


def test_stems_of_speech_add_up():
    wave = noise(16_000)
    module = Separate(labels=("speech", "rain"), sample_rate=RATE)
    signals, state = module(wave)
    signals = np.concatenate([signals, module.finish(state)], axis=-1)[..., module.delay :]
    np.testing.assert_allclose(signals.sum(axis=0), wave, atol=1e-6)
