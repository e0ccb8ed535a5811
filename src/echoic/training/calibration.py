"""Confidence that can be trusted and a threshold for every label, from scenes kept aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from echoic.events import Event
from echoic.metrics import DetectionCounts, is_true, segment_f1
from echoic.processors.events import find_events
from echoic.processors.listen import Listen
from echoic.processors.model import Model
from echoic.streaming import block_samples, in_blocks, run
from echoic.training.data import OTHER
from echoic.training.mixing import MixedScene

FALSE_EVENTS_IN_10_S = 0.2
# Kept-aside recordings of a label are few: all labels together count as so many segments more.
_BORROWED_SEGMENTS = 30.0
_FAINTEST = 0.05  # what is less probable is no event whose confidence is asked for
_GRID = tuple(np.round(np.linspace(0.1, 0.95, 18), 3))


class Heard(NamedTuple):
    """A scene's probabilities (label, step), and what is really in it."""

    probabilities: NDArray[np.float32]
    truth: list[Event]
    duration_s: float


class Confidence(NamedTuple):
    """confidence = 1 / (1 + exp(−slope · logit(probability) − offset)); after Platt 1999."""

    slope: float
    offset: float

    def __call__(self, probability: NDArray[np.floating]) -> NDArray[np.float32]:
        """The confidence of probabilities."""
        score = self.slope * _logit(probability) + self.offset
        return (1 / (1 + np.exp(-score))).astype(np.float32)


def _logit(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    inner = np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7)
    return np.log(inner / (1 - inner))


def listen_to(model: Model, scenes: Iterable[MixedScene]) -> list[Heard]:
    """Let a model hear scenes; sounds without a label count as nothing."""
    heard = []
    for scene in scenes:
        listen = Listen(model, sample_rate=scene.sample_rate, want="probabilities")
        wave = scene.mixture[np.newaxis]
        blocks = in_blocks(wave, block_samples(scene.sample_rate, 1))
        parts = [part.probabilities for part in run(listen, blocks)]
        truth = [
            Event(label, on, off)
            for label, spans in scene.spans_s.items()
            for on, off in spans
            if label != OTHER
        ]
        duration_s = wave.shape[1] / scene.sample_rate
        heard.append(Heard(np.concatenate(parts, axis=1), truth, duration_s))
    return heard


def fit_confidence(heard: Sequence[Heard], *, labels: Sequence[str], step_s: float) -> Confidence:
    """Make the confidence of an event the probability that it is true.

    An event is true if the label really sounds for half of it.
    """
    rows = [
        (event.confidence, is_true(event, one.truth))
        for one in heard
        for event in _events(one, labels, dict.fromkeys(labels, _FAINTEST), step_s)
    ]
    score = _logit(np.array([confidence for confidence, _ in rows]))
    true = np.array([is_true for _, is_true in rows], np.float64)

    def surprise(parameters: NDArray[np.float64]) -> float:
        answer = parameters[0] * score + parameters[1]
        # A little towards no change, so that few events change little.
        prior = (parameters[0] - 1) ** 2 + parameters[1] ** 2
        return float(np.sum(np.logaddexp(0, answer) - true * answer) + prior)

    slope, offset = minimize(surprise, x0=[1.0, 0.0], method="Nelder-Mead").x
    return Confidence(float(slope), float(offset))


def choose_thresholds(
    heard: Sequence[Heard],
    without_labels: Sequence[Heard],
    *,
    labels: Sequence[str],
    step_s: float,
) -> dict[str, float]:
    """The threshold of every label with the best F1, raised until little is heard in nothing.

    Raised are those of the labels that are falsely heard most often, one after another.

    Args:
        heard: Scenes of the labels.
        without_labels: Scenes of other sounds, in which every event is false.
        labels: Of the rows of probabilities.
        step_s: Seconds a step.
    """
    counts, n_false = [], np.zeros((len(_GRID), len(labels)), np.int64)
    for row, threshold in enumerate(_GRID):
        for_all = dict.fromkeys(labels, threshold)
        counts.append(
            _sum(
                segment_f1(
                    one.truth,
                    _events(one, labels, for_all, step_s),
                    labels=labels,
                    duration_s=one.duration_s,
                )
                for one in heard
            )
        )
        for one in without_labels:
            for event in _events(one, labels, for_all, step_s):
                n_false[row, labels.index(event.label)] += 1
    index = np.array([_best_index(counts, k) for k in range(len(labels))])
    n_allowed = FALSE_EVENTS_IN_10_S / 10 * sum(one.duration_s for one in without_labels)
    while (now := np.take_along_axis(n_false, index[np.newaxis], axis=0)[0]).sum() > n_allowed:
        can_be_raised = index < len(_GRID) - 1
        if not can_be_raised.any():
            break
        index[np.argmax(np.where(can_be_raised, now, -1))] += 1
    return {label: float(_GRID[k]) for label, k in zip(labels, index, strict=True)}


def _events(
    one: Heard, labels: Sequence[str], threshold: dict[str, float], step_s: float
) -> list[Event]:
    return find_events(
        one.probabilities,
        labels=labels,
        threshold=threshold,
        step_s=step_s,
        duration_s=one.duration_s,
    )


def _sum(counts: Iterable[DetectionCounts]) -> DetectionCounts:
    first, *others = counts
    for other in others:
        first += other
    return first


def _best_index(counts: Sequence[DetectionCounts], k: int) -> int:
    """Where on the grid a label's F1 is best, with a little of what all labels have."""
    scores = []
    for all_labels in counts:
        pooled = np.array([sum(all_labels.tp), sum(all_labels.fp), sum(all_labels.fn)], float)
        pooled *= _BORROWED_SEGMENTS / max(pooled.sum(), 1.0)
        tp, fp, fn = np.array([all_labels.tp[k], all_labels.fp[k], all_labels.fn[k]]) + pooled
        scores.append(2 * tp / max(2 * tp + fp + fn, 1e-9))
    return int(np.argmax(scores))
