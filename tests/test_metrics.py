"""Metrics against closed forms, counts by hand, a second formula and another library."""

from __future__ import annotations

import itertools
import math
import time

import mir_eval
import numpy as np
import pytest

from echoic.errors import LabelError, ParameterError
from echoic.events import Event
from echoic.metrics import (
    DetectionCounts,
    event_f1,
    is_true,
    label_set_f1,
    segment_f1,
    si_sdr_db,
    si_sdr_improvement_db,
)

LABELS = ("dog_bark", "rain", "speech")


def orthogonal_pair(n_samples: int = 1600) -> tuple[np.ndarray, np.ndarray]:
    """Two sounds of equal energy, zero mean, and nothing in common."""
    phase = 2 * np.pi * np.arange(n_samples) / 16
    return np.sin(phase), np.cos(phase)


# Stems -------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr_db", [-20.0, 0.0, 6.0, 40.0])
def test_orthogonal_noise_gives_its_own_snr(snr_db):
    reference, noise = orthogonal_pair()
    assert si_sdr_db(reference + noise * 10 ** (-snr_db / 20), reference) == pytest.approx(snr_db)


@pytest.mark.parametrize("scale", [1e-4, -0.3, 1.0, 250.0])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_scale_and_offset_change_nothing(scale, offset):
    rng = np.random.default_rng(0)
    reference, estimate = rng.standard_normal((2, 1000))
    expected = si_sdr_db(estimate, reference)
    assert si_sdr_db(scale * estimate + offset, reference) == pytest.approx(expected)
    assert si_sdr_db(estimate, scale * reference + offset) == pytest.approx(expected)


def test_silence_has_the_documented_values():
    sound, noise = orthogonal_pair()
    silence, constant = np.zeros_like(sound), np.full_like(sound, 0.1)
    assert si_sdr_db(silence, sound) == -math.inf
    assert si_sdr_db(sound, silence) == -math.inf
    assert si_sdr_db(silence, silence) == math.inf
    assert si_sdr_db(constant, sound) == -math.inf
    assert si_sdr_db(constant, silence) == math.inf
    assert si_sdr_db(noise, sound) == -math.inf
    assert si_sdr_db(-2 * sound, sound) == math.inf
    assert si_sdr_db(silence, sound, cap_db=50.0) == -50.0
    assert si_sdr_db(sound, sound, cap_db=50.0) == 50.0


def test_leading_axes_are_items_and_broadcast():
    rng = np.random.default_rng(1)
    estimates, reference = rng.standard_normal((2, 3, 500)), rng.standard_normal((3, 500))
    found = si_sdr_db(estimates, reference)
    assert found.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert found[i, j] == pytest.approx(si_sdr_db(estimates[i, j], reference[j]))


def test_a_mask_is_a_cut():
    rng = np.random.default_rng(2)
    estimate, reference, mixture = rng.standard_normal((3, 800)) + 1.0
    where = rng.random(800) < 0.3
    cut = (estimate[where], reference[where], mixture[where])
    assert si_sdr_db(estimate, reference, where=where) == pytest.approx(si_sdr_db(*cut[:2]))
    assert si_sdr_improvement_db(estimate, reference, mixture, where=where) == pytest.approx(
        si_sdr_improvement_db(*cut)
    )


def test_improvement_is_the_difference_within_its_cap():
    sound, noise = orthogonal_pair()
    mixture = sound + noise
    assert si_sdr_improvement_db(sound + 0.1 * noise, sound, mixture) == pytest.approx(20.0)
    assert si_sdr_improvement_db(0.5 * mixture, sound, mixture) == pytest.approx(0.0)
    assert si_sdr_improvement_db(sound, sound, mixture) == math.inf
    assert si_sdr_improvement_db(np.zeros_like(sound), sound, mixture) == -math.inf
    assert si_sdr_improvement_db(np.zeros_like(sound), sound, mixture, cap_db=30.0) == -30.0
    assert si_sdr_improvement_db(sound, sound, mixture, cap_db=12.0) == 12.0
    assert si_sdr_improvement_db(sound, sound, sound) == 0.0


def test_si_sdr_equals_the_other_form_of_it():
    """With the correlation ρ of the two, SI-SDR is ρ² / (1 − ρ²)."""
    rng = np.random.default_rng(3)
    reference = rng.standard_normal(4000)
    estimate = reference + 0.4 * rng.standard_normal(4000)
    rho = np.corrcoef(estimate, reference)[0, 1]
    assert si_sdr_db(estimate, reference) == pytest.approx(10 * np.log10(rho**2 / (1 - rho**2)))


def test_float32_is_computed_in_float64():
    sound, noise = orthogonal_pair()
    estimate = (sound + 1e-5 * noise).astype(np.float32)
    assert si_sdr_db(estimate, sound.astype(np.float32)) == pytest.approx(100.0, abs=0.5)


@pytest.mark.parametrize(
    ("estimate", "reference", "options", "message"),
    [
        (np.ones(3), np.ones(4), {}, r"\(3,\).*\(4,\)"),
        (np.array(1.0), np.array(1.0), {}, r"\(\)"),
        (np.ones(0), np.ones(0), {}, "no sample"),
        (np.ones((2, 4)), np.ones((3, 4)), {}, r"\(2, 4\).*\(3, 4\)"),
        (np.array([1.0, np.nan]), np.ones(2), {}, "not finite"),
        (np.ones(2), np.ones(2), {"where": np.zeros(2, bool)}, "no sample"),
        (np.ones(2), np.ones(2), {"where": np.ones(2)}, "float64"),
        (np.ones(2), np.ones(2), {"where": np.ones(3, bool)}, r"\(3,\)"),
        (np.ones(2), np.ones(2), {"cap_db": 0.0}, "cap_db=0.0"),
    ],
)
def test_stems_that_cannot_be_compared_are_refused(estimate, reference, options, message):
    with pytest.raises(ParameterError, match=message):
        si_sdr_db(estimate, reference, **options)
    with pytest.raises(ParameterError, match=message):
        si_sdr_improvement_db(estimate, reference, reference, **options)


# Events ------------------------------------------------------------------------------------

TRUTH = [Event("dog_bark", 0.5, 1.2), Event("dog_bark", 4.0, 4.3), Event("rain", 2.0, 10.0)]
MEASURES = {
    "set": lambda truth, found: label_set_f1(truth, found, labels=LABELS),
    "segment": lambda truth, found: segment_f1(truth, found, labels=LABELS, duration_s=10.0),
    "event": lambda truth, found: event_f1(truth, found, labels=LABELS),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_the_truth_is_perfect_and_other_labels_are_all_wrong(measure):
    perfect = measure(TRUTH, TRUTH)
    assert perfect.f1 == perfect.macro_f1 == perfect.precision == perfect.recall == 1.0
    assert math.isnan(perfect.f1_of("speech"))
    wrong = measure(TRUTH, [Event("speech", e.onset_s, e.offset_s) for e in TRUTH])
    assert wrong.f1 == wrong.macro_f1 == wrong.precision == wrong.recall == 0.0
    silent = measure(TRUTH, [])
    assert silent.f1 == silent.recall == 0.0
    assert math.isnan(silent.precision)
    assert math.isnan(measure([], []).f1)
    assert math.isnan(measure([], []).macro_f1)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_swapping_the_sides_swaps_false_alarms_and_misses(measure):
    found = [Event("rain", 1.0, 3.0), Event("speech", 0.0, 0.5), Event("dog_bark", 0.4, 1.3)]
    there, back = measure(TRUTH, found), measure(found, TRUTH)
    assert (there.tp, there.fp, there.fn) == (back.tp, back.fn, back.fp)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_unknown_labels_and_reversed_events_are_refused(measure):
    with pytest.raises(LabelError, match="'whale'"):
        measure(TRUTH, [Event("whale", 0.0, 1.0)])
    with pytest.raises(ParameterError, match=r"onset_s=2\.0"):
        measure([Event("rain", 2.0, 1.0)], TRUTH)


def test_labels_may_be_one_or_a_generator_but_not_twice():
    """A text became the labels "r", "a", "i", "n", and a label given twice counted twice."""
    rain = [Event("rain", 0.0, 1.0)]
    assert label_set_f1(rain, rain, labels="rain") == DetectionCounts(("rain",), (1,), (0,), (0,))
    assert label_set_f1(TRUTH, TRUTH, labels=(label for label in LABELS)).labels == LABELS
    with pytest.raises(LabelError, match="given twice: rain rain"):
        event_f1(rain, rain, labels=["rain", "rain"])


def test_an_event_without_length_is_not_there():
    found = [Event("rain", 1.5, 1.5), Event("rain", 2.0, 2.0)]
    counts = segment_f1([], found, labels=LABELS, duration_s=10.0)
    assert counts == DetectionCounts(LABELS, (0, 0, 0), (0, 0, 0), (0, 0, 0))
    for event in found:
        assert not is_true(event, [])
        assert not is_true(event, [Event("rain", 0.0, 5.0)])


def test_segments_counted_by_hand():
    # Segments of the truth: barks in 0, 1 and 4, rain in 2 to 9; found: bark 0, rain 9, speech 3.
    found = [Event("dog_bark", 0.0, 1.0), Event("rain", 9.5, 12.0), Event("speech", 3.9, 4.0)]
    counts = segment_f1(TRUTH, found, labels=LABELS, duration_s=10.0)
    assert counts == DetectionCounts(LABELS, tp=(1, 1, 0), fp=(0, 0, 1), fn=(2, 7, 0))
    assert counts.f1 == pytest.approx(2 * 2 / (2 * 2 + 1 + 9))
    assert counts.f1_of("dog_bark") == pytest.approx(0.5)
    assert counts.f1_of("rain") == pytest.approx(2 / 9)
    assert counts.macro_f1 == pytest.approx((0.5 + 2 / 9 + 0) / 3)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(2 / 11)


def test_segment_borders_are_not_crossed_by_rounding():
    assert 3 * 0.1 > 0.3
    truth, found = [Event("rain", 0.0, 3 * 0.1)], [Event("rain", 3 * 0.1, 0.6)]
    counts = segment_f1(truth, found, labels=["rain"], duration_s=1.0, segment_s=0.1)
    assert counts == DetectionCounts(("rain",), (0,), (3,), (3,))


def test_nothing_counts_behind_the_end_and_the_last_segment_may_be_short():
    truth, found = [Event("rain", 0.0, 2.5)], [Event("rain", 2.1, 9.0)]
    counts = segment_f1(truth, found, labels=["rain"], duration_s=2.5)
    assert counts == DetectionCounts(("rain",), (1,), (0,), (2,))


def test_label_sets_counted_by_hand():
    found = [Event("rain", 0.0, 0.1), Event("rain", 1.0, 1.1), Event("speech", 0.0, 9.0)]
    counts = label_set_f1(TRUTH, found, labels=LABELS)
    assert counts == DetectionCounts(LABELS, tp=(0, 1, 0), fp=(0, 0, 1), fn=(1, 0, 0))


@pytest.mark.parametrize(
    ("onset_s", "offset_s", "fits"),
    [
        (1.2, 2.0, True),  # the boundary is included
        (1.21, 2.0, False),
        (0.8, 1.8, True),
        (1.0, 2.21, False),  # 20 % of 1 s does not exceed the collar
    ],
)
def test_collars_of_a_short_event(onset_s, offset_s, fits):
    found = [Event("rain", onset_s, offset_s)]
    assert event_f1([Event("rain", 1.0, 2.0)], found, labels=["rain"]).tp == (int(fits),)


def test_long_events_may_end_a_fifth_of_their_length_off():
    truth = [Event("rain", 0.0, 5.0)]
    assert event_f1(truth, [Event("rain", 0.0, 6.0)], labels=["rain"]).tp == (1,)
    assert event_f1(truth, [Event("rain", 0.0, 6.01)], labels=["rain"]).tp == (0,)


def test_matching_is_the_best_one_and_uses_each_event_once():
    # Greedy matching in order would give the first bark the only partner of the second.
    truth = [Event("dog_bark", 1.0, 2.0), Event("dog_bark", 0.7, 1.7)]
    found = [Event("dog_bark", 0.85, 1.85), Event("dog_bark", 1.15, 2.15)]
    for order in itertools.permutations(truth):
        assert event_f1(order, found, labels=LABELS).tp == (2, 0, 0)
        assert event_f1(order, found[:1], labels=LABELS).tp == (1, 0, 0)


def test_a_long_chain_of_events_is_matched():
    chain = [Event("rain", 0.15 * k, 0.15 * k + 0.1) for k in range(1500)]
    assert event_f1(chain, chain, labels=LABELS).f1 == 1


def test_events_are_compared_with_those_near_them_only():
    """A pair at a time, 20,000 events of a label would take over a minute."""
    events = [Event("rain", 0.5 * k, 0.5 * k + 0.25) for k in range(20_000)]
    start = time.process_time()
    assert event_f1(events, events[::-1], labels="rain").f1 == 1.0
    assert time.process_time() - start < 5


def test_half_of_an_event_is_true_however_often_that_half_is_named():
    event, quarter = Event("rain", 0.0, 2.0), Event("rain", 1.5, 2.0)
    assert not is_true(event, [quarter, quarter])
    assert is_true(event, [quarter, Event("rain", 1.0, 1.6)])


def test_event_f1_agrees_with_mir_eval_on_notes_of_one_pitch():
    rng = np.random.default_rng(4)
    for _ in range(20):
        sides = []
        for n_events in rng.integers(1, 12, 2):
            onsets = rng.uniform(0, 5, n_events)
            sides.append(np.stack([onsets, onsets + rng.uniform(0.05, 2.5, n_events)], axis=1))
        events = [[Event("rain", *row) for row in side.tolist()] for side in sides]
        counts = event_f1(*events, labels=["rain"])
        precision, recall, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
            sides[0],
            np.full(len(sides[0]), 440.0),
            sides[1],
            np.full(len(sides[1]), 440.0),
            onset_tolerance=0.2,
            offset_ratio=0.2,
            offset_min_tolerance=0.2,
        )
        assert (counts.precision, counts.recall) == pytest.approx((precision, recall))
        assert counts.f1 == pytest.approx(f1)


def sampled_activity(events: list[Event], label: str) -> np.ndarray:
    """Which of twenty segments of 0.5 s a label sounds in, by looking every millisecond."""
    times = np.arange(0.0005, 10.0, 0.001)
    active = np.zeros(len(times), bool)
    for event in events:
        if event.label == label:
            active |= (event.onset_s < times) & (times < event.offset_s)
    return active.reshape(20, 500).any(axis=1)


def test_segment_f1_agrees_with_sampling_the_time_axis():
    rng = np.random.default_rng(5)
    for _ in range(10):
        truth, found = (
            [Event(str(rng.choice(LABELS)), on, on + rng.uniform(0.02, 3)) for on in onsets]
            for onsets in rng.uniform(0, 9, (2, 4)).tolist()
        )
        counts = segment_f1(truth, found, labels=LABELS, duration_s=10.0, segment_s=0.5)
        there, said = (
            np.array([sampled_activity(side, label) for label in LABELS]) for side in (truth, found)
        )
        assert counts.tp == tuple((there & said).sum(axis=-1))
        assert counts.fp == tuple((~there & said).sum(axis=-1))
        assert counts.fn == tuple((there & ~said).sum(axis=-1))


def test_counts_of_scenes_add_up_and_labels_must_agree():
    one = DetectionCounts(LABELS, (1, 2, 3), (0, 1, 0), (4, 0, 0))
    other = DetectionCounts(LABELS, (1, 0, 1), (1, 1, 1), (0, 0, 2))
    assert one + other == DetectionCounts(LABELS, (2, 2, 4), (1, 2, 1), (4, 0, 2))
    assert sum([one, other]) == one + other
    with pytest.raises(ParameterError, match="dog_bark"):
        one + DetectionCounts(("rain",), (1,), (1,), (1,))
    with pytest.raises(LabelError, match="'whale'"):
        one.f1_of("whale")


@pytest.mark.parametrize("options", [{"duration_s": 0.0}, {"duration_s": 1.0, "segment_s": -1.0}])
def test_lengths_must_be_above_zero(options):
    with pytest.raises(ParameterError, match="above 0 s"):
        segment_f1(TRUTH, TRUTH, labels=LABELS, **options)


@pytest.mark.parametrize("options", [{"collar_s": -0.1}, {"offset_fraction": -1.0}])
def test_collars_must_not_be_negative(options):
    with pytest.raises(ParameterError, match="below 0"):
        event_f1(TRUTH, TRUTH, labels=LABELS, **options)
