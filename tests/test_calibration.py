"""Fitting of confidence and thresholds on scenes with known ground truth."""

from __future__ import annotations

import numpy as np
import pytest

from echoic.errors import ParameterError
from echoic.events import Event
from echoic.metrics import expected_calibration_error, is_true, reliability
from echoic.processors.events import find_events
from echoic.training.calibration import (
    FALSE_EVENTS_IN_10_S,
    Confidence,
    HeardScene,
    choose_threshold,
    fit_confidence,
)

LABELS = ("rain", "cat")
STEP_S, DURATION_S = 0.01, 10.0


def scene(rng: np.random.Generator, confidence: Confidence) -> HeardScene:
    """Rain from 2 to 4 s, heard with some probability, and true as often as `confidence` says."""
    probabilities = np.full((len(LABELS), 1000), 0.001, np.float32)
    probability = rng.uniform(0.1, 0.95)
    probabilities[0, 200:400] = probability
    is_there = rng.random() < confidence(np.array([probability]))[0]
    return HeardScene(probabilities, [Event("rain", 2.0, 4.0)] * int(is_there), DURATION_S)


def test_confidence_is_as_often_right_as_it_says():
    rng, truth = np.random.default_rng(0), Confidence(0.6, -0.8)
    heard = [scene(rng, truth) for _ in range(3000)]
    found = fit_confidence(heard, 0.05, labels=LABELS, step_s=STEP_S)
    assert found.slope == pytest.approx(truth.slope, abs=0.1)
    assert found.offset == pytest.approx(truth.offset, abs=0.15)
    fresh = [scene(rng, truth) for _ in range(3000)]
    sure = found(np.array([one.probabilities[0].max() for one in fresh]))
    right = np.array([bool(one.truth) for one in fresh])
    assert expected_calibration_error(reliability(sure, right)) < 0.04


def test_confidences_after_one_another():
    probability = np.array([0.1, 0.5, 0.9])
    both = Confidence(0.5, 1.0).after(Confidence(2.0, -0.3))
    after = Confidence(0.5, 1.0)(Confidence(2.0, -0.3)(probability))
    np.testing.assert_allclose(both(probability), after, atol=1e-6)


def test_confidence_is_fitted_to_events_of_the_threshold():
    """Below it rain would begin at 0 s, and be false: half of it is not there."""
    probabilities = np.full((len(LABELS), 1000), 0.001, np.float32)
    probabilities[0, :100], probabilities[0, 300:400] = 0.1, 0.9
    probabilities[0, 100:300] = 0.02
    heard = [HeardScene(probabilities, [Event("rain", 3.0, 4.0)], DURATION_S)] * 50
    sure, unsure = (
        fit_confidence(heard, threshold, labels=LABELS, step_s=STEP_S)(np.array([0.9]))[0]
        for threshold in (0.5, 0.06)
    )
    assert sure > 0.95
    assert unsure < 0.1


def test_few_events_change_confidence_little():
    heard = [scene(np.random.default_rng(0), Confidence(1.0, 0.0))]
    found = fit_confidence(heard, 0.05, labels=LABELS, step_s=STEP_S)
    assert found.slope == pytest.approx(1, abs=0.5)
    assert found.offset == pytest.approx(0, abs=0.5)


def constant(rain: float, cat: float, truth: tuple[str, ...]) -> HeardScene:
    probabilities = np.empty((2, 1000), np.float32)
    probabilities[0], probabilities[1] = rain, cat
    return HeardScene(probabilities, [Event(label, 0.0, DURATION_S) for label in truth], DURATION_S)


def test_the_threshold_parts_what_is_there_from_what_is_not():
    heard = [constant(0.5, 0.3, ("rain",)), constant(0.3, 0.6, ("cat",))] * 20
    chosen = choose_threshold(heard, [], labels=LABELS, step_s=STEP_S)
    assert 0.3 < chosen <= 0.5


def test_the_threshold_rises_until_little_is_heard_in_nothing():
    heard = [constant(0.9, 0.01, ("rain",)), constant(0.01, 0.9, ("cat",))] * 20
    nothing = [constant(0.55, 0.01, ())] * 20
    assert choose_threshold(heard, [], labels=LABELS, step_s=STEP_S) <= 0.55
    chosen = choose_threshold(heard, nothing, labels=LABELS, step_s=STEP_S)
    for_all = dict.fromkeys(LABELS, chosen)
    n_false = sum(
        len(
            find_events(
                one.probabilities,
                labels=LABELS,
                threshold=for_all,
                step_s=STEP_S,
                duration_s=DURATION_S,
            )
        )
        for one in nothing
    )
    assert n_false <= FALSE_EVENTS_IN_10_S * len(nothing)
    assert 0.55 < chosen <= 0.9


def test_an_event_is_true_where_its_label_sounds_for_half_of_it():
    event = Event("rain", 1.0, 3.0)
    assert is_true(event, [Event("rain", 0.0, 1.5), Event("rain", 2.5, 9.0)])
    assert not is_true(event, [Event("rain", 0.0, 1.9), Event("cat", 0.0, 9.0)])


def test_reliability_refuses_what_is_no_confidence():
    with pytest.raises(ParameterError, match="between 0 and 1"):
        reliability(np.array([1.5]), np.array([True]))
    with pytest.raises(ParameterError, match=r"\(2,\)"):
        reliability(np.array([0.5, 0.5]), np.array([True]))
    with pytest.raises(ParameterError, match="n_bins=0"):
        reliability([0.5], [True], n_bins=0)
    assert np.isnan(expected_calibration_error([]))
