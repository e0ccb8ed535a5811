"""The scores of `bench/hear.py`, whose docstring defines the figures."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from hear_scenes import FIFTY, TEN, Scene
from numpy.typing import NDArray

from echoic.events import Event
from echoic.labels import LABELS, REST
from echoic.metrics import (
    DetectionCounts,
    event_f1,
    expected_calibration_error,
    is_true,
    label_set_f1,
    reliability,
    segment_f1,
    si_sdr_improvement_db,
)

MIN_OVERLAP_S = 0.25
CAP_DB = 30.0
SILENT_DB = -100.0  # the level reported for a silent `rest`


class Heard(NamedTuple):
    """Events, and label (or "rest") -> stem (time,)."""

    events: list[Event]
    stems: dict[str, NDArray[np.float32]]


class SceneScores:
    """Scores of a system on scenes with known ground truth."""

    def __init__(self) -> None:
        nothing = (0,) * len(LABELS)
        none = DetectionCounts(LABELS, nothing, nothing, nothing)
        self.f1 = dict.fromkeys(("label_set", "segment", "event"), none)
        self.gain_db: dict[str, list[float]] = defaultdict(list)
        self.found_gain_db: list[float] = []
        self.n_missed = 0
        self.rest_db: list[float] = []
        self.confidence: list[float] = []
        self.true: list[bool] = []
        self.n_scenes = 0
        self.heard_s = self.seconds = 0.0

    def add(self, scene: Scene, heard: Heard) -> None:
        """Count a scene."""
        sides = (scene.events, heard.events)
        self.f1["label_set"] += label_set_f1(*sides, labels=LABELS)
        self.f1["segment"] += segment_f1(*sides, labels=LABELS, duration_s=scene.duration_s)
        self.f1["event"] += event_f1(*sides, labels=LABELS)
        for label, gain_db in gains_db(scene, heard.stems):
            self.gain_db[label].append(0.0 if gain_db is None else gain_db)
            if gain_db is None:
                self.n_missed += 1
            else:
                self.found_gain_db.append(gain_db)
        self.rest_db.append(level_db(heard.stems[REST], scene.mixture))
        self.confidence += [event.confidence for event in heard.events]
        self.true += [is_true(event, scene.events) for event in heard.events]
        self.n_scenes += 1
        self.heard_s += scene.duration_s

    def figures(self) -> dict[str, float]:
        """All figures as flat keys."""
        found: dict[str, float] = {"n_scenes": self.n_scenes}
        for grain, counts in self.f1.items():
            found[f"{grain}_f1"], found[f"{grain}_macro_f1"] = counts.f1, counts.macro_f1
            found[f"{grain}_precision"] = counts.precision
            found[f"{grain}_recall"] = counts.recall
            found.update({f"{grain}_f1.{label}": counts.f1_of(label) for label in LABELS})
        found["si_sdri_db"] = mean(gain for own in self.gain_db.values() for gain in own)
        found["si_sdri_macro_db"] = mean(mean(own) for own in self.gain_db.values())
        found.update({f"si_sdri_db.{label}": mean(self.gain_db[label]) for label in LABELS})
        found["si_sdri_of_found_db"] = mean(self.found_gain_db)
        n_asked = self.n_missed + len(self.found_gain_db)
        found["missed_stems"] = self.n_missed / n_asked if n_asked else math.nan
        found["rest_mean_db"] = mean(self.rest_db)
        found["rest_median_db"] = float(np.median(self.rest_db)) if self.rest_db else math.nan
        bins = reliability(np.array(self.confidence), np.array(self.true, np.bool_))
        found["calibration_error"] = expected_calibration_error(bins)
        for one in bins:
            key = f"reliability.{one.confidence:.2f}"
            found[f"{key}.precision"], found[f"{key}.n_events"] = one.precision, one.n_events
        found["times_real_time"] = self.heard_s / self.seconds if self.seconds else math.nan
        return found


class OtherScores:
    """Events on recordings of none of the labels, all of which are false."""

    def __init__(self) -> None:
        self.false: Counter[tuple[str, str]] = Counter()
        self.n_scenes = 0

    def add(self, scene: Scene, heard: Heard) -> None:
        """Count a scene."""
        self.false.update((scene.name, event.label) for event in heard.events)
        self.n_scenes += 1

    def figures(self) -> dict[str, float]:
        """All figures as flat keys."""
        n_scenes = self.n_scenes or math.nan
        found = {
            "n_scenes": float(self.n_scenes),
            "false_events_in_10_s": sum(self.false.values()) / n_scenes,
        }
        for label in LABELS:
            n_false = sum(n for (_, heard), n in self.false.items() if heard == label)
            found[f"false_events_in_10_s.{label}"] = n_false / n_scenes
        return found

    def worst(self, n_most: int = 12) -> str:
        """The most frequent false labels and the recordings they occur on."""
        rows = [
            f"  {n:3} {label:16} on {name}" for (name, label), n in self.false.most_common(n_most)
        ]
        return "\n".join(rows)


class ExampleScores:
    """SI-SDR improvement of sounds requested by label, and by example."""

    def __init__(self) -> None:
        self.gain_db: dict[str, list[float]] = {"by_label": [], "by_example": []}

    def add(self, scene: Scene, label: str, stems: Mapping[str, NDArray[np.float32]]) -> None:
        """Count one sound of a scene; `stems` has one by each kind of query."""
        where = scene.overlap(label)
        for asked, stem in stems.items():
            gain_db = si_sdr_improvement_db(
                stem, scene.references[label], scene.mixture, cap_db=CAP_DB, where=where
            )
            self.gain_db[asked].append(float(gain_db))

    def figures(self) -> dict[str, float]:
        """All figures as flat keys."""
        found = {f"si_sdri_{asked}_db": mean(gains) for asked, gains in self.gain_db.items()}
        return found | {"n_sounds": float(len(self.gain_db["by_label"]))}


class ClipScores:
    """Top-1 accuracy on clips of one sound."""

    def __init__(self) -> None:
        self.right: dict[str, list[bool]] = {"ten": [], "fifty": []}
        self.confused: Counter[tuple[str, str]] = Counter()

    def add(self, label: str, ranked: Sequence[tuple[str, float]]) -> None:
        """Count a clip of one of the fifty."""
        for name, kinds in (("ten", TEN), ("fifty", FIFTY)):
            if label not in kinds:
                continue
            best = next((named for named, _ in ranked if named in kinds), None)
            self.right[name].append(best == label)
            if name == "fifty" and best != label and best is not None:
                self.confused[label, best] += 1

    def figures(self) -> dict[str, float]:
        """All figures as flat keys."""
        found: dict[str, float] = {}
        for name, right in self.right.items():
            found[f"top_1_of_{name}"], found[f"n_clips_of_{name}"] = mean(right), len(right)
        return found

    def worst(self, n_most: int = 12) -> str:
        """The most frequent confusions."""
        rows = [
            f"  {n:3} {label:16} as {best}"
            for (label, best), n in self.confused.most_common(n_most)
        ]
        return "\n".join(rows)


def gains_db(
    scene: Scene, stems: Mapping[str, NDArray[np.float32]]
) -> Iterable[tuple[str, float | None]]:
    """The SI-SDR improvement of each true label that is overlapped long enough; None: missed."""
    for label, reference in scene.references.items():
        if not is_overlapped(scene, label):
            continue
        stem = stems.get(label)
        # A missing stem and a silent one both count as a miss.
        is_missed = stem is None or not np.any(stem[scene.overlap(label)])
        yield label, None if is_missed else gain_db(scene, label, stem, reference)


def gain_db(
    scene: Scene, label: str, wave: NDArray[np.float32], wanted: NDArray[np.float32]
) -> float:
    """The SI-SDR improvement of a wave over the mixture, where the label is overlapped."""
    where = scene.overlap(label)
    return float(si_sdr_improvement_db(wave, wanted, scene.mixture, cap_db=CAP_DB, where=where))


def is_overlapped(scene: Scene, label: str) -> bool:
    """Whether the label overlaps others for long enough to be scored."""
    return bool(np.sum(scene.overlap(label)) >= MIN_OVERLAP_S * scene.sample_rate)


def level_db(wave: NDArray[np.float32], against: NDArray[np.float32]) -> float:
    """Energy of one wave relative to that of another, in dB."""
    ratio = np.sum(np.square(wave, dtype=np.float64)) / np.sum(np.square(against, dtype=np.float64))
    return 10 * math.log10(max(float(ratio), 10 ** (SILENT_DB / 10)))


def mean(values: Iterable[float]) -> float:
    """The mean; NaN of no values."""
    kept = list(values)
    return math.fsum(kept) / len(kept) if kept else math.nan
