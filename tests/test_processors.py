"""Processors: stems add up, streaming equals whole files, events match closed forms."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import echoic
from echoic import audio
from echoic.ear import Filterbank, Inverse
from echoic.errors import AudioWarning, LabelError, ParameterError
from echoic.pipeline import attend, denoise, hear, tag
from echoic.processors import ApplyMasks, Attend, Detect, Model, Separate, separate
from echoic.processors.events import (
    _SMOOTHING_S,
    BRIDGE_S,
    SHORTEST_EVENT_S,
    EventFinder,
    Smoother,
    find_events,
)
from echoic.processors.masks import DELAY_S
from echoic.processors.network import Heard
from echoic.processors.tag import rank
from echoic.runtime import find_model
from echoic.streaming import FrameClock, run

LABELS = find_model("hear").labels

RATE = 16_000
RATES = [8_000, 16_000, 44_100, 48_000, 96_000]
PAIR = ("speech", "rain")
STEP_S = 0.01
EARLIER_S = 0.04  # half of the smoothing window: events begin this much before their steps
LATER_S = 0.02  # and end this much after them
INAUDIBLE = 1e-15  # the kernels add some 1e-21 to avoid denormals


def scene(n_samples: int, *, rate: int = RATE, n_channels: int = 2) -> np.ndarray:
    """A voice-like tone that comes and goes in noise, other noise in each channel."""
    rng = np.random.default_rng(rate + n_channels)
    t = np.arange(n_samples) / rate
    tone = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * t), 0, None)
    noise = rng.standard_normal((n_channels, n_samples))
    return (0.1 * tone * syllables + 0.02 * noise).astype(np.float32)


def cut(wave: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    assert sum(lengths) == wave.shape[-1]
    return np.split(wave, np.cumsum(lengths)[:-1], axis=-1)


def even(n: int, length: int) -> list[int]:
    return [length] * (n // length) + ([n % length] if n % length else [])


def uneven(n: int, seed: int) -> list[int]:
    rng, lengths = np.random.default_rng(seed), []
    while sum(lengths) < n:
        length = int(rng.choice([0, 1, 7, 160, 4096, rng.integers(1, 2000)]))
        lengths.append(min(length, n - sum(lengths)))
    return lengths


def separated(blocks: list[np.ndarray], labels=PAIR, rate: int = RATE) -> np.ndarray:
    module = Separate(labels=labels, sample_rate=rate)
    return np.concatenate(list(run(module, blocks)), axis=-1)


def assert_adds_up(signals: list[np.ndarray] | np.ndarray, wave: np.ndarray) -> None:
    for signal in signals:
        assert signal.shape == wave.shape
        assert signal.dtype == np.float32
    residual = np.sum(signals, axis=0, dtype=np.float64) - wave
    peak = float(np.abs(wave).max())
    assert float(np.abs(residual).max()) <= 10 ** (-90 / 20) * peak


class MadeUpModel(Model):
    """Masks as a function of the last frame of a step: nothing rests on what was learned."""

    def __init__(self, gains_of) -> None:
        super().__init__(find_model("hear"))
        self.gains_of = gains_of

    def __call__(self, frames, state=None, *, want="all"):
        assert want != "probabilities"
        levels = frames[0] if state is None else np.concatenate([state, frames[0]], axis=1)
        n = self.frames_per_step
        n_whole = levels.shape[1] // n * n
        places = self.gains_of(levels[:, n - 1 : n_whole : n])
        return Heard(np.zeros((len(LABELS), 0), np.float32), places), levels[:, n_whole:]

    def masker(self, labels, examples=(), *, others=0.0, rest=1.0):
        rows = [*(LABELS.index(label) for label in labels), -1]

        def masks(places):
            asked = places[rows[:-1]] / np.maximum(places[rows].sum(axis=0), 1e-30)
            return np.concatenate([asked, 1 - asked.sum(axis=0, keepdims=True)])

        return masks


def all_to(label: str):
    def gains_of(levels: np.ndarray) -> np.ndarray:
        gains = np.zeros((len(LABELS) + 1, *levels.shape), np.float32)
        gains[LABELS.index(label)] = 1
        return gains

    return gains_of


def restless(levels: np.ndarray) -> np.ndarray:
    """Every label has its own level, in every band, at which it takes the most."""
    wanted = np.random.default_rng(5).random((len(LABELS) + 1, levels.shape[0], 1))
    shares = np.exp(-20 * np.abs(levels - wanted))
    return (shares / shares.sum(axis=0)).astype(np.float32)


@pytest.fixture
def made_up(monkeypatch):
    """Put a network of given gains in place."""

    def put(gains_of) -> None:
        monkeypatch.setattr(separate, "load_model", lambda _name: MadeUpModel(gains_of))

    return put


@pytest.fixture(params=["shipped", "made up"])
def any_network(request, made_up):
    """Once the shipped weights, once gains that surely move."""
    if request.param == "made up":
        made_up(restless)
    return request.param


# --- stems add up -----------------------------------------------------------------------------


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("rate", RATES)
def test_stems_add_up_at_every_rate(rate, n_channels):
    wave = scene(round(0.61 * rate), rate=rate, n_channels=n_channels)
    signals = separated(cut(wave, even(wave.shape[-1], 4_801)), rate=rate)
    assert signals.shape == (len(PAIR) + 1, *wave.shape)
    assert_adds_up(signals, wave)


@pytest.mark.parametrize("rate", RATES)
def test_a_hearing_adds_up_at_every_rate(rate):
    wave = scene(round(0.61 * rate), rate=rate)
    heard = hear(wave, sample_rate=rate, threshold=1e-4)
    assert len(heard.stems) > 1
    assert list(heard.stems)[-1] == "rest"
    assert set(heard.stems) == {event.label for event in heard.events} | {"rest"}
    assert_adds_up(list(heard.stems.values()), wave)
    n_frames = int(wave.shape[-1] / rate / 0.005)
    assert heard.cochleagram.shape == (64, n_frames) == (heard.center_hz.size, n_frames)


def test_a_hearing_of_one_channel_has_its_shape():
    wave = scene(8_001, n_channels=1)[0]
    assert_adds_up(list(hear(wave, sample_rate=RATE).stems.values()), wave)


@pytest.mark.parametrize("length", [1_001, 333, 24_000])
def test_stems_add_up_for_odd_blocks(any_network, length):
    wave = scene(9_999)
    assert_adds_up(separated(cut(wave, even(9_999, length))), wave)


def test_no_label_leaves_all_in_the_rest():
    wave = scene(4_000)
    np.testing.assert_array_equal(separated([wave], labels=()), wave[np.newaxis])


# --- masks ------------------------------------------------------------------------------------


def steps_of(masks: np.ndarray, rate: int, frames_per_step: int, n: int) -> np.ndarray:
    """The gains of every sample, (label, band, time), as the docstring of ApplyMasks says."""
    hop_s = 0.005 * frames_per_step
    ends = [int((k + 1) * round(rate * hop_s, 9)) for k in range(masks.shape[-1])]
    ramp = int(0.005 * rate)
    gains = np.zeros((*masks.shape[:2], n))
    before = np.zeros(masks.shape[:2])
    for k, (start, stop) in enumerate(zip(ends, [*ends[1:], n], strict=True)):
        done = np.minimum((np.arange(stop - start) + 1) / ramp, 1)
        gains[..., start:stop] = before[..., None] + (masks[..., k] - before)[..., None] * done
        before = masks[..., k]
    return gains


@pytest.mark.parametrize("frames_per_step", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
def test_masks_in_one_pass_equal_bank_inverse_and_gains(rate, frames_per_step):
    n = round(0.11 * rate)
    wave = scene(n, rate=rate, n_channels=1)
    rng = np.random.default_rng(1)
    n_steps = int(n / (rate * 0.005 * frames_per_step))
    masks = rng.random((3, 64, n_steps)).astype(np.float32)
    module = ApplyMasks(n_labels=3, frames_per_step=frames_per_step, sample_rate=rate)
    got, _ = module(wave, masks)

    subbands, _ = Filterbank.separating(sample_rate=rate)(wave[0])
    bands, _ = Inverse(sample_rate=rate, delay_s=DELAY_S)(subbands)
    everywhere = np.pad(masks, ((0, 0), (0, len(bands) - 64), (0, 0)), mode="edge")
    wanted = (steps_of(everywhere, rate, frames_per_step, n) * bands).sum(axis=1)
    assert np.abs(got[:-1, 0] - wanted).max() <= 1e-6 * np.abs(wanted).max()
    delayed = np.pad(wave, ((0, 0), (module.delay, 0)))[:, :n]
    np.testing.assert_allclose(got[-1], delayed - got[:-1].sum(axis=0), atol=1e-7)


def test_a_mask_acts_on_what_comes_out_after_it_is_known():
    module = ApplyMasks(n_labels=1, frames_per_step=2, sample_rate=RATE)
    wave = np.ones((1, 480), np.float32)  # three steps of 160 samples
    masks = np.ones((1, 64, 3), np.float32)
    changed = masks.copy()
    changed[..., 1] = 0
    one, other = (module(wave, gains)[0][0, 0] for gains in (masks, changed))
    assert not one[:160].any()
    assert one[160:168].any()
    np.testing.assert_array_equal(one[:320], other[:320])
    assert one[320] != other[320]


def test_looking_ahead_applies_the_mean_of_the_masks_to_the_input_of_the_first():
    """As if the means of each step and the next two were known two steps earlier."""
    wave = scene(160 * 40)
    masks = np.random.default_rng(0).random((1, 64, 40)).astype(np.float32)
    ahead = np.lib.stride_tricks.sliding_window_view(masks, 3, axis=-1).mean(axis=-1)
    held = np.concatenate([ahead, masks[..., -2:]], axis=-1)  # not compared
    of = {"n_labels": 1, "frames_per_step": 2, "sample_rate": RATE}
    module, plain = ApplyMasks(**of, look_ahead_s=0.02), ApplyMasks(**of)
    assert module.delay == plain.delay + 320
    late, _ = module(wave, masks)
    known, _ = plain(wave, held.astype(np.float32))
    n = 160 * 38  # as far as all three are known
    np.testing.assert_allclose(late[..., 640 : 320 + n], known[..., 320:n], atol=1e-6)


@pytest.mark.parametrize("look_ahead_s", [-0.01, 1.5, np.nan, "far"])
def test_a_look_ahead_out_of_range_is_refused(look_ahead_s):
    with pytest.raises(ParameterError, match="look_ahead_s="):
        Attend(keep=PAIR, sample_rate=RATE, look_ahead_s=look_ahead_s)


def test_masks_must_be_as_many_as_steps_that_end():
    module = ApplyMasks(n_labels=2, frames_per_step=1, sample_rate=RATE)
    wave = np.zeros((1, 161), np.float32)
    module(wave, np.zeros((2, 64, 2), np.float32))
    for shape in [(2, 64, 1), (2, 64, 3), (1, 64, 2), (2, 63, 2)]:
        with pytest.raises(ParameterError, match="do not fit 2 labels, 64 bands and the 2 steps"):
            module(wave, np.zeros(shape, np.float32))


def test_a_state_of_another_configuration_is_refused():
    wave = np.zeros((1, 10), np.float32)
    one = ApplyMasks(n_labels=1, frames_per_step=1, sample_rate=RATE)
    two = ApplyMasks(n_labels=2, frames_per_step=1, sample_rate=RATE)
    _, state = one(wave, np.zeros((1, 64, 0), np.float32))
    with pytest.raises(ParameterError, match="does not belong to this ApplyMasks"):
        two(wave, np.zeros((2, 64, 0), np.float32), state)


def test_shares_among_few_labels_are_theirs_and_the_rest_s_alone():
    model = Model(replace(find_model("hear"), masks_from={}))
    frames = np.random.default_rng(0).random((2, 64, 40)).astype(np.float32)
    heard, _ = model(frames)
    everyone = model.masker(model.labels)(heard.places)
    assert everyone.shape == (len(model.labels) + 1, 64, 40 // model.frames_per_step)
    np.testing.assert_allclose(everyone.sum(axis=0), 1, atol=1e-5)
    few = model.masker(PAIR)(heard.places)
    rows = [model.labels.index(label) for label in PAIR]
    np.testing.assert_allclose(few.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(few[0] * everyone[rows[1]], few[1] * everyone[rows[0]], atol=1e-5)
    assert (few[:-1] >= everyone[rows] - 1e-6).all()
    np.testing.assert_allclose(
        model.masker(PAIR, others=1.0)(heard.places)[:-1], everyone[rows], atol=1e-6
    )
    between = model.masker(PAIR, others=0.1)(heard.places)
    np.testing.assert_allclose(between.sum(axis=0), 1, atol=1e-5)
    assert (few[:-1] >= between[:-1] - 1e-6).all()
    assert (between[:-1] >= everyone[rows] - 1e-6).all()
    little = model.masker(PAIR, rest=0.1)(heard.places)
    np.testing.assert_allclose(little.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(little[-1] * few[0], 0.1 * few[-1] * little[0], atol=1e-6)


def test_a_label_does_not_compete_with_an_example_of_itself():
    """An example whose query is that of a label gets what the label gets."""
    model = Model(replace(find_model("hear"), masks_from={}))
    heard, _ = model(np.random.default_rng(0).random((2, 64, 40)).astype(np.float32))
    example = model._network._queries[LABELS.index("rain")]
    np.testing.assert_allclose(
        model.masker((), [example], others=1.0)(heard.places),
        model.masker(["rain"], others=1.0)(heard.places),
        atol=1e-6,
    )


# --- streaming equals whole files -------------------------------------------------------------


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([1] * 701, id="1"),
        pytest.param(even(6_007, 7), id="7"),
        pytest.param(even(16_013, 160), id="160"),
        pytest.param(even(16_013, 4_096), id="4096"),
        pytest.param(uneven(16_013, 0), id="uneven 0"),
        pytest.param(uneven(16_013, 1), id="uneven 1"),
    ],
)
def test_separate_in_chunks_equals_the_whole(any_network, lengths):
    wave = scene(sum(lengths))
    whole, streamed = separated([wave]), separated(cut(wave, lengths))
    assert whole.shape == streamed.shape
    assert np.abs(whole - streamed).max() <= 1e-6 * np.abs(wave).max()
    if any_network == "made up":
        assert np.abs(whole).max(axis=(1, 2)).min() > 1e-3  # no signal is silent


@pytest.mark.parametrize("selection", [{"keep": PAIR}, {"mute": PAIR}])
def test_attend_in_chunks_equals_the_whole(any_network, selection):
    wave = scene(16_013)
    whole = attend(wave, sample_rate=RATE, look_ahead_s=0.03, **selection)
    module = Attend(sample_rate=RATE, look_ahead_s=0.03, **selection)
    streamed = np.concatenate(list(run(module, cut(wave, uneven(16_013, 2)))), axis=-1)
    assert whole.shape == streamed.shape
    assert np.abs(whole - streamed).max() <= 1e-6 * np.abs(wave).max()


@pytest.mark.parametrize(
    "then", [{"keep": ["rain"]}, {"mute": PAIR}, {"keep": list(LABELS)}, {"mute": ["music"]}]
)
def test_the_selection_changes_without_a_click(made_up, then):
    """Of a steady tone: nothing may be added that changes faster than a ramp of 5 ms does."""
    made_up(restless)
    t = np.arange(RATE) / RATE
    wave = 0.5 * np.sin(2 * np.pi * 200 * t).astype(np.float32)[np.newaxis]
    live = echoic.stream("attend", keep=["speech"], sample_rate=RATE)
    at = 8_080  # within a step
    before = live.push(wave[:, :at])
    live.change(**then)
    out = np.concatenate([before, *(live.push(part) for part in np.split(wave[:, at:], 9, 1))], 1)
    # The tone itself changes by 0.04 per sample, a ramp from 0 to it adds 0.0125.
    steps = np.abs(np.diff(out[0]))
    assert steps[at - 200 : at + 2_000].max() < 0.06
    settled = echoic.stream("attend", sample_rate=RATE, **then).push(wave)
    np.testing.assert_allclose(out[:, at + 240 :], settled[:, at + 240 :], atol=1e-6)


def test_a_selection_that_changes_right_before_the_end_holds_to_it(made_up):
    made_up(all_to("speech"))
    wave = 0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)[np.newaxis]
    live = echoic.stream("attend", keep=["rain"], sample_rate=RATE)
    silent = live.push(wave)
    live.change(mute=["speech"])  # keeps nothing either
    assert np.abs(np.concatenate([silent[:, 8_000:], live.flush()], axis=1)).max() < 0.02


def test_what_both_selections_keep_has_no_gap_between_them(made_up):
    """From keeping all but one to muting that one: the mask of what is named turns over."""
    *others, last = LABELS
    made_up(all_to(others[0]))
    wave = 0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)[np.newaxis]
    live = echoic.stream("attend", keep=others, sample_rate=RATE)
    before = live.push(wave[:, :8_080])
    live.change(mute=[last])
    after = live.push(wave[:, 8_080:])
    power = (np.concatenate([before, after], axis=1)[0] ** 2).reshape(-1, 80).mean(axis=1)
    assert power[90:].min() > 0.8 * power[80:90].min()


def test_detection_in_blocks_equals_the_whole():
    wave = scene(16_013)
    detect = Detect(sample_rate=RATE)
    whole = np.concatenate(list(run(detect, [wave])), axis=-1)
    streamed = np.concatenate(list(run(detect, cut(wave, uneven(16_013, 3)))), axis=-1)
    assert (detect.labels, detect.step_s) == (LABELS, STEP_S)
    assert whole.shape == (len(LABELS), int(16_013 / RATE / STEP_S))
    np.testing.assert_allclose(streamed, whole, atol=1e-6)


# --- channels ---------------------------------------------------------------------------------


def test_equal_channels_give_equal_stems(made_up):
    made_up(restless)
    signals = separated([np.repeat(scene(8_001, n_channels=1), 2, axis=0)])
    np.testing.assert_array_equal(signals[:, 0], signals[:, 1])
    assert np.abs(signals[:-1]).max() > 1e-3


def test_a_silent_channel_stays_silent(made_up):
    made_up(restless)
    wave = scene(8_001)
    wave[1] = 0
    signals = separated([wave])
    assert np.abs(signals[:, 1]).max() < INAUDIBLE
    assert np.abs(signals[:-1, 0]).max() > 1e-3


def test_channels_share_their_gains(made_up):
    made_up(restless)
    wave = scene(8_001, n_channels=1)
    signals = separated([np.concatenate([wave, -0.5 * wave])])
    difference = signals[:, 1] + 0.5 * signals[:, 0]
    assert np.abs(difference).max() <= 1e-6 * np.abs(wave).max()


# --- delay and selection ----------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_delay_is_8_ms(rate):
    module = Separate(labels=PAIR, sample_rate=rate)
    assert module.delay == round(DELAY_S * rate)
    assert Attend(keep=PAIR, sample_rate=rate).delay == module.delay


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_a_label_that_gets_everything_gets_the_input_in_place(made_up, rate):
    made_up(all_to("speech"))
    wave = scene(round(0.4 * rate), rate=rate)
    stem, muted = (attend(wave, sample_rate=rate, **{key: ["speech"]}) for key in ("keep", "mute"))
    heard = slice(round(0.02 * rate), None)  # the first gains ramp up from 0
    error = np.sum(np.square((stem - wave)[:, heard])) / np.sum(np.square(wave[:, heard]))
    assert 10 * np.log10(error) < -50
    np.testing.assert_allclose(muted, wave - stem, atol=1e-6)


def test_muting_what_is_not_there_changes_nothing(made_up):
    made_up(all_to("speech"))
    wave = scene(8_001)
    np.testing.assert_array_equal(attend(wave, mute=["rain"], sample_rate=RATE), wave)
    assert not attend(wave, keep=["rain"], sample_rate=RATE).any()


@pytest.mark.parametrize(("share", "gain"), [(0.3, 1.0), (0.65, 0.5), (0.95, 0.0)])
def test_muting_leaves_whole_what_is_mostly_something_else(made_up, share, gain):
    def gains_of(levels: np.ndarray) -> np.ndarray:
        gains = share * all_to("rain")(levels)
        gains[-1] = 1 - share
        return gains

    made_up(gains_of)
    wave = scene(8_001)
    muted = attend(wave, mute=["rain"], sample_rate=RATE)
    steady = slice(round(0.03 * RATE), None)  # before the first mask everything stays
    np.testing.assert_allclose(muted[:, steady], gain * wave[:, steady], atol=1e-3)


@pytest.mark.parametrize("selection", [{"keep": PAIR}, {"mute": PAIR}])
def test_what_is_selected_and_the_rest_add_up(any_network, selection):
    wave = scene(8_001)
    module = Attend(**selection, sample_rate=RATE).separate
    assert_adds_up(np.concatenate([*run(module, [wave])], axis=-1), wave)


def test_what_is_asked_for_too_takes_nothing_from_the_rest_of_the_scene(made_up):
    """Who else is asked for shares; nobody gets more by it."""
    made_up(restless)
    wave = scene(8_001)
    (alone, rest), (speech, rain, left) = (separated([wave], who) for who in (("rain",), PAIR))
    np.testing.assert_allclose(alone + rest, speech + rain + left, atol=1e-6)
    assert np.square(rain).sum() < np.square(alone).sum()
    assert np.square(left).sum() < np.square(rest).sum()


# --- events -----------------------------------------------------------------------------------


def events_of(*rows: list[tuple[int, float]], threshold=0.5, duration_s: float = 1e9):
    """Events of probabilities given as (steps, value) pieces, one row a label."""
    probabilities = [
        np.concatenate([np.full(n, value, np.float32) for n, value in row]) for row in rows
    ]
    names = "abc"[: len(rows)]
    thresholds = threshold if isinstance(threshold, dict) else dict.fromkeys(names, threshold)
    return find_events(
        np.stack(probabilities),
        labels=names,
        threshold=thresholds,
        step_s=STEP_S,
        duration_s=duration_s,
    )


def test_a_probability_that_just_reaches_the_threshold_is_an_event_in_its_place():
    # The average exceeds a tenth of the threshold once one of its nine steps lies inside, and three
    # tenths as long as three do.
    (event,) = events_of([(50, 0), (100, 0.5), (50, 0)])
    assert (event.label, event.confidence) == ("a", 0.5)
    assert (event.onset_s, event.offset_s) == (50 * STEP_S - EARLIER_S, 150 * STEP_S + LATER_S)
    assert events_of([(50, 0), (100, 0.499), (50, 0)]) == []


@pytest.mark.parametrize(
    ("beside", "onset_s", "offset_s"),
    [(0.2, 0.5, 1.8), (0.1, 0.5, 1.3), (0.04, 1.0, 1.3), (0.02, 1.0, 1.3)],
)
def test_an_event_has_its_edges_at_fractions_of_its_threshold(beside, onset_s, offset_s):
    (event,) = events_of([(50, 0), (50, beside), (30, 0.6), (50, beside), (50, 0)])
    edges_s = event.onset_s, event.offset_s
    assert edges_s == pytest.approx((onset_s, offset_s), abs=_SMOOTHING_S / 2)
    assert event.confidence == 0.6
    assert events_of([(50, 0), (100, beside), (50, 0)]) == []


@pytest.mark.parametrize(("between", "n_events"), [(0.03, 1), (0.02, 2)])
def test_an_event_lasts_above_a_twentieth_of_its_threshold(between, n_events):
    assert len(events_of([(50, 0), (50, 0.6), (80, between), (50, 0.6), (50, 0)])) == n_events


def test_gaps_under_the_bridge_lie_within_one_event():
    n_bridge = round((BRIDGE_S + EARLIER_S + LATER_S) / STEP_S)
    for n_gap, n_events in [(n_bridge - 1, 1), (n_bridge, 2), (n_bridge + 1, 2)]:
        events = events_of([(40, 0), (50, 0.5), (n_gap, 0), (50, 0.5), (40, 0)])
        assert len(events) == n_events
        assert events[0].onset_s == pytest.approx(40 * STEP_S - EARLIER_S)
        assert events[-1].offset_s == pytest.approx((140 + n_gap) * STEP_S + LATER_S)


def test_the_gap_between_clock_ticks_is_no_bridge():
    """Row "detect": gaps of 0.65 s were one event; where the probability falls, they are not."""
    n_gap = round(0.65 / STEP_S)
    tick, gap = (12, 0.9), (n_gap, 0.02)
    ticks = events_of([(40, 0), tick, gap, tick, gap, tick, (40, 0)])
    assert len(ticks) == 3
    gaps = [b.onset_s - a.offset_s for a, b in pairwise(ticks)]
    assert gaps == pytest.approx([0.65, 0.65], abs=_SMOOTHING_S)


def test_a_bridge_joins_only_what_is_heard_itself():
    (event,) = events_of([(40, 0), (50, 0.5), (24, 0), (50, 0.3), (40, 0)])
    assert event.offset_s == pytest.approx(90 * STEP_S + LATER_S)


def test_offsets_end_with_the_file_and_short_events_are_dropped():
    for first in range(20, 80):
        onset_s = first * STEP_S - EARLIER_S
        pieces = [(first, 0.0), (100, 0.5)]
        (event,) = events_of(pieces, duration_s=onset_s + 0.1)
        assert event.offset_s - event.onset_s == pytest.approx(SHORTEST_EVENT_S)
        assert events_of(pieces, duration_s=onset_s + 0.099) == []
        (event,) = events_of(pieces, duration_s=onset_s + 0.1234)
        assert event.offset_s == pytest.approx(onset_s + 0.1234, abs=0.0006)


def test_events_come_in_order_of_onset_then_label():
    late, early = [(60, 0.0), (40, 0.9), (80, 0.0)], [(20, 0.0), (40, 0.7), (120, 0.0)]
    twice = [(20, 0.0), (30, 0.7), (60, 0.0), (30, 0.8), (40, 0.0)]
    events = events_of(late, early, twice)
    assert [event.label for event in events] == ["b", "c", "a", "c"]
    assert [event.confidence for event in events] == [0.7, 0.7, 0.9, 0.8]


def test_every_label_has_its_own_threshold():
    row = [(50, 0.0), (100, 0.4), (50, 0.0)]
    assert [e.label for e in events_of(row, row, threshold={"a": 0.3, "b": 0.5})] == ["a"]


def test_no_step_no_event():
    nothing = np.zeros((12, 0), np.float32)
    thresholds = dict.fromkeys(LABELS, 0.5)
    assert (
        find_events(nothing, labels=LABELS, threshold=thresholds, step_s=STEP_S, duration_s=0.01)
        == []
    )


def smooth(probabilities: np.ndarray, lengths: tuple[int, ...] = ()) -> np.ndarray:
    smoother = Smoother(step_s=STEP_S)
    blocks = np.split(probabilities, np.cumsum(lengths, dtype=int), axis=1)
    return np.concatenate([*map(smoother.add, blocks), smoother.finish()], axis=1)


@pytest.mark.parametrize("lengths", [(1, 0, 3), (100, 1, 1, 1), (7,) * 100, (500, 400)])
def test_events_are_the_same_from_any_blocks(lengths):
    rng = np.random.default_rng(len(lengths))
    slow = np.repeat(rng.random((12, 50), dtype=np.float32) ** 3, 20, axis=1)
    probabilities = slow * rng.uniform(0.8, 1, slow.shape).astype(np.float32)
    rules = {
        "labels": LABELS[:12],
        "threshold": dict(zip(LABELS, np.linspace(0.1, 0.9, 12), strict=False)),
        "step_s": STEP_S,
    }
    finder = EventFinder(**rules)
    for block in np.split(probabilities, np.cumsum(lengths), axis=1):
        finder.add(block)
    whole = find_events(probabilities, duration_s=19.9, **rules)
    assert finder.finish(duration_s=19.9) == whole
    assert len(whole) > 12
    np.testing.assert_allclose(smooth(probabilities, lengths), smooth(probabilities), atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_smoothing_keeps_constants(n):
    np.testing.assert_allclose(
        smooth(np.full((2, n), 0.3, np.float32)), np.full((2, n), 0.3), rtol=1e-6
    )


def test_smoothing_is_centred_and_as_wide_as_it_says():
    click = np.zeros((1, 51), np.float32)
    click[0, 25] = 1
    smoothed = smooth(click)[0]
    np.testing.assert_allclose(smoothed, smoothed[::-1], atol=1e-7)
    assert smoothed.sum() == pytest.approx(1, abs=1e-6)
    assert np.count_nonzero(smoothed > 1e-6) * STEP_S == pytest.approx(_SMOOTHING_S, abs=STEP_S)


# --- tags -------------------------------------------------------------------------------------


def test_rank_is_by_the_highest_moment_best_first():
    probabilities = np.zeros((3, 100), np.float32)
    probabilities[0] = 0.3
    probabilities[1, 40:70] = 0.9
    assert rank([probabilities], ("a", "b", "c"), step_s=STEP_S) == [
        ("b", 0.9),
        ("a", 0.3),
        ("c", 0.0),
    ]
    assert rank([], ("a", "b"), step_s=STEP_S) == [("a", 0.0), ("b", 0.0)]


@pytest.mark.parametrize("n_samples", [2, 50, 8_001])
def test_tags_are_all_labels_best_first(n_samples):
    tags = tag(scene(n_samples), sample_rate=RATE)
    assert sorted(label for label, _ in tags) == sorted(LABELS)
    confidence = [value for _, value in tags]
    assert confidence == sorted(confidence, reverse=True)
    assert all(0 <= value <= 1 for value in confidence)


# --- bad and unusual input --------------------------------------------------------------------


@pytest.mark.parametrize("n_samples", [2, 79, 80, 321])
def test_very_short_waves_are_heard(n_samples):
    wave = scene(n_samples, n_channels=2) + np.float32(0.1)
    assert_adds_up(list(hear(wave, sample_rate=RATE).stems.values()), wave)
    assert_adds_up(separated([wave]), wave)
    assert attend(wave, mute=PAIR, sample_rate=RATE).shape == wave.shape


@pytest.mark.parametrize("n_samples", [1, 100, 3 * RATE])
def test_silence_has_no_event_and_silent_stems(n_samples):
    heard = hear(np.zeros(n_samples, np.float32), sample_rate=RATE)
    assert heard.events == []
    assert heard.stems["rest"].shape == (n_samples,)
    assert not heard.stems["rest"].any()
    assert (heard._repr_png_() is None) == (n_samples < 0.005 * RATE)  # of one frame
    signals = separated([np.zeros((2, n_samples), np.float32)])
    assert np.abs(signals).max() < INAUDIBLE


def test_what_is_not_finite_is_taken_as_zero():
    wave = scene(4_001)
    wave[0, 1_000:1_003] = np.nan, np.inf, -np.inf
    mended = np.where(np.isfinite(wave), wave, 0)
    with pytest.warns(AudioWarning, match="3 samples are NaN or infinite"):
        signals = list(hear(wave, sample_rate=RATE).stems.values())
    assert_adds_up(signals, mended)
    with pytest.warns(AudioWarning, match="3 samples are NaN or infinite"):
        found = separated([wave])
    np.testing.assert_array_equal(found, separated([mended]))


VERBS = {
    "hear": hear,
    "tag": tag,
    "attend": lambda wave, **options: attend(wave, keep=["rain"], **options),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("wave", "words"),
    [
        (np.zeros((2, 3, 400), np.float32), r"\(2, 3, 400\)"),
        (np.zeros(0, np.float32), r"\(0,\)"),
        (np.zeros((0, 400), np.float32), r"\(0, 400\)"),
        (np.float32(1)[...], r"\(\)"),
        (np.zeros(400, np.int16), "int16"),
        (np.zeros(400, complex), "complex"),
        ([0.0, 0.1], "list"),
        (None, "NoneType"),
    ],
    ids=["3 axes", "no sample", "no channel", "no axis", "ints", "complex", "list", "None"],
)
def test_what_is_not_a_wave_is_refused(verb, wave, words):
    with pytest.raises(ParameterError, match=words):
        VERBS[verb](wave, sample_rate=RATE)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("rate", [0, -1, 7_999, 192_001, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_heard_is_refused(verb, rate):
    with pytest.raises(ParameterError, match=f"sample_rate={rate}"):
        VERBS[verb](np.zeros(400, np.float32), sample_rate=rate)


def test_labels_and_selections_are_checked():
    wave = np.zeros(400, np.float32)
    with pytest.raises(LabelError, match="unknown label 'moose'; known: dog_bark"):
        attend(wave, keep=["rain", "moose"], sample_rate=RATE)
    with pytest.raises(LabelError, match="unknown label 'rest'"):
        Separate(labels=("rest",), sample_rate=RATE)
    with pytest.raises(LabelError, match="twice"):
        attend(wave, mute=["rain", "rain"], sample_rate=RATE)
    for selection in ({}, {"keep": ["rain"], "mute": ["speech"]}):
        with pytest.raises(ParameterError, match="one of keep, mute and like"):
            attend(wave, sample_rate=RATE, **selection)


@pytest.mark.parametrize("shape", [(400,), (1, 2, 400)])
def test_streams_take_channels_and_time(shape):
    with pytest.raises(ParameterError, match=r"is not \(channel, time\)"):
        Separate(labels=PAIR, sample_rate=RATE)(np.zeros(shape, np.float32))


# --- independence of torch --------------------------------------------------------------------


def test_hearing_needs_no_torch(tmp_path):
    audio.write(tmp_path / "a.wav", scene(4_000), sample_rate=RATE)
    code = (
        "import json, sys, echoic\n"
        "from echoic.cli import main\n"
        "sys.argv = ['echoic', 'hear', 'a.wav', '--json']\n"
        "try:\n    main()\n"
        "except SystemExit as left:\n    assert not left.code\n"
        "learning = {'torch', 'onnx', 'onnxscript', 'tensorboard'}\n"
        "print(json.dumps(sorted(learning & set(sys.modules))), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["file"] == "a.wav"
    assert json.loads(done.stderr) == []
    assert (tmp_path / "a.hearing" / "report.html").is_file()


def test_the_face_offers_what_processors_do():
    assert (echoic.hear, echoic.attend, echoic.tag) == (hear, attend, tag)
    assert echoic.denoise == denoise


# --- streams by name --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 32), (9, 0), (9, 4), (32, 1)])
def test_chunks_may_have_more_channels_than_samples(shape):
    live = echoic.stream("denoise", sample_rate=RATE)
    assert live.push(np.zeros(shape, np.float32)).shape == shape


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda live: pickle.loads(pickle.dumps(live))])
@pytest.mark.parametrize(
    ("processor", "options"),
    [
        ("attend", {"keep": ["speech"]}),
        ("attend", {"mute": ["rain"]}),
        ("denoise", {}),
        ("detect", {}),
        ("separate", {"labels": PAIR}),
        ("voices", {}),
    ],
)
def test_the_copy_of_a_stream_goes_on_as_the_stream_does(processor, options, copied):
    live = echoic.stream(processor, sample_rate=RATE, **options)
    first, second = np.split(scene(4_000), 2, axis=-1)
    live.push(first)
    other = copied(live)
    expected = live.push(second)
    np.testing.assert_array_equal(other.push(second), expected)
    np.testing.assert_array_equal(other.flush(), live.flush())


def test_a_stream_keeps_its_look_ahead_when_options_change():
    live = echoic.stream("attend", keep=["rain"], sample_rate=RATE, look_ahead_s=0.04)
    live.push(np.zeros((1, 900), np.float32))
    live.change(mute=["music"])
    assert live.latency_s == pytest.approx(DELAY_S + 0.04)
    assert live.push(np.zeros((1, 900), np.float32)).shape == (1, 900)


def test_a_long_chunk_gives_what_short_ones_give():
    wave = scene(3 * RATE)
    whole, parts = (echoic.stream("denoise", sample_rate=RATE) for _ in range(2))
    pushed = np.concatenate([parts.push(part) for part in np.split(wave, 10, axis=-1)], axis=-1)
    np.testing.assert_allclose(whole.push(wave), pushed, atol=1e-6)


@pytest.mark.parametrize(
    ("processor", "options", "then", "words"),
    [
        ("attend", {"keep": "rain"}, {"look_ahead_s": 0.5}, "look_ahead_s of a stream"),
        ("attend", {"keep": "rain"}, {"sample_rate": 8_000}, "sample_rate of a stream"),
        ("separate", {"labels": PAIR}, {"labels": PAIR[:1]}, "separate with other labels cannot"),
    ],
)
def test_a_change_that_is_none_is_said(processor, options, then, words):
    live = echoic.stream(processor, sample_rate=RATE, **options)
    live.push(np.zeros((1, 80), np.float32))
    with pytest.raises(ParameterError, match=words):
        live.change(**then)


def test_a_stream_says_what_its_rows_and_steps_are():
    separate = echoic.stream("separate", labels=PAIR, sample_rate=RATE)
    assert separate.labels == (*PAIR, "rest")
    assert separate.step_s == 1 / RATE
    detect = echoic.stream("detect", sample_rate=RATE)
    rows, steps = detect.push(np.zeros((1, RATE), np.float32)).shape
    assert len(detect.labels) == rows
    assert detect.step_s == pytest.approx(1 / steps)
    assert echoic.stream("denoise", sample_rate=RATE).labels == ()
    with pytest.raises(ParameterError, match="no option 'together'"):
        echoic.stream("separate", labels=PAIR, together=True, sample_rate=RATE)


@pytest.mark.parametrize("keep", [np.array(["rain", "wind"]), iter(["rain", "wind"])])
def test_labels_may_come_in_any_iterable(keep):
    wave = scene(4_000)
    expected = attend(wave, keep=["rain", "wind"], sample_rate=RATE)
    np.testing.assert_array_equal(attend(wave, keep=keep, sample_rate=RATE), expected)


def test_what_is_no_label_is_refused():
    with pytest.raises(ParameterError, match="labels 5 are neither a label nor several"):
        attend(scene(4_000), keep=5, sample_rate=RATE)


def test_none_asks_for_nothing():
    wave = scene(4_000)
    np.testing.assert_array_equal(
        attend(wave, keep=None, mute="rain", sample_rate=RATE),
        attend(wave, mute="rain", sample_rate=RATE),
    )


def test_a_stream_refuses_exchanged_axes_and_other_channels():
    live = echoic.stream("denoise", sample_rate=RATE)
    with pytest.raises(ParameterError, match=r"shape \(480, 2\) has its axes exchanged"):
        live.push(np.zeros((480, 2), np.float32))
    with pytest.raises(ParameterError, match=r"shape \(480,\) is not \(channel, time\)"):
        live.push(np.zeros(480, np.float32))
    for chunk, words in (
        ([0.0], "chunk must be a numpy array, not builtins.list"),
        (np.zeros((1, 9), np.int16), "divide it by 32768"),
    ):
        with pytest.raises(ParameterError, match=words):
            live.push(chunk)
    live.push(np.zeros((2, 1), np.float32))  # one sample of stereo
    with pytest.raises(ParameterError, match="chunk has 1 channels, the stream 2"):
        live.push(np.zeros((1, 480), np.float32))
    live.flush()
    assert live.push(np.zeros((1, 480), np.float32)).shape == (1, 480)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 47685.62822710167, 22050.123456789])
def test_a_step_is_a_whole_number_of_frames_at_any_rate(rate):
    frames = FrameClock(sample_rate=rate, hop_s=0.005)
    steps = FrameClock(sample_rate=rate, hop_s=0.005, n_hops=2)
    for n_samples in (*range(0, 2_000, 7), 554_105, 554_106, 10_000_000):
        assert steps.n_frames(n_samples) == frames.n_frames(n_samples) // 2
