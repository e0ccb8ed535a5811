"""Calibrate confidence, and a threshold that suits it, on held-out scenes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from echoic.events import Event
from echoic.labels import LABELS
from echoic.metrics import is_true, segment_f1
from echoic.processors.events import find_events
from echoic.training.data import OTHER, Recordings
from echoic.training.mixing import MixedScene, MixingSettings, SceneMixer

# Allowed in scenes without any label, in which two unlabelled sounds usually overlap.
FALSE_EVENTS_IN_10_S = 0.8
# Half of them with unlabelled sounds among the labelled ones, half with little else.
_SCENES = (
    (200, MixingSettings(duration_s=10.0)),
    (
        200,
        MixingSettings(
            duration_s=10.0,
            n_sounds=(0.0, 0.25, 0.25, 0.25, 0.25),
            background_probability=0.3,
            foreground_other_probability=0.0,
        ),
    ),
)
_SCENES_WITHOUT_LABELS = (200, MixingSettings(duration_s=10.0, n_sounds=(1.0,)))
_SEED = 20
# Onsets and offsets depend on the threshold: confidence is fitted to the events at the chosen
# threshold, and the threshold chosen by that confidence, alternately. A fit changes events, too,
# since it is confidence that is smoothed: it is repeated until little is left to correct.
_ROUNDS, _MOST_FITS = 2, 8
_SLOPE_LEFT, _OFFSET_LEFT = 0.05, 0.05
_GRID = tuple(np.round(np.linspace(0.06, 0.94, 23), 3))


class HeardScene(NamedTuple):
    """A scene's probabilities (label, step), true events and duration."""

    probabilities: NDArray[np.float32]
    truth: list[Event]
    duration_s: float


class Confidence(NamedTuple):
    """confidence = 1 / (1 + exp(−slope · logit(probability) − offset)); after Platt 1999."""

    slope: float
    offset: float

    def __call__(self, probability: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert probabilities to confidence."""
        score = self.slope * _logit(probability) + self.offset
        return (1 / (1 + np.exp(-score))).astype(np.float32)

    def after(self, former: Confidence) -> Confidence:
        """The composition of `former`, applied first, and this one."""
        return Confidence(self.slope * former.slope, self.slope * former.offset + self.offset)


class Calibration(NamedTuple):
    """The mapping from probability to confidence, and the detection threshold on confidence."""

    confidence: Confidence
    threshold: float


ProbabilitiesOf = Callable[[MixedScene], NDArray[np.float32]]


def _logit(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    inner = np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7)
    return np.log(inner / (1 - inner))


def calibrate(
    probabilities_of: ProbabilitiesOf, kept: Recordings, *, sample_rate: int, step_s: float
) -> Calibration:
    """Fit confidence and threshold on scenes of held-out recordings.

    Args:
        probabilities_of: Scene -> probabilities (label, step), of all `LABELS`.
        kept: The held-out recordings.
        sample_rate: Hz, of the scenes.
        step_s: Seconds a step.
    """
    known = [label for label in LABELS if kept.n_recordings(label)]
    rng = np.random.default_rng(_SEED)

    def hear(n_scenes: int, settings: MixingSettings) -> list[HeardScene]:
        mixer = SceneMixer(kept, sample_rate=sample_rate, settings=settings)
        scenes = (mixer.draw(known, rng) for _ in range(n_scenes))
        return [
            HeardScene(probabilities_of(one), _truth(one), settings.duration_s) for one in scenes
        ]

    heard = [one for scenes in _SCENES for one in hear(*scenes)]
    heard_without = hear(*_SCENES_WITHOUT_LABELS)

    def surely(scenes: list[HeardScene]) -> list[HeardScene]:
        return [one._replace(probabilities=confidence(one.probabilities)) for one in scenes]

    def best_threshold() -> float:
        return choose_threshold(surely(heard), surely(heard_without), labels=LABELS, step_s=step_s)

    confidence = Confidence(slope=1.0, offset=0.0)
    for _ in range(_ROUNDS):
        threshold = best_threshold()
        for _ in range(_MOST_FITS):
            fitted = fit_confidence(surely(heard), threshold, labels=LABELS, step_s=step_s)
            confidence = fitted.after(confidence)
            threshold = float(fitted(np.array([threshold]))[0])  # at the same probability
            if abs(fitted.slope - 1) < _SLOPE_LEFT and abs(fitted.offset) < _OFFSET_LEFT:
                break
    return Calibration(confidence, round(threshold, 3))


def _truth(scene: MixedScene) -> list[Event]:
    """The true events of a scene; unlabelled sounds are ignored."""
    return [
        Event(label, onset_s, offset_s)
        for label, spans in scene.spans_s.items()
        for onset_s, offset_s in spans
        if label != OTHER
    ]


def fit_confidence(
    heard: Sequence[HeardScene], threshold: float, *, labels: Sequence[str], step_s: float
) -> Confidence:
    """Fit confidence such that the confidence of an event is the probability that it is true.

    An event is true if the label really sounds for at least half of it.

    Args:
        heard: Scenes of the labels.
        threshold: Detection threshold of the events.
        labels: Labels of the rows of probabilities.
        step_s: Seconds a step.
    """
    rows = [
        (event.confidence, is_true(event, one.truth))
        for one in heard
        for event in _events(one, labels, dict.fromkeys(labels, threshold), step_s)
    ]
    score = _logit(np.array([confidence for confidence, _ in rows]))
    true = np.array([is_true for _, is_true in rows], np.float64)

    def surprise(parameters: NDArray[np.float64]) -> float:
        answer = parameters[0] * score + parameters[1]
        # A weak prior towards no change, so that few events change little.
        prior = (parameters[0] - 1) ** 2 + parameters[1] ** 2
        return float(np.sum(np.logaddexp(0, answer) - true * answer) + prior)

    slope, offset = minimize(surprise, x0=[1.0, 0.0], method="Nelder-Mead").x
    return Confidence(float(slope), float(offset))


def choose_threshold(
    heard: Sequence[HeardScene],
    without_labels: Sequence[HeardScene],
    *,
    labels: Sequence[str],
    step_s: float,
) -> float:
    """The threshold with the best segment F1, raised until false events are rare.

    One for all labels: confidence means the same for each of them, and the held-out
    recordings of one label are too few (one to three of most) to set a threshold of its own.

    Args:
        heard: Scenes of the labels.
        without_labels: Scenes of other sounds, in which every event is false.
        labels: Labels of the rows of probabilities.
        step_s: Seconds a step.
    """

    def f1(threshold: float) -> float:
        for_all = dict.fromkeys(labels, threshold)
        counts = (
            segment_f1(
                one.truth,
                _events(one, labels, for_all, step_s),
                labels=labels,
                duration_s=one.duration_s,
            )
            for one in heard
        )
        return reduce(operator.add, counts).f1

    def n_false(threshold: float) -> int:
        for_all = dict.fromkeys(labels, threshold)
        return sum(len(_events(one, labels, for_all, step_s)) for one in without_labels)

    n_allowed = FALSE_EVENTS_IN_10_S / 10 * sum(one.duration_s for one in without_labels)
    best = max(_GRID, key=f1)
    quiet = (one for one in _GRID if one >= best and n_false(one) <= n_allowed)
    return float(next(quiet, _GRID[-1]))


def _events(
    one: HeardScene, labels: Sequence[str], threshold: dict[str, float], step_s: float
) -> list[Event]:
    return find_events(
        one.probabilities,
        labels=labels,
        threshold=threshold,
        step_s=step_s,
        duration_s=one.duration_s,
    )
