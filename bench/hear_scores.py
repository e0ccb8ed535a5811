"""What `bench/hear.py` counts and measures; its docstring says what the figures mean."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from hear_scenes import SAMPLE_RATE, SCENE_S, Scene
from numpy.typing import NDArray

from echoic.events import Event
from echoic.labels import LABELS, REST
from echoic.metrics import (
    DetectionCounts,
    event_f1,
    label_set_f1,
    segment_f1,
    si_sdr_improvement_db,
)

MIN_OVERLAP_S = 0.25
CAP_DB = 30.0
SILENT_DB = -100.0  # the level given for a `rest` that is silent


class Heard(NamedTuple):
    """events, and label (or "rest") -> stem (time,)."""

    events: list[Event]
    stems: dict[str, NDArray[np.float32]]


class Scores:
    """What one system has earned so far."""

    def __init__(self) -> None:
        nothing = (0,) * len(LABELS)
        none = DetectionCounts(LABELS, nothing, nothing, nothing)
        self.f1 = dict.fromkeys(("label_set", "segment", "event"), none)
        self.gain_db: dict[str, list[float]] = defaultdict(list)
        self.rest_db: list[float] = []
        self.false_events: Counter[str] = Counter()
        self.n_scenes = self.n_other_scenes = 0
        self.seconds = 0.0

    def add(self, scene: Scene, heard: Heard) -> None:
        """Count a scene whose truth is known."""
        sides = (scene.events, heard.events)
        self.f1["label_set"] += label_set_f1(*sides, labels=LABELS)
        self.f1["segment"] += segment_f1(*sides, labels=LABELS, duration_s=SCENE_S)
        self.f1["event"] += event_f1(*sides, labels=LABELS)
        for label, gain_db in gains_db(scene, heard.stems):
            self.gain_db[label].append(gain_db)
        self.rest_db.append(level_db(heard.stems[REST], scene.mixture))
        self.n_scenes += 1

    def add_other(self, heard: Heard) -> None:
        """Count a scene that holds none of the labels."""
        self.false_events.update(event.label for event in heard.events)
        self.n_other_scenes += 1

    def figures(self) -> dict[str, float]:
        """All figures as flat keys."""
        found: dict[str, float] = {"n_scenes": self.n_scenes, "n_other_scenes": self.n_other_scenes}
        for grain, counts in self.f1.items():
            found[f"{grain}_f1"], found[f"{grain}_macro_f1"] = counts.f1, counts.macro_f1
            found[f"{grain}_precision"] = counts.precision
            found[f"{grain}_recall"] = counts.recall
            found.update({f"{grain}_f1.{label}": counts.f1_of(label) for label in LABELS})
        found["si_sdri_db"] = mean(gain for own in self.gain_db.values() for gain in own)
        found["si_sdri_macro_db"] = mean(mean(own) for own in self.gain_db.values())
        found.update({f"si_sdri_db.{label}": mean(self.gain_db[label]) for label in LABELS})
        found["rest_mean_db"] = mean(self.rest_db)
        found["rest_median_db"] = float(np.median(self.rest_db)) if self.rest_db else math.nan
        n_other = self.n_other_scenes or math.nan
        found["false_events_in_10_s"] = sum(self.false_events.values()) / n_other
        for label in LABELS:
            found[f"false_events_in_10_s.{label}"] = self.false_events[label] / n_other
        heard_s = SCENE_S * (self.n_scenes + self.n_other_scenes)
        found["times_real_time"] = heard_s / self.seconds if self.seconds else math.nan
        return found


def gains_db(scene: Scene, stems: Mapping[str, NDArray[np.float32]]) -> Iterable[tuple[str, float]]:
    """The SI-SDR improvement of each true label that is overlapped long enough."""
    for label, reference in scene.references.items():
        where = scene.overlap(label)
        if np.sum(where) < MIN_OVERLAP_S * SAMPLE_RATE:
            continue
        stem = stems.get(label)
        # Giving nothing is a miss, whether it is said by no stem or by a silent one.
        if stem is None or not np.any(stem[where]):
            yield label, 0.0
            continue
        gain = si_sdr_improvement_db(stem, reference, scene.mixture, cap_db=CAP_DB, where=where)
        yield label, float(gain)


def level_db(wave: NDArray[np.float32], against: NDArray[np.float32]) -> float:
    """Energy of one wave against that of another."""
    ratio = np.sum(np.square(wave, dtype=np.float64)) / np.sum(np.square(against, dtype=np.float64))
    return 10 * math.log10(max(float(ratio), 10 ** (SILENT_DB / 10)))


def mean(values: Iterable[float]) -> float:
    """The mean; NaN of nothing."""
    kept = list(values)
    return math.fsum(kept) / len(kept) if kept else math.nan
